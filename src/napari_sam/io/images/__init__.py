"""Image files: `find` says which are meant, `read` opens one as `Pixels`, lazily.

A module for each kind (`tiffs`, `photos`, `stores` for zarr, `microscopes` for bioio), and the
checks that refuse a damaged or hostile file before room is made for it. Asked for `numbers`, they
give the labels' own and no colours.
"""
