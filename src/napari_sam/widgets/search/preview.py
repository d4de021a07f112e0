"""Preview layer of proposals, hatched: kept ones in colours, the others faint."""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache

import numpy as np
from napari.components import ViewerModel
from numpy.typing import NDArray

from napari_sam.session.autofill import Chosen
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
HATCH = 256  # pixels of a plane for each pixel that a hatch line is wide, at least two


class ProposalsPreview:
    """Labels layer that shows kept proposals hatched in colours, and the others faint.

    Nothing of it is written yet, and it does not look as if it were.

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
        shown = colour_of[chosen.labels]
        if faint:
            shown[found.mask & (shown == 0)] = len(COLOURS) + 1
        self._preview.show(hatched(shown, len(COLOURS) + 1), found.plane)
        self.visible = True

    def present(self, on: bool) -> None:
        """Show the layer with what it holds, or hide it for the time being."""
        self._preview.set_visible(on)

    def hide(self) -> None:
        """Take what is shown away."""
        if self.visible:
            self._preview.show(None, ())
            self.visible = False

    def close(self) -> None:
        """Remove the layer."""
        self._preview.close()


def hatched(shown: NDArray[np.uint8], faint: int = 0) -> NDArray[np.uint8]:
    """Return an (H, W) image of colour numbers with its areas hatched inside of their outlines.

    Those of the number `faint` have no outlines: they would be as loud as the others.
    """
    stripes = _stripes(shown.shape, max(2, max(shown.shape) // HATCH))
    outlined = shown * (shown != faint)
    return shown * (edges(outlined, width_of(shown.shape)) | stripes)


@lru_cache(maxsize=1)
def _stripes(shape: tuple[int, int], wide: int) -> NDArray[np.bool_]:
    """Return (H, W) diagonal stripes of this width, and gaps as wide."""
    row = np.arange(shape[1] + 2 * wide) // wide % 2 == 0
    return np.stack([row[r % (2 * wide) :][: shape[1]] for r in range(shape[0])])
