"""Tracks of objects in a time series: linked, edited, doubted. No torch, no window.

`detections` measures the objects of each frame, `linking` joins them behind a small protocol,
`tracks` is what comes of it, `edits` changes that, and `doubts` says where somebody should look.
Files of tracks are read and written in `napari_sam.io.tracks`.
"""
