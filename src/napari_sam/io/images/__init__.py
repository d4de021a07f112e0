"""Image files: `find` lists them, `read` opens one lazily as a `LazyImage`.

A module for each kind (`tiffs`, `photos`, `stores` for zarr, `microscopes` for bioio), and the
checks that refuse a damaged or hostile file before room is made for it. Asked for `numbers`, they
give the labels' own and no colours.
"""
