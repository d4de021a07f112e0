"""The argument `--text` of `napari-sam segment`: keep what fits the words, and say what is what."""

from __future__ import annotations

import argparse
import sys
from collections import Counter
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from napari_sam.errors import InputError

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from napari_sam.inference.segmenter import Segmenter
    from napari_sam.results import Proposal
    from napari_sam.text.reader import Reader

__all__ = ["Wanted", "add_words", "wanted"]


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


def wanted(chosen: argparse.Namespace) -> Wanted | None:
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
    from napari_sam.text.load import BUILT_IN, load_encoder
    from napari_sam.text.ranking import check_words
    from napari_sam.text.reader import Reader

    check_words(chosen.text)
    if len(set(chosen.text)) < len(chosen.text):
        raise InputError(f"each --text is a class of its own; got {chosen.text}")
    if chosen.semantic and (chosen.similarity is not None or chosen.top is not None):
        raise InputError("--semantic finds areas, and --similarity and --top are of objects")
    if chosen.top is not None and chosen.top < 1:
        raise InputError(f"--top must be at least 1; got {chosen.top}")
    reader = Reader(lambda: load_encoder(chosen.encoder or BUILT_IN))
    for remark in reader.remarks(chosen.text).values():
        print(f"warning: {remark}", file=sys.stderr)
    return Wanted(reader, chosen.text, chosen.similarity, chosen.top, chosen.semantic)


class Wanted:
    """What is asked for in words, and what was found of it in one file.

    Attributes
    ----------
    words : sequence of str
        A text for each class.
    semantic : bool
        Whether labels hold classes, not objects.
    """

    def __init__(
        self,
        reader: Reader,
        words: Sequence[str],
        least: float | None,
        most: int | None,
        semantic: bool,
    ) -> None:
        self.words, self.semantic = words, semantic
        self._reader, self._least, self._most = reader, least, most
        self._kind_of: dict[Proposal, int] = {}  # of the slice that was searched last
        self._pixels: Counter[tuple[int, int]] = Counter()  # of each label of each class

    def keep(self, image: NDArray[Any], found: Sequence[Proposal], contrast: Any) -> list[Proposal]:
        """Return what fits."""
        seen = self._reader.look(image, found, contrast, _go_on)
        ranked = self._reader.compare(seen, self.words)
        self._kind_of = {
            ranked.proposals[i]: kind for i, kind in ranked.chosen(self._least, self._most)
        }
        return list(self._kind_of)

    def map(self, segmenter: Segmenter, image: NDArray[Any], contrast: Any) -> NDArray[np.int32]:
        """Return a class for each pixel (H, W), 0 where nothing fits."""
        import numpy as np

        classes = np.zeros(image.shape[:2], np.int32)
        for one, kind in self._reader.areas(segmenter, image, self.words, contrast, _go_on):
            classes[one.box][one.patch] = kind + 1
        return classes

    def kinds(self, kept: Sequence[Proposal]) -> NDArray[np.int32]:
        """Return the classes of labels of the last slice: 0, then those of these objects."""
        import numpy as np

        return np.array([0, *(self._kind_of[one] + 1 for one in kept)], np.int32)

    def note(self, labels: NDArray[Any], kinds: NDArray[np.int32]) -> None:
        """Take note of the class (H, W) at each label (H, W) of a slice."""
        import numpy as np

        there = labels > 0
        pairs, pixels = np.unique(
            np.stack([labels[there], kinds[there]]), axis=1, return_counts=True
        )
        for (label, kind), count in zip(pairs.T.tolist(), pixels.tolist(), strict=True):
            self._pixels[label, kind] += count

    def report(self) -> dict[int, str]:
        """Return the words of each label, those of most of its pixels, and begin afresh."""
        words: dict[int, str] = {}
        for (label, kind), _ in self._pixels.most_common():
            words.setdefault(label, self.words[kind - 1])
        self._pixels.clear()
        return dict(sorted(words.items()))


def _go_on() -> None:
    """Nothing waits for a command."""


def _is(chosen: argparse.Namespace, name: str) -> bool:
    return getattr(chosen, name) not in (None, False)
