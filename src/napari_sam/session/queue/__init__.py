"""Queue of pictures: their order, what is done of them, and the table that keeps it.

`queue` holds the entries, `table` reads and writes them, `pictures` finds them, `progress` looks at
the saved sessions, `fill` puts what was found into them. No window is needed.
"""
