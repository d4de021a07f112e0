"""Decoders of the whole image: maps from which instances are grown, and a rating of them.

Our own head stands in `head`, micro-sam's decoder in `unetr_decoder`; both give the maps that
`maps` describes. `rating` chooses among candidates, `load` reads and checks the files of all
three. Uses the other modules of `model` and what lies below.
"""
