"""SAM 2.1 (Ravi et al. 2024): segment a picture, and follow objects with a memory of other slices.

Image encoder, mask decoder, memory encoder and memory attention stand in a file each; `sam2.Sam2`
puts them together, `tracker.Tracker` holds what is remembered of each object.
"""
