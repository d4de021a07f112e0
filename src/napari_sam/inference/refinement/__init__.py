"""Refinement: sharpen rough masks by using each one as a prompt.

`two_pass` is the rule for one slice, `refine` does slices and stacks. May use the predictor and
the protocol of stores that `propagation` has.
"""
