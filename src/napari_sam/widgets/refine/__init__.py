"""The tab Refine: rough labels as prompts for better masks.

`Refining` asks about each slice (`refine_slice`), keeps what waits in `RefinedMasks`, and
`RefineWriter` writes what is accepted. It may use `annotation`, `jobs`, `layers`, `common` and the
session.
"""
