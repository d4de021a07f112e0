"""Writes refined masks to the labels of an annotation."""

from __future__ import annotations

from collections.abc import Sequence

from napari.layers import Labels

from napari_sam.io.label_stores.chunks import holds_any
from napari_sam.session.adopt import adopt
from napari_sam.session.batch import Batch, NewMask
from napari_sam.session.changes import Kind
from napari_sam.session.objects import Origin, Source, Status
from napari_sam.session.overlap import Tally
from napari_sam.widgets.annotation.annotation import Annotation
from napari_sam.widgets.layers.channel_mix import finest
from napari_sam.widgets.refine.refined_slice import RefinedSlice

__all__ = ["RefineWriter"]


class RefineWriter:
    """Writes refined objects of one rough Labels layer, in one or several steps.

    Where the labels are written to that were refined, an object is itself again. In empty labels
    objects keep the numbers of the rough labels, else they get new ones.

    Parameters
    ----------
    annotation : Annotation
        What is written to.
    rough : Labels
        The layer that was refined.

    Attributes
    ----------
    tally : Tally
        What of the last step was left out because of overlaps.
    """

    def __init__(self, annotation: Annotation, rough: Labels) -> None:
        self.tally = Tally()
        self._annotation = annotation
        target = annotation.target
        self._same = rough is target
        full = bool(annotation.session.objects) or (
            target is not None and holds_any(finest(target))
        )
        self._free = self._same or not full

    def write(self, results: Sequence[RefinedSlice]) -> int:
        """Write these objects as one step; return the number of written objects.

        Raises
        ------
        InputError, SessionError
            If the labels or the disk cannot take them.
        """
        annotation, session = self._annotation, self._annotation.session
        ids = {id_ for one in results for id_ in one.found}
        annotation.binding.ensure_target(max(ids))
        if self._same:
            for result in results:
                adopt(session, result.plane, list(result.found))
        keep = {id_ for id_ in ids if self._same or (self._free and id_ not in session.objects)}
        numbers: dict[int, int | None] = {}
        with Batch(session, Kind.REFINED) as batch:
            for result in results:
                best_first = sorted(result.found.items(), key=lambda item: -item[1][0].score)
                chosen = [item for item in best_first if not (self._same and item[1][0].unsure)]
                proposals = [
                    NewMask(
                        one.after,
                        numbers.get(id_, id_ if id_ in keep else None),
                        one.score,
                        Origin(Source.PROMPTED),
                        Status.UNCLEAR if one.unsure else Status.ACCEPTED,
                        draft,
                    )
                    for id_, (one, draft) in chosen
                ]
                taken = batch.add(result.plane, proposals)
                numbers.update(
                    (id_, number)
                    for (id_, _), number in zip(chosen, taken, strict=True)
                    if number is not None
                )
        self.tally = batch.tally
        return len(numbers)
