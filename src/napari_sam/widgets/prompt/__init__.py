"""The tab Prompt: one object at a time, with clicks, boxes and scribbles.

`Controls` holds all its widgets, those of `objects` and `refine` among them; `Prompting` carries
buttons and keys to the annotation, `Channels` says what of the picture the model sees, and
`Precompute` embeds the other slices of a stack meanwhile. It may use every other room of `widgets`
but the other tabs, the panel and the window.
"""
