"""Batch tasks on image files without a window, run locally or on a dask cluster.

`task` says what a task is, `local` and `cluster` run them, the other modules are tasks or what they
share. May use `inference`, `serving`, `text`, `io` and `evaluation`, no session and no Qt.
"""
