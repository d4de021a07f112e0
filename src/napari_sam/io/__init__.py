"""Readers and writers of images, labels, objects and tables, with axis names and spacing.

`images` reads image files of all kinds lazily, `objects` reads and writes COCO, GeoJSON and ROIs,
`export` chooses by a file's ending. May use the ground floor (`prompts`, `masks`, `files`) and no
model; libraries of single formats are loaded only where a file needs them.
"""
