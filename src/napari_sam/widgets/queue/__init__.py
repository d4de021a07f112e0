"""Queue of pictures in the panel: one after another, prepared ahead, kept in a table.

`part` is what the panel opens, `strip` shows it, `prepared` reads and embeds ahead, `filling`
searches the rest, `methods` says how objects were made.
"""
