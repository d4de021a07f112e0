"""Labelled images: pairing of files, reading, and splits for training and validation.

Training and evaluation start from here. Uses `io` to read and `inference.image` for intensities.
"""
