"""Propagation: track objects from slice to slice of a stack or a time series.

`propagate` is the way forward and back; `followers` how a model finds an object on the next slice,
`anchors` what is known before, `appearance` how the encoder sees an object, `settings` the stop
rules, `verdict` what is said of each object. May use the predictor.
"""
