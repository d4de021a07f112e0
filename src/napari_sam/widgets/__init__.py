"""Qt and napari widgets of the plugin; only this package imports Qt and napari.

The floors, from below: `common` (forms, keys, lists to choose from) and `layers` (napari's layers
as planes, prompts and masks); `jobs` (work off the window's thread); `annotation` (what is
annotated) and `train`; `objects`, `refine`, `saved`, `search` and `stack`, each a part of the
panel; the tabs `auto`, `prompt` and `text`; at the top `panel`. Each floor knows those below it
only, and a part of the panel knows no other part beside it.
"""
