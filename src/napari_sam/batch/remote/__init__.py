"""Borrowed hardware for the panel: images embedded on a cluster, prompts answered here.

`host` opens models on any device and is light; `predictor` needs torch and dask. Uses the other
modules of `batch`.
"""
