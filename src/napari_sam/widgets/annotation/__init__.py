"""The annotation of one image: connects its session, its layers and the model in one viewer.

`CurrentAnnotation` begins an `Annotation` for each picture that is chosen, and the parts of the
panel (`Part`) follow it. An annotation has three parts of its own: `OwnLayers` reads prompts from
our layers and shows the mask, `Asking` asks the model, `SessionBinding` binds the session to its
folder and its Labels layer. It may use `jobs`, `layers`, `common` and the session; it has no
widgets.
"""
