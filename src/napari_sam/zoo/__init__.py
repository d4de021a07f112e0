"""Model weights: catalogue of published models, download, and the user's fine-tuned models.

May use `settings`, `files` and `errors`, no torch: lists of models are shown without loading one.
"""
