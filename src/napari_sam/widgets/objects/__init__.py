"""The object list of the tab Prompt: review, editing, and export of labels.

`ObjectsModel` holds a row per object, `ObjectsList` shows them, `Review` carries what is wanted of
them to the session; `Highlight` draws a ring in the view, and `LabelSaver` writes files. It
may use `annotation`, `jobs`, `layers`, `common`, `io` and the session.
"""
