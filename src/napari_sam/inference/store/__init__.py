"""Stores of embeddings, keyed by a hash of pixels, weights and contrast.

`memory` and `disk` keep within a budget, `store` asks both before it embeds anew, `beside` keeps
the model free while files are written. May use the predictor.
"""
