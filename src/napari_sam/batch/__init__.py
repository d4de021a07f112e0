"""What is done to one file without a window, as tasks: on this machine or on a dask cluster.

`task` says what a task is, `local` and `cluster` run them, the other modules are tasks or what they
share. May use `inference`, `serving`, `text`, `io` and `evaluation`, no session and no Qt.
"""
