"""Messages shared by the tabs Auto and Text."""

from __future__ import annotations

from napari_sam.inference.automatic.tiles import Tiling
from napari_sam.progress import Progress
from napari_sam.results import Proposal
from napari_sam.session.autofill import FillCounts
from napari_sam.widgets.common.keys import KEYS
from napari_sam.widgets.common.wording import count, time_left

__all__ = ["CANCELLED", "ELSEWHERE", "filled", "known_again", "progress_text"]

CANCELLED = "you cancelled it"
ELSEWHERE = " They are on another slice than the one in view."


def progress_text(
    progress: Progress[list[Proposal]], shape: tuple[int, int], asked: str = "point"
) -> str:
    """Return the progress message of a search of a plane (H, W); `asked`: about what."""
    found = f"{len(progress.result):,} found{time_left(progress)}"
    if Tiling().cuts(shape):
        return f"Tile {progress.done:,} of {progress.total:,} searched, {found}"
    return f"{progress.done:,} of {count(progress.total, asked)} asked, {found}"


def known_again(known: int) -> str:
    """Return the message on settled objects that were found again; empty for none.

    Examples
    --------
    >>> known_again(1), known_again(2), known_again(0)
    (' 1 object found again is left out.', ' 2 objects found again are left out.', '')
    """
    verb = "is" if known == 1 else "are"
    return f" {count(known)} found again {verb} left out." if known else ""


def filled(done: FillCounts) -> str:
    """Return the message on what was added to the session, and the next step."""
    said = [f"{count(done.accepted)} accepted."] if done.accepted or not done.waiting else []
    if done.waiting:
        said.append(
            f"{count(done.waiting)} to look at, most useful first: {KEYS['next_unsure']} goes to "
            f"the next, {KEYS['accept_slice']} accepts it. Then click in the tab Prompt on what is "
            "missing, or find again in what is left."
        )
    else:
        said.append("Click in the tab Prompt on what is missing, or find again in what is left.")
    if done.covered:
        what = "lies" if done.covered == 1 else "lie"
        said.append(f"{count(done.covered)} left out: more than half {what} on what is there.")
    if done.thin:
        said.append(f"{count(done.thin, 'pixel')} between objects left out: too thin.")
    return " ".join(said)
