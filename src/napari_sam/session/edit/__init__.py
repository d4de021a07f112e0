"""Edits of objects by their shape, each one undoable step: cut in pieces, cleaned by rules.

A task is a snapshot of masks, to be worked on in any thread; what comes of it is written only where
the objects are still what they were.
"""
