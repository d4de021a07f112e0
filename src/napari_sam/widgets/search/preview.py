"""Preview layer of proposals, hatched: kept ones in colours, the others faint."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from napari.components import ViewerModel
from numpy.typing import NDArray

from napari_sam.planes import Plane
from napari_sam.session.autofill import Chosen
from napari_sam.widgets.common.timers import new_timer
from napari_sam.widgets.layers.image_stack import ImageStack
from napari_sam.widgets.layers.outlines import edges, width_of
from napari_sam.widgets.layers.preview import Preview
from napari_sam.widgets.search.slice_proposals import SliceProposals

__all__ = ["COLOURS", "ProposalsPreview", "hatched"]

COLOURS = (
    *("#ff6b6b", "#4dabf7", "#69db7c", "#ffd43b", "#da77f2", "#ff922b", "#38d9a9"),
    *("#f783ac", "#a9e34b", "#9775fa", "#3bc9db", "#ffc9c9", "#b2f2bb"),
)
FAINT = "#ffffff55"
STRIP = 2**20  # pixels that are drawn at once: more would hold the window up
HATCH = 256  # pixels of a plane for each pixel that a hatch line is wide, at least two


class ProposalsPreview:
    """Labels layer that shows kept proposals hatched in colours, and the others faint.

    Nothing of it is written yet, and it does not look as if it were. A large plane is drawn in
    strips, between which others have their turn; what comes meanwhile is drawn after it.

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
        self._preview = Preview(viewer, picture, "napari-sam found", colours, opacity=0.8)
        self._more = new_timer(0, self._go_on)
        self._drawing: _Drawing | None = None
        self._next: _Drawing | None = None
        self.visible = False

    def show(
        self,
        found: SliceProposals,
        chosen: Chosen | None,
        faint: bool,
        colours: Sequence[int] | None = None,
    ) -> None:
        """Show the kept proposals.

        Parameters
        ----------
        found : SliceProposals
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
        self.visible = True
        self._next = _Drawing(found.plane, chosen.labels, colour_of, found.mask if faint else None)
        if self._drawing is None:
            self._go_on()

    def present(self, on: bool) -> None:
        """Show the layer with what it holds, or hide it for the time being."""
        self._preview.set_visible(on)

    def hide(self) -> None:
        """Take what is shown away."""
        self._stop()
        if self.visible:
            self._preview.show(None, ())
            self.visible = False

    def close(self) -> None:
        """Remove the layer."""
        self._stop()
        self._preview.close()

    def _stop(self) -> None:
        self._more.stop()
        self._drawing = self._next = None

    def _go_on(self) -> None:
        """Draw a strip; show all after the last, also if something newer waits: sliders move on."""
        if self._drawing is None:
            self._drawing, self._next = self._next, None
        if (drawing := self._drawing) is None:
            return
        if drawing.go_on():
            self._preview.show(drawing.drawn, drawing.plane)
            self._drawing = None
        if self._drawing is not None or self._next is not None:
            self._more.start()


class _Drawing:
    """A plane of proposals that is drawn in strips.

    Parameters
    ----------
    plane : Plane
        Which.
    labels : (H, W) int
        The numbers of those that are kept.
    colour_of : (n + 1,) uint8
        The colour of each.
    faint : (H, W) bool or None
        Where the rest is.
    """

    def __init__(
        self,
        plane: Plane,
        labels: NDArray[np.integer],
        colour_of: NDArray[np.uint8],
        faint: NDArray[np.bool_] | None,
    ) -> None:
        self.plane = plane
        self.drawn = np.zeros(labels.shape, np.uint8)
        self._labels, self._colour_of, self._faint = labels, colour_of, faint
        self._row = 0

    def go_on(self) -> bool:
        """Draw some rows; return whether these were the last."""
        height, width = shape = self._labels.shape
        first, margin = self._row, width_of(shape)
        last = self._row = min(height, first + max(1, STRIP // width))
        above, below = max(0, first - margin), min(height, last + margin)
        shown = self._colour_of[self._labels[above:below]]
        if self._faint is not None:
            shown[self._faint[above:below] & (shown == 0)] = len(COLOURS) + 1
        strip = _hatched(shown, len(COLOURS) + 1, shape, above)
        self.drawn[first:last] = strip[first - above : last - above]
        return last == height


def hatched(shown: NDArray[np.uint8], faint: int = 0) -> NDArray[np.uint8]:
    """Return an (H, W) image of colour numbers with its areas hatched inside of their outlines.

    Those of the number `faint` have no outlines: they would be as loud as the others.
    """
    return _hatched(shown, faint, shown.shape, 0)


def _hatched(
    shown: NDArray[np.uint8], faint: int, shape: tuple[int, ...], first: int
) -> NDArray[np.uint8]:
    """Return rows of a plane of this shape, from the first of them on, hatched."""
    wide = max(2, max(shape) // HATCH)
    row = np.arange(shape[1] + 2 * wide) // wide % 2 == 0
    rows = range(first, first + len(shown))
    stripes = np.stack([row[r % (2 * wide) :][: shape[1]] for r in rows])
    outlined = shown * (shown != faint)
    return shown * (edges(outlined, width_of(shape)) | stripes)
