"""The tab Stack: objects are followed through the slices of an axis, live and as one step.

`StackTab` joins its `StackControls` to `PropagationWorker`; `seeds` is what a propagation
starts from, `report` what became of it. It may use `annotation`, `jobs`, `layers`, `common`, the
session and the settings of propagation.
"""
