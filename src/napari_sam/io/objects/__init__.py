"""Instance masks that may overlap: COCO, GeoJSON (QuPath) and ImageJ ROIs.

`instances` is their common form, `outlines` and `run_lengths` turn masks into what the formats
hold, and back; `read_log` leaves out what is damaged, with a warning.
"""
