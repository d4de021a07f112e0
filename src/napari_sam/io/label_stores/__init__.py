"""Labels that are read and written chunk by chunk: zarr, memory maps, arrays in memory.

`levels` writes pixels into a pyramid, `chunks` says where anything is stored, `opening` finds and
makes the files, `objects` looks at all labels without holding them.
"""
