"""What the tabs Auto and Text share: a search of one slice, and what becomes of what it finds.

A presenter (`presenter`) lives as long as its tab follows one annotation. Its worker (`work`) asks
the model bit by bit; the proposals (`slice_proposals`) are shown over the picture (`preview`),
compared with what is settled already (`settled`), filtered by measures (`measures`) and put into
the session (`findings`). It may use `common`, `layers`, `jobs` and `annotation`.
"""
