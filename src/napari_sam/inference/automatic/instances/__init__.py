"""Instances of everything in a picture, from the maps of an instance decoder."""
