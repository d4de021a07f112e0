"""Adapters between napari layers and the session: image planes, prompts, labels, mask previews.

`ImageStack` is an Image layer as a stack of planes, seen through a `Mix` of its channels;
`PromptLayers` are what prompts are drawn in, `LabelsTarget` what objects are written to, `Preview`
a mask on show. It may use napari, `inference` and what the session writes to; it knows no widgets,
no models and nothing of the panel.
"""
