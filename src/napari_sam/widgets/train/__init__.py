"""The tab Train: fine-tunes a model on labelled layers or a folder of samples.

`tab` turns what is chosen in `controls` and `pairs` into a request for the worker (`work`), and
shows what comes back in `report`; `wording` has the sentences. It knows no annotation, and may use
`common` and `layers`.
"""
