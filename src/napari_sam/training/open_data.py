"""What we know about the open data sets: which parts are for training only, and why."""

from __future__ import annotations

import tomllib
from dataclasses import dataclass, field
from fnmatch import fnmatch
from functools import cache
from importlib.resources import files
from typing import Any

__all__ = ["Known", "known"]


@dataclass(frozen=True)
class Known:
    """What a data set needs beyond the general rules; nothing by default.

    Parameters
    ----------
    train : list of str
        Patterns of samples that are trained on and never scored.
    blocks : list of [first plane, one past the last]
        Of a single volume: the planes to train on, and those to score on.
    strata : dict
        How a modality in ``manifest.csv`` begins, and the name of that part of the set.
    reason : str
        Why, in a few words.
    """

    train: list[str] = field(default_factory=list)
    blocks: list[tuple[int, int]] = field(default_factory=list)
    strata: dict[str, str] = field(default_factory=dict)
    reason: str = ""

    def only_trained_on(self, sample: str) -> bool:
        """Return whether a sample of the set is never scored."""
        return any(fnmatch(sample, pattern) for pattern in self.train)

    def stratum(self, modality: str) -> str | None:
        """Return the part of the set that a modality belongs to, None for the whole set."""
        names = [name for begin, name in self.strata.items() if modality.startswith(begin)]
        return names[0] if names else None


def known(dataset: str) -> Known:
    """Return what is known of a data set, by the name of its folder.

    Examples
    --------
    >>> known("omnipose_samples").only_trained_on("caulo_15")
    True
    >>> known("my own cells")
    Known(train=[], blocks=[], strata={}, reason='')
    """
    return Known(**_table().get(dataset, {}))


@cache
def _table() -> dict[str, dict[str, Any]]:
    return tomllib.loads(files(__package__).joinpath("open_data.toml").read_text("utf-8"))
