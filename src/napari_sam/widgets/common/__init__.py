"""What every tab is made of: forms, keys, lists of layers and models, thumbnails, words.

It may use Qt, napari and magicgui; it knows nothing of what is annotated.
"""
