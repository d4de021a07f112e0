"""Work off the GUI thread: in the model's thread or in a background thread.

`PromptJobs` carries prompts to the model, the newest first; `Piecework` long work that goes piece
by piece and gives way to them; `Background` has a thread for files and arrays, in which
`ObjectThumbnails` draws small pictures. What comes back arrives in the window's thread. It may use
`serving` and `layers`; it knows no widgets.
"""
