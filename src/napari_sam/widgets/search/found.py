"""What was found on a plane, beside what is settled there, and how it is shown."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from napari.components import ViewerModel
from numpy.typing import NDArray

from napari_sam.inference.automatic.selection import Selection
from napari_sam.inference.automatic.settings import GridSettings
from napari_sam.planes import Plane
from napari_sam.results import Proposal
from napari_sam.session.autofill import Chosen, choose, in_what_is_left
from napari_sam.widgets.layers.image_stack import ImageStack
from napari_sam.widgets.layers.preview import Preview

__all__ = ["Found", "FoundPreview"]

INSIDE = 0.5  # share of an object that has to lie in the drawn shapes
COLOURS = (
    *("#ff6b6b", "#4dabf7", "#69db7c", "#ffd43b", "#da77f2", "#ff922b", "#38d9a9"),
    *("#f783ac", "#a9e34b", "#9775fa", "#3bc9db", "#ffc9c9", "#b2f2bb"),
)
FAINT = "#ffffff55"


class Found:
    """All proposals of one run.

    Parameters
    ----------
    plane : Plane
        Where.
    grid : GridSettings
        How it was searched.
    region : (H, W) bool, optional
        Where objects were wanted.
    areas : bool
        Whether these are areas of many objects, of which what is settled is only cut out.

    Attributes
    ----------
    left : list of Proposal
        Those that are not settled; another list after each change.
    anywhere : (H, W) bool
        Where any of them lies.
    known : int
        How many are settled.
    plane, grid, region
        As given.
    """

    def __init__(
        self,
        plane: Plane,
        grid: GridSettings,
        region: NDArray[np.bool_] | None = None,
        areas: bool = False,
    ) -> None:
        self.plane = plane
        self.grid = grid
        self.left: list[Proposal] = []
        self.anywhere = np.zeros((1, 1), bool)
        self.known = 0
        self.region = region
        self._areas = areas
        self._all: list[Proposal] = []
        self._held: NDArray[np.int64] | None = None

    def take(self, found: Sequence[Proposal]) -> None:
        """Take all that was found so far, in place of what was there."""
        self._all = [one for one in found if self._is_wanted(one)]
        self._sort_out()

    def settle(self, held: NDArray[np.int64]) -> None:
        """Take note of what is settled by now; see `napari_sam.session.autofill.settled`."""
        self._held = held
        self._sort_out()

    def chosen(
        self, selection: Selection, among: Sequence[Proposal] | None = None
    ) -> Chosen | None:
        """Return what a selection keeps of what is not settled; None if there is nothing.

        `among`: of these of them only.
        """
        of = self.left if among is None else among
        return choose(of, selection, self._held) if self.left else None

    def _sort_out(self) -> None:
        held = self._held
        if held is None or self._areas:
            self.left = list(self._all)
        else:
            self.left = in_what_is_left(self._all, held)
        self.anywhere = np.zeros(self.left[0].shape if self.left else (1, 1), bool)
        for one in self.left:
            self.anywhere[one.box] |= one.patch
        self.known = len(self._all) - len(self.left)

    def _is_wanted(self, one: Proposal) -> bool:
        region = self.region
        return region is None or bool(
            np.count_nonzero(region[one.box][one.patch]) >= INSIDE * one.area
        )


class FoundPreview:
    """Shows what is kept in colours, and the rest faintly.

    Parameters
    ----------
    viewer : ViewerModel
        Where.
    picture : ImageStack
        Over what.

    Attributes
    ----------
    visible : bool
        Whether anything is shown.
    """

    def __init__(self, viewer: ViewerModel, picture: ImageStack) -> None:
        colours = (*COLOURS, FAINT)
        self._preview = Preview(viewer, picture, "napari-sam found", colours, opacity=0.6)
        self.visible = False

    def show(
        self,
        found: Found,
        chosen: Chosen | None,
        faint: bool,
        colours: Sequence[int] | None = None,
    ) -> None:
        """Show what is kept.

        Parameters
        ----------
        found : Found
            All that was found.
        chosen : Chosen or None
            What is kept of it.
        faint : bool
            Whether the rest is shown, too.
        colours : sequence of int, optional
            Place in `COLOURS` of each that is kept; None: of neighbours different ones.
        """
        if chosen is None:
            self.hide()
            return
        places = np.arange(len(chosen.kept)) if colours is None else np.array(colours, np.int64)
        colour_of = np.concatenate([[0], places % len(COLOURS) + 1]).astype(np.uint8)
        shown = colour_of[chosen.labels]
        if faint:
            shown[found.anywhere & (shown == 0)] = len(COLOURS) + 1
        self._preview.show(shown, found.plane)
        self.visible = True

    def hide(self) -> None:
        """Show nothing."""
        if self.visible:
            self._preview.show(None, ())
            self.visible = False

    def close(self) -> None:
        """Take the layer away."""
        self._preview.close()
