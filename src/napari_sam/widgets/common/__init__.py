"""Widgets and helpers shared by all tabs: forms, keys, layer and model lists, thumbnails, text.

It may use Qt, napari and magicgui; it knows nothing of what is annotated.
"""
