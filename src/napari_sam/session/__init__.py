"""Annotation session without a GUI: objects, current draft, undo history and label rendering.

Numpy only: no Qt, no napari, no torch, and no model; who annotates brings a `Segmenter`. It may
use `inference.automatic` for the rules of what an automatic run keeps. `session` holds and takes
steps; `drawing`, `adopt`, `paint`, `batch`, `autofill` and the modules of `edit` make them.

Five words stand around what happened. A *change* (`changes`) is one undoable step as plain data:
what was before and what is after. A *record* (`records`) is one thing that is written down as it
happens: a change was made, undone, made again. The *history* (`ledger`) is the two stacks of
changes that undo and redo move between. The *ledger* (`ledger`) is all that the records add up
to: objects, draft, classes and history. The *journal* (`disk.journal`) is the file that the
records go to.
"""
