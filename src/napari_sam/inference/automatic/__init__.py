"""Automatic mask generation: segment everything by prompting at many points.

`settings` and `presets` say how; `seeds`, `points` and `tiles` where; `sweep` asks in batches,
`proposals` and `nms` make one proposal of each object, `search` and `tiled` are the whole search
of an image or of its tiles, and `selection` and `linking` turn proposals into labels of a slice
and of a stack. May use the predictor and the stores.
"""
