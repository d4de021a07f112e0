"""The argument `--text` of `napari-sam segment`: keep what fits the words, and say what is what."""

from __future__ import annotations

import argparse
import sys
from typing import TYPE_CHECKING

from napari_sam.errors import InputError

if TYPE_CHECKING:
    from napari_sam.batch.words import Words

__all__ = ["add_words", "wanted"]


def add_words(parser: argparse.ArgumentParser) -> None:
    """Add the arguments."""
    words = parser.add_argument_group("words", "keep only what they fit; see docs/text.md")
    words.add_argument(
        "--text", action="append", metavar="WORDS",
        help='what to find, such as "bright round nuclei"; more than once for several classes',
    )  # fmt: skip
    words.add_argument(
        "--similarity", type=float, metavar="S",
        help="how well an object has to fit, 0 to 1 (default: as the encoder says)",
    )  # fmt: skip
    words.add_argument(
        "--top", type=int, metavar="N", help="of each slice the N objects of a class that fit best"
    )
    words.add_argument(
        "--semantic", action="store_true",
        help="one area of everything that fits: labels hold numbers of classes, from 1",
    )  # fmt: skip
    words.add_argument(
        "--encoder", metavar="NAME",
        help="who knows words: words_tiny (the default), or a model such as CLIP that is here",
    )  # fmt: skip


def wanted(chosen: argparse.Namespace) -> Words | None:
    """Return what is asked for in words; None without `--text`. Unknown words are told.

    Raises
    ------
    InputError
        If arguments do not fit each other, a text is empty, or the encoder is not here.
    """
    if chosen.text is None:
        given = [name for name in ("similarity", "top", "semantic", "encoder") if _is(chosen, name)]
        if given:
            raise InputError(f"--{given[0]} needs --text: say in words what to find")
        return None
    from napari_sam.batch.words import Words, reader_of
    from napari_sam.text import BUILT_IN
    from napari_sam.text.ranking import check_words

    check_words(chosen.text)
    if len(set(chosen.text)) < len(chosen.text):
        raise InputError(f"each --text is a class of its own; got {chosen.text}")
    if chosen.semantic and (chosen.similarity is not None or chosen.top is not None):
        raise InputError("--semantic finds areas, and --similarity and --top are of objects")
    if chosen.top is not None and chosen.top < 1:
        raise InputError(f"--top must be at least 1; got {chosen.top}")
    encoder = chosen.encoder or BUILT_IN
    for remark in reader_of(encoder).remarks(chosen.text).values():
        print(f"warning: {remark}", file=sys.stderr)
    return Words(tuple(chosen.text), chosen.similarity, chosen.top, chosen.semantic, encoder)


def _is(chosen: argparse.Namespace, name: str) -> bool:
    return getattr(chosen, name) not in (None, False)
