"""Preview layer of proposals: kept ones in colours, the others faint."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from napari.components import ViewerModel

from napari_sam.session.autofill import Chosen
from napari_sam.widgets.layers.image_stack import ImageStack
from napari_sam.widgets.layers.preview import Preview
from napari_sam.widgets.search.slice_proposals import SliceProposals

__all__ = ["COLOURS", "ProposalsPreview"]

COLOURS = (
    *("#ff6b6b", "#4dabf7", "#69db7c", "#ffd43b", "#da77f2", "#ff922b", "#38d9a9"),
    *("#f783ac", "#a9e34b", "#9775fa", "#3bc9db", "#ffc9c9", "#b2f2bb"),
)
FAINT = "#ffffff55"


class ProposalsPreview:
    """Labels layer that shows kept proposals in colours, and the others faint.

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
        self._preview.show(shown, found.plane)
        self.visible = True

    def hide(self) -> None:
        """Hide the layer."""
        if self.visible:
            self._preview.show(None, ())
            self.visible = False

    def close(self) -> None:
        """Remove the layer."""
        self._preview.close()
