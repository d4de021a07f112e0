"""The network: Segment Anything in plain torch, its sizes, and how weights are read.

Image encoders, prompt encoder, mask decoder and text decoder stand in a file each; `sam.Sam` puts
them together, `load.load_model` finds and checks their weights. Coordinates are (x, y) in frame
pixels here and (row, column) everywhere above. Uses `zoo`, `settings` and what lies below.
"""
