"""Weights: the catalogue of published models, their download, and the user's own models.

May use `settings`, `files` and `errors`, no torch: lists of models are shown without loading one.
"""
