"""Subcommands of `napari-sam`, a module each: arguments, run and report.

They may use the helpers of `napari_sam.cli` and, when they run, every other package; at module
level they load neither numpy nor torch nor Qt.
"""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    Commands = argparse._SubParsersAction[argparse.ArgumentParser]
