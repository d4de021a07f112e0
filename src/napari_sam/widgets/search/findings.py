"""Proposals of one search: previewed, added to the session, undone."""

from __future__ import annotations

import math
from collections.abc import Callable, Collection, Mapping, Sequence

from napari.components import ViewerModel

from napari_sam.results import Proposal
from napari_sam.session.autofill import Chosen, FillCounts, fill
from napari_sam.session.overlap import Rule
from napari_sam.widgets.annotation.annotation import Annotation
from napari_sam.widgets.search.preview import ProposalsPreview
from napari_sam.widgets.search.settled import last_step, settled_on, settled_state
from napari_sam.widgets.search.slice_proposals import SliceProposals

__all__ = ["NO_MODEL", "Findings"]

UNSEEN = "Show a slice of the picture in the 2D view first."
NO_MODEL = "Choose a model in the tab Prompt first."


class Findings:
    """Holds the proposals of a search until they are in the session.

    Parameters
    ----------
    viewer : ViewerModel
        The viewer.
    annotation : Annotation
        Whose picture is searched.
    rule : callable
        Tells who keeps the pixels where new objects meet older ones.

    Attributes
    ----------
    found : SliceProposals or None
        What was found; None before a search and when it is forgotten.
    rule : callable
        As given.
    offered : bool
        Whether the kept proposals are previewed; not once they are in the session.
    """

    def __init__(
        self, viewer: ViewerModel, annotation: Annotation, rule: Callable[[], Rule]
    ) -> None:
        self.found: SliceProposals | None = None
        self.rule = rule
        self.offered = False
        self._annotation = annotation
        self._preview = ProposalsPreview(viewer, annotation.picture)
        self._settled_by: tuple[object, ...] = ()
        self._step = 0  # number of the session's step that can be taken back

    def close(self) -> None:
        """Discard the proposals, and remove the preview layer."""
        self.forget()
        self._preview.close()

    @property
    def missing(self) -> str:
        """What the search still needs, as text; empty if nothing."""
        seen, picture = self._annotation.seen, self._annotation.picture
        if seen is None:
            return UNSEEN
        if problem := picture.too_large(seen):
            return problem
        return "" if self._annotation.model is not None else NO_MODEL

    @property
    def shape(self) -> tuple[int, int]:
        """(H, W) of the searched slice, else of the one in view."""
        plane = self._annotation.seen if self.found is None else self.found.plane
        if plane is None or self.gone:
            return 1, 1
        return self._annotation.picture.plane_shape(plane)

    @property
    def slices(self) -> int:
        """Number of slices parallel to the searched one."""
        if self.found is None or self.gone:
            return 1
        sizes = zip(self._annotation.picture.shape, self.found.plane, strict=True)
        return math.prod(size for size, at in sizes if at is not None)

    @property
    def gone(self) -> bool:
        """True if the searched slice no longer exists, or has another size."""
        if self.found is None:
            return False
        shape = self.found.mask.shape if self.found.new else None
        return not self._annotation.picture.fits(self.found.plane, shape)

    @property
    def elsewhere(self) -> bool:
        """True if the searched slice is not the one in view."""
        return self.found is not None and self._annotation.seen != self.found.plane

    @property
    def stale(self) -> bool:
        """True if the settled pixels may have changed since the preview was made."""
        if not self._preview.visible:
            return False
        return self._settled_by[:-1] != settled_state(self._annotation, self.rule())

    def begin(self, found: SliceProposals) -> None:
        """Start to collect the proposals of a new search."""
        self.forget()
        self.found = found

    def forget(self) -> None:
        """Discard the proposals; no label changes."""
        self.found = None
        self._settled_by = ()
        self.hide()

    def settle(self, texts: Sequence[str] | None = None) -> None:
        """Update which pixels are settled; `texts` as in `settled_on`."""
        now = (*settled_state(self._annotation, self.rule()), texts)
        if self.found is not None and self._settled_by != now:
            self._settled_by = now
            plane, rule = self.found.plane, self.rule()
            self.found.settle(settled_on(self._annotation, plane, rule, texts))

    def show(
        self, chosen: Chosen | None, faint: bool, colours: Sequence[int] | None = None
    ) -> None:
        """Preview the kept proposals; see `ProposalsPreview.show`."""
        if self.found is not None:
            self.offered = True
            self._preview.show(self.found, chosen, faint, colours)

    def present(self, on: bool) -> None:
        """Show the preview with what it holds, or hide it for the time being."""
        self._preview.present(on)

    def hide(self) -> None:
        """Take the preview away."""
        self.offered = False
        self._preview.hide()

    def put(
        self,
        chosen: Chosen,
        certain: float,
        classes: Mapping[str, Collection[Proposal]] | None = None,
    ) -> FillCounts:
        """Add the kept proposals to the session, as `fill` does.

        Raises
        ------
        NapariSamError
            If the labels or the session do not take it.
        """
        if self.found is None:
            return FillCounts(0, 0)
        self._annotation.binding.ensure_target(len(chosen.kept))
        plane, session = self.found.plane, self._annotation.session
        done = fill(session, plane, chosen, self.rule(), certain, classes)
        self.note(done)
        return done

    def note(self, done: FillCounts) -> None:
        """Store the current step as the one that `take_back` undoes."""
        self._step = done.step

    @property
    def can_take_back(self) -> bool:
        """True while the last step of the session is the one that added the proposals."""
        return last_step(self._annotation.session) == self._step != 0

    def take_back(self) -> None:
        """Undo the step that added the proposals."""
        if self.can_take_back:
            self._annotation.undo()
