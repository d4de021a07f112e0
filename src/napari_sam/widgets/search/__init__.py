"""Shared by the tabs Auto and Text: the search of one slice and its proposals.

A presenter (`presenter`) lives as long as its tab follows one annotation. Its worker (`work`) asks
the model bit by bit; the proposals (`slice_proposals`) are shown over the picture (`preview`),
compared with what is settled already (`settled`), filtered by measures (`measures`) and put into
the session (`findings`). It may use `common`, `layers`, `jobs` and `annotation`.
"""
