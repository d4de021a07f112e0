"""Model serving: loaded models and their worker threads, for the panel and the batch commands.

`host` shares each model between windows and queues their jobs, urgent ones first; `segmenter` is
a predictor over a store, which fits what a session asks of a model; `kept_maps` has what is known
of the last slices; `precompute` embeds a stack ahead of need. May use `inference` and `zoo`; loads
torch late.
"""
