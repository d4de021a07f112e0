"""Messages of the tab Text."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape

from napari_sam.results import Proposal
from napari_sam.text.vocabulary import vocabulary
from napari_sam.widgets.common.wording import count
from napari_sam.widgets.search.preview import COLOURS
from napari_sam.widgets.search.wording import ELSEWHERE, known_again

__all__ = [
    "COMPARING",
    "NO_PICTURE",
    "NO_WORDS",
    "found_areas",
    "found_objects",
    "known_words",
    "legend",
    "ready",
]

KNOWN = {"What": "kind", "How it looks": "trait", "How it was taken": "method", "Where": "origin"}
NO_PICTURE = "Choose a picture in the tab Prompt; then say here what to find in it."
NO_WORDS = "Say what to find; commas between several kinds. Each kind becomes a class."
COMPARING = "Comparing with your words… (the first time it takes some seconds longer)"


def ready(whole: bool) -> str:
    """Return the message on what the search button does."""
    if whole:
        return "Ready: one area of each kind; objects in it are not told apart."
    return (
        "Ready: everything in the slice is found, as the tab Auto is set, and compared with your "
        "words. Other words afterwards are a matter of moments."
    )


def found_objects(kept: int, new: int, known: int, best: float, elsewhere: bool) -> str:
    """Return the message for `kept` objects out of `new` ones that pass the similarity filter.

    The best similarity is `best`; `known` settled objects were found again; `elsewhere`: they lie
    on another slice than the one in view.

    Examples
    --------
    >>> found_objects(0, 8, 0, 0.31, False)
    'None of 8 objects fits so well; the best one has 0.31. Lower the similarity to see it.'
    """
    again = known_again(known)
    if not new:
        text = "Nothing new was found to compare. Search more densely in the tab Auto."
    elif not kept:
        text = (
            f"None of {count(new)} fits so well; the best one has {best:.2f}. Lower the similarity "
            "to see it."
        )
    else:
        text = (
            f"{kept:,} of {count(new)} fit. Move the slider until they are right, then put them "
            "into the list, or accept all."
        )
    return text + again + (ELSEWHERE if elsewhere else "")


def legend(texts: Sequence[str], kept: Sequence[Sequence[Proposal]], areas: bool) -> str:
    """Return the legend as rich text: per class the number of objects, or an area's quality."""
    lines = []
    for number, (text, some) in enumerate(zip(texts, kept, strict=True)):
        said = f"{len(some):,}"
        if areas:
            said = f"quality {some[0].score:.2f}" if some else "nothing"
        colour = COLOURS[number % len(COLOURS)]
        lines.append(f'<span style="color: {colour}">■</span> {escape(text)}: <b>{said}</b>')
    return "<br>".join(lines)


def found_areas(areas: int, elsewhere: bool) -> str:
    """Return the message for this many areas."""
    if not areas:
        return "Nothing in the slice fits these words."
    text = (
        f"{count(areas, 'area')} found. Put it into the list, or accept all. For labels with a "
        "number per class see Options in the tab Prompt."
    )
    return text + (ELSEWHERE if elsewhere else "")


def known_words() -> str:
    """Return the vocabulary of the built-in text encoder, as rich text."""
    said = vocabulary()
    lines = [
        f"<b>{title}</b>: " + ", ".join(said.phrases[fact][0] for fact in said.of_role(role))
        for title, role in KNOWN.items()
    ]
    return "<br>".join([*lines, "and what means the same."])
