"""How alike objects are: their features (`features`), and a rating by examples (`rating`).

The crops' image vectors come from the encoder of words, which stands above: `text.similar`.
"""
