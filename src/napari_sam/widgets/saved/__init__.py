"""Saved work: it is offered again for its picture, listed, deleted, and the view is kept with it.

`Resuming` looks for it and brings it back, `SavedWork` is the list of all of it. It may use
`annotation`, `jobs`, `common` and `session.disk`.
"""
