"""The tab Auto: finds every object of a slice or a stack, and retrains a model on what is accepted.

`tab` makes a `presenter` for each annotation; `controls` has the widgets, `choices` the table of
options, `stack` the worker for all slices, `retraining` the way to the tab Train, `wording` the
sentences. It may use `search`, `train` and what is below them.
"""
