"""What work on a session has cost: seconds of active work, prompts, corrections.

`tally` counts as a session goes on, `clock` measures, `effort` and `methods` say what came of it.
"""
