"""Inference: images in, masks out, as numpy arrays in (row, column) order.

`image` normalises pixels and converts coordinates; `predictor` embeds an image once and predicts
masks for prompts; `windows` and `sliding` are what the dense model sees at a time. On top stand
`store` (embeddings that are kept), `automatic` (find everything), `propagation` (follow objects
through a stack) and `refinement` (sharpen masks that are there), each of which may use those
before it. All may use `model` and the ground floor; nothing of sessions, files of images, or Qt.
"""
