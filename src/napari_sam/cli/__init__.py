"""Command line `napari-sam`: `main` parses, `commands` has a module for each subcommand.

Beside them what several commands share: `paths` and `pairing` (which files), `labelling` (pictures
to labels), `scheduler` (here or on a cluster), `progress` and `streams` (what is shown). May use
every other package, and loads it when a command runs: ``--help`` needs neither numpy nor torch.
"""
