"""The tab Auto: automatic mask generation for a slice or a stack, and retraining.

`tab` makes a `presenter` for each annotation; `controls` has the widgets, `choices` the table of
options, `stack` the worker for all slices, `retraining` the way to the tab Train, `wording` the
sentences. It may use `search`, `train` and what is below them.
"""
