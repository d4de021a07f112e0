"""Automatic mask generation: segment everything, at once or by prompting at many points.

`instances` makes objects of the maps of an instance decoder. For points, `settings` and `presets`
say how; `seeds`, `points` and `tiles` where; `sweep` asks in batches, `proposals` and `nms` make
one proposal of each object. `search` and `tiled` are the whole search of an image or of its tiles,
and `selection` and `linking` turn proposals into labels of a slice and of a stack. May use the
predictor and the stores.
"""
