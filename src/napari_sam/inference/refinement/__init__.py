"""Refinement: sharper masks from rough ones, by asking with each mask as a prompt.

`two_pass` is the rule for one slice, `refine` does slices and stacks. May use the predictor and
the protocol of stores that `propagation` has.
"""
