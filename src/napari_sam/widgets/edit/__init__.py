"""Changes of objects that are there: cut and joined by strokes, cleaned by rules of shape.

`editing` is the part of the panel; `strokes` makes lines of gestures, `cutting` the cut that is on
show; `clean_dialog` is the window with the rules, `cleaning` what happens in it.
"""
