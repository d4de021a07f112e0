"""Storage of a session on disk: write-ahead journal, snapshots and crash recovery.

`folder` is what others open and close; `library` is the shelf of all saved sessions, `autosave`
begins one. `codec` turns records into JSON, `recovery` reads what a folder holds, `replay` makes
records fit where some are lost. The format is described in ``docs/session-format.md``. It may use
the rest of `session`, which does not know it.
"""
