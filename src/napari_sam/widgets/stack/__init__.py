"""The tab Stack: propagates objects along an axis, live and as one undo step.

`StackTab` joins its `StackControls` to `PropagationWorker`; `seeds` is what a propagation
starts from, `report` what became of it. It may use `annotation`, `jobs`, `layers`, `common`, the
session and the settings of propagation.
"""
