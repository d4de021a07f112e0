"""Labelled images: which files belong together, how they are read, and how they are split.

Training and evaluation start from here. Uses `io` to read and `inference.image` for intensities.
"""
