"""Edits of objects that are there, each one undoable step.

`curation` merges, splits, deletes, locks and classifies, `tracks` makes objects of a time series
tracks, `cut` and `clean` change shapes; `slices` copies, fills (`interpolate`) and ends objects
slice by slice, `missing` says what is not on a slice, `halves` where to look next, `linked` which
objects found on slices are one. Uses the other modules of `session`, and `tracking`.

Of a cut or a cleaning, a task is a snapshot of masks, to be worked on in any thread; what comes of
it is written only where the objects are still what they were.
"""
