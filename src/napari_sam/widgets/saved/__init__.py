"""Saved sessions: offered for their image, listed, deleted, and stored with the view state.

`Resuming` looks for it and brings it back, `SavedWork` is the list of all of it. It may use
`annotation`, `jobs`, `common` and `session.disk`.
"""
