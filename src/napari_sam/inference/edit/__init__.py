"""Edits of masks that are there: cleaned by rules of shape, cut in pieces. Numpy only.

`clean` is the rules for one mask, for the objects of a plane and for an array of labels; `cut` the
pieces of an object by strokes and clicks, on one plane and through a stack, and what is asked of a
model for them.
"""
