"""Vocabulary of the built-in encoder, from `words.toml`."""

from __future__ import annotations

import tomllib
from dataclasses import dataclass
from functools import cache
from importlib.resources import files

__all__ = ["Vocabulary", "vocabulary"]


@dataclass(frozen=True)
class Vocabulary:
    """Facts about objects, and the phrases that express them.

    Parameters
    ----------
    phrases : dict
        For each fact, such as ``"nucleus"`` or ``"round"``, the phrases that were trained on.
    role : dict
        For each fact its place in a caption: kind, trait, method or origin.
    templates : list of str
        Captions with the places ``{noun}``, ``{method}`` and ``{origin}``.
    sets : dict
        By open data set, the facts that hold for all of its objects.
    background : list of str
        What is said where no object is.
    queries : dict
        For each kind ten phrases that were not trained on, to measure with.
    unknown : list of str
        Words of things that it was not taught.
    """

    phrases: dict[str, list[str]]
    role: dict[str, str]
    templates: list[str]
    sets: dict[str, list[str]]
    background: list[str]
    queries: dict[str, list[str]]
    unknown: list[str]

    @property
    def facts(self) -> list[str]:
        """All facts, in the order of the file."""
        return list(self.phrases)

    def of_role(self, role: str) -> list[str]:
        """Return the facts of one role."""
        return [fact for fact, its in self.role.items() if its == role]

    def known_phrases(self) -> list[str]:
        """Return all phrases for objects, without a caption around them.

        Examples
        --------
        >>> phrases = vocabulary().known_phrases()
        >>> "nuclei" in phrases, "mitochondria" in phrases
        (True, False)
        """
        return [phrase for some in self.phrases.values() for phrase in some]


@cache
def vocabulary() -> Vocabulary:
    """Load the vocabulary that comes with the package."""
    said = tomllib.loads(files(__package__).joinpath("words.toml").read_text("utf-8"))
    facts = said["facts"]
    return Vocabulary(
        phrases={fact: phrases for some in facts.values() for fact, phrases in some.items()},
        role={fact: role for role, some in facts.items() for fact in some},
        **{name: said[name] for name in said if name != "facts"},
    )
