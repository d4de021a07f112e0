"""The tab Text: finds objects by text prompts and adds them to the session as classes.

`tab` makes a `presenter` for each annotation; `controls` has the widgets and their options, `work`
the worker that asks the text encoder, `unknown` what it does not know, `wording` the sentences. It
may use `search` and what is below it.
"""
