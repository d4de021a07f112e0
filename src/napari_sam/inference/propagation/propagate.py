"""Propagate masks through a stack or a time series, slice by slice."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Generator, Mapping
from dataclasses import dataclass, field, replace
from functools import partial
from typing import Any, Protocol

import numpy as np
from numpy.typing import ArrayLike, NDArray

from napari_sam.arrays import Array, ContrastRange, Labels
from napari_sam.errors import InputError
from napari_sam.inference.embedding import Embedding
from napari_sam.inference.overlaps import Rank, RankedMask, left_by_others, resolve_overlaps
from napari_sam.inference.predictor import Predictor
from napari_sam.inference.propagation.anchors import Anchor, Anchors
from napari_sam.inference.propagation.appearance import SliceView, likeness
from napari_sam.inference.propagation.followers import Place, Surroundings, follower_for
from napari_sam.inference.propagation.settings import (
    Carried,
    PropagateSettings,
    Stop,
    leaves,
    why_stop,
    why_unsure,
)
from napari_sam.inference.propagation.verdict import (
    BACKWARD,
    FORWARD,
    Followed,
    Verdict,
    judge_between,
    judge_outside,
)
from napari_sam.inference.stack import Stack
from napari_sam.inference.tiled_embedding import TiledEmbedding
from napari_sam.masks import CroppedMask
from napari_sam.progress import Pause
from napari_sam.prompts import Prompts
from napari_sam.results import End, Step

__all__ = ["Embeddings", "propagate"]

REACH = 3.0  # sizes of a lost object within which it is looked for; only the words depend on it
VIEWS = 3  # of a slice, the one before, and a marked one that a memory is made of


class Embeddings(Protocol):
    """Protocol of a store of embeddings."""

    def get(
        self, predictor: Predictor, image: ArrayLike, contrast: ContrastRange | None
    ) -> Embedding | TiledEmbedding:
        """Return the embedding of an image (H, W) or (H, W, 3); compute it if it is not stored."""


def propagate(
    predictor: Predictor,
    stack: Any,
    seeds: Any,
    settings: PropagateSettings | None = None,
    *,
    contrast: ContrastRange | None = None,
    store: Embeddings | None = None,
    pause: Pause | None = None,
) -> Generator[Step]:
    """Propagate objects from the slices where they are given to all others.

    First forward through the stack, then backward. Outside its anchors an object is followed until
    a check of the settings stops it; between two anchors it is followed from both, and where the
    two masks differ, or one is missing, it is marked unsure. Where they agree the mask is the mean,
    by signed distance, of the two and of one interpolated between the anchors; where one is missing
    that of the other and the interpolated one, which stands alone, with score 0, where both are.
    Closing the generator cancels; what was yielded stands.

    A model with a memory (SAM 2.1) looks at the nearest slice on either side on which the object is
    given, and at the last six that it was followed through. Any other is shown its last mask, and
    so is one with a memory in slices above 2,048 x 2,048 pixels, which are looked at in tiles.

    Where masks overlap, those given come first, then those of prompts, then the better score.

    Parameters
    ----------
    predictor : Predictor
        The model.
    stack : array-like
        (Z, Y, X) or (Z, Y, X, 3), read slice by slice; the first axis may be time.
    seeds : array-like or mapping
        (Z, Y, X) labels, zero where nothing is known; or ``{id: {index: seed}}`` with ids from 1
        and seeds that are `Prompts`, boolean (Y, X) masks, or `ABSENT` where the object is not.
    settings : PropagateSettings, optional
        Directions, limits, and when to stop.
    contrast : (low, high), optional
        Intensities that become black and white; None finds them in the whole stack, by the
        model's rule.
    store : object with a method ``get(predictor, image, contrast)``, optional
        Where embeddings are kept. Without one each slice is embedded when it is reached, twice
        if it lies between anchors, and forgotten.
    pause : callable, optional
        Called between the layers of a memory: it may do other work with this model, or raise an
        exception to stop.

    Yields
    ------
    Step
        A slice as it stands; a later step of the same slice replaces it.

    Raises
    ------
    InputError
        If stack, seeds or settings do not fit each other; before the first step.

    Examples
    --------
    >>> import numpy as np
    >>> import napari_sam as ns
    >>> rows, columns = np.indices((48, 64))
    >>> image = np.where(np.hypot(rows - 20, columns - 30) < 9, 180, 20).astype(np.uint8)
    >>> predictor = ns.Predictor(ns.load_model("cells_tiny"))
    >>> seeds = {1: {0: ns.Prompts(box=(11, 21, 29, 39))}}
    >>> steps = list(ns.propagate(predictor, np.stack([image, image]), seeds))
    >>> [step.index for step in steps], bool(steps[-1].labels[20, 30] == 1)
    ([0, 1], True)
    """
    planes = Stack(stack)
    settings = settings or PropagateSettings()
    first, last = settings.limits(len(planes))
    anchors = Anchors(seeds, len(planes), planes.shape, first, last)
    if contrast is None:
        contrast = planes.contrast(predictor.model.entry.intensity)
    propagation = _Propagation(predictor, planes, anchors, settings, contrast, store, pause)
    return propagation.run(range(first, last + 1))


@dataclass
class _SliceState:
    """What is known of the objects on a slice so far, by id."""

    anchors: dict[int, RankedMask] = field(default_factory=dict)
    sides: dict[int, dict[int, Followed]] = field(default_factory=lambda: defaultdict(dict))
    seen: dict[int, NDArray[np.float32]] = field(default_factory=dict)  # of anchors, for both ways
    settled: dict[int, tuple[dict[int, Followed], Verdict]] = field(default_factory=dict)


@dataclass(eq=False)
class _Propagation:
    """One propagation; holds what the way forward and the way back share."""

    predictor: Predictor
    planes: Stack
    anchors: Anchors
    settings: PropagateSettings
    contrast: ContrastRange
    store: Embeddings | None
    pause: Pause | None
    views: dict[int, SliceView] = field(default_factory=dict)  # the last few that were looked at
    slices: dict[int, _SliceState] = field(default_factory=lambda: defaultdict(_SliceState))
    best: dict[int, float] = field(default_factory=lambda: defaultdict(float))  # predicted IoU
    jumps: set[tuple[int, int]] = field(default_factory=set)  # (id, slice) next to an anchor
    way: int = FORWARD

    def __post_init__(self) -> None:
        ids, only = self.anchors.ids, self.settings.only
        self.followed = [id_ for id_ in ids if only is None or id_ in only]
        if not self.followed:
            raise InputError(f"none of the objects {only} is among the seeds; those are {ids}")
        self.follower = follower_for(
            self.predictor,
            self.settings.prompt,
            Surroundings(self.planes, self.anchors, self._masks, self._view),
            self.pause,
        )

    def run(self, indices: range) -> Generator[Step]:
        yield from self._follow(FORWARD, indices)
        yield from self._follow(BACKWARD, indices[::-1])

    def _follow(self, way: int, indices: range) -> Generator[Step]:
        carried: dict[int, Carried] = {}
        labels: Labels | None = None
        before: SliceView | None = None
        self.way = way
        for index in indices:
            known = self.anchors.at(index)
            placed = self._place(index, known) if way == FORWARD else {}
            coming = {id_: one for id_, one in carried.items() if id_ not in known}
            view = self._view(index)
            answers = self.follower.find(Place(index, way, view, labels), coming, placed)
            for id_, (mask, score) in answers.items():
                if id_ in known:
                    self.slices[index].anchors[id_] = RankedMask(mask, score, Rank.PROMPTED)
                else:
                    followed = self._check(index, id_, mask, score, carried[id_], (before, view))
                    self.slices[index].sides[id_][way] = followed
            labels, carried = self._onward(way, index, carried, view)
            before = view
            given = [i for i in self.followed if i in known] if way == FORWARD else []
            if answers or given or (way == BACKWARD and self._between(index)):
                yield self._step(index, labels)

    def _place(self, index: int, known: Mapping[int, Anchor]) -> dict[int, Prompts]:
        """Put the given masks on a slice and return what is to be predicted there."""
        for id_, anchor in known.items():
            if isinstance(anchor, CroppedMask):
                self.slices[index].anchors[id_] = RankedMask(anchor, float("nan"), Rank.GIVEN)
        return {id_: one for id_, one in known.items() if isinstance(one, Prompts)}

    def _masks(self, index: int) -> dict[int, CroppedMask]:
        """Return the masks that the anchors of a slice have, as far as is known yet."""
        given = {
            i: one for i, one in self.anchors.at(index).items() if isinstance(one, CroppedMask)
        }
        placed = self.slices[index].anchors.items()
        return given | {id_: found.mask for id_, found in placed if found.mask is not None}

    def _view(self, index: int) -> SliceView:
        if index not in self.views:
            if len(self.views) >= VIEWS:
                del self.views[next(iter(self.views))]
            embed = partial(self._embed, index)
            self.views[index] = SliceView(embed, self.predictor.config.stride)
        return self.views[index]

    def _embed(self, index: int) -> Embedding | TiledEmbedding:
        image = self.planes.plane(index)
        if self.store is None:
            return self.predictor.embed(image, self.contrast)
        return self.store.get(self.predictor, image, self.contrast)

    def _check(
        self,
        index: int,
        id_: int,
        mask: CroppedMask | None,
        score: float,
        carried: Carried,
        views: tuple[SliceView | None, SliceView],
    ) -> Followed:
        """Check a mask against what came from the slice before, of which both views are given."""
        before, view = views
        stop = self._why_stop(mask, score, carried, view)
        lost = stop is not None and stop.end is End.GONE
        if stop and lost and before is not None and self._moved(carried, before, view):
            stop = replace(stop, end=End.MOVED)
            if self.anchors.has(id_, index - 1) or self.anchors.has(id_, index + 1):
                self.jumps.add((id_, index))
        if mask is None or stop is not None:
            return Followed(None, score, stop)
        if self._span(id_, index) is None:
            stop = leaves(mask, carried)
        return Followed(mask, score, stop)

    def _moved(self, carried: Carried, before: SliceView, view: SliceView) -> bool:
        """Tell whether what looks like a lost object has come to another place near by."""
        then, box = before.appearance, carried.mask.box
        return view.appearance.gained(then, carried.seen, box, REACH) > self.settings.min_likeness

    def _why_stop(
        self, mask: CroppedMask | None, score: float, carried: Carried, view: SliceView
    ) -> Stop | None:
        alike = likeness(view.appearance.under(carried.mask), carried.seen)
        return why_stop(mask, score, alike, carried, self.settings)

    def _onward(
        self, way: int, index: int, carried: Mapping[int, Carried], view: SliceView
    ) -> tuple[Array, dict[int, Carried]]:
        """Return the labels of a slice and the objects that leave it, each with its own pixels."""
        here = self.slices[index]
        labels = self._labels(index)
        onward = {}
        for id_, found in here.anchors.items():
            mask = left_by_others(found, labels, id_)
            if mask is not None and self._leads_on(way, id_, index):
                if found.rank < Rank.GIVEN:
                    self.best[id_] = max(self.best[id_], found.score)
                if id_ not in here.seen:
                    here.seen[id_] = view.appearance.under(mask)
                seen = here.seen[id_]
                onward[id_] = Carried.start(mask, self.best[id_], seen)
        crowded = False
        for id_, sides in here.sides.items():
            followed = sides.get(way)
            if followed is None or followed.mask is None:
                continue
            mask = left_by_others(RankedMask(followed.mask, followed.score), labels, id_)
            stop = self._why_stop(mask, followed.score, carried[id_], view)
            if stop is not None:
                why = f"{stop.why}, the rest is another object's"
                sides[way] = Followed(None, followed.score, Stop(why, End.TAKEN))
                crowded = True
            elif mask is not None and followed.stop is None:
                self.best[id_] = max(self.best[id_], followed.score)
                seen = view.appearance.under(mask)
                onward[id_] = carried[id_].onward(mask, self.best[id_], seen)
        return self._labels(index) if crowded else labels, onward

    def _leads_on(self, way: int, id_: int, index: int) -> bool:
        """Tell whether to leave an anchor: towards the next one always, else as the user says."""
        if id_ not in self.followed:
            return False
        there = (self.anchors.after if way == FORWARD else self.anchors.before)(id_, index)
        name = "forward" if way == FORWARD else "backward"
        return there is not None or self.settings.direction in ("both", name)

    def _span(self, id_: int, index: int) -> tuple[int, int] | None:
        """Return the anchors around a slice, or None outside of them."""
        before, after = self.anchors.before(id_, index), self.anchors.after(id_, index)
        return None if before is None or after is None else (before, after)

    def _between(self, index: int) -> list[int]:
        """Return the objects that have anchors on both sides of a slice and none on it."""
        return [i for i in self.followed if not self.anchors.has(i, index) and self._span(i, index)]

    def _verdicts(self, index: int) -> dict[int, Verdict]:
        """Judge all objects of a slice."""
        here, settings = self.slices[index], self.settings
        verdicts = {}
        for id_, found in here.anchors.items():
            empty = "its prompts give no mask" if found.mask is None else None
            verdicts[id_] = Verdict(found, empty, why_unsure(found.score, settings))
        for id_ in {*here.sides, *self._between(index)}:
            sides, span = here.sides.get(id_, {}), self._span(id_, index)
            if span is None:
                (followed,) = sides.values()
                verdicts[id_] = judge_outside(followed, settings)
            else:
                verdicts[id_] = self._between_anchors(index, id_, sides, span)
        return verdicts

    def _between_anchors(
        self, index: int, id_: int, sides: Mapping[int, Followed], span: tuple[int, int]
    ) -> Verdict:
        """Judge an object between two anchors; on the way back once, as it takes milliseconds."""
        if self.way == FORWARD:
            return judge_between(sides, index, span, self.settings, self._jumped(id_, span))
        here = self.slices[index]
        before, verdict = here.settled.get(id_, (None, Verdict()))
        if before != sides:
            jumped = self._jumped(id_, span)
            marked = None if jumped else self._marked(id_, span)
            verdict = judge_between(sides, index, span, self.settings, jumped, marked)
            here.settled[id_] = dict(sides), verdict
        return verdict

    def _jumped(self, id_: int, span: tuple[int, int]) -> bool:
        """Tell whether nobody can follow an object from one anchor to the next."""
        if not self.jumps & {(id_, span[1] - 1), (id_, span[0] + 1)}:
            return False
        marked = self._marked(id_, span)
        return marked is None or not marked[0].common(marked[1])

    def _marked(self, id_: int, span: tuple[int, int]) -> tuple[CroppedMask, CroppedMask] | None:
        """Return the masks of two anchors of an object; None if one has none."""
        first, last = (self.slices[at].anchors.get(id_) for at in span)
        if first is None or last is None or first.mask is None or last.mask is None:
            return None
        return first.mask, last.mask

    def _found(self, index: int) -> dict[int, RankedMask]:
        verdicts = self._verdicts(index).items()
        return {id_: verdict.found for id_, verdict in verdicts if verdict.found is not None}

    def _labels(self, index: int) -> Array:
        return resolve_overlaps(self._found(index), self.planes.shape, self.anchors.dtype)

    def _step(self, index: int, labels: Labels) -> Step:
        verdicts = self._verdicts(index)
        found = {i: one.found for i, one in verdicts.items() if one.found is not None}
        return Step(
            index,
            labels,
            {i: one.score for i, one in found.items() if one.rank < Rank.GIVEN},
            {i: one.stopped for i, one in verdicts.items() if one.stopped},
            {i: one.unsure for i, one in verdicts.items() if one.unsure},
            {i: one.end for i, one in verdicts.items() if one.end},
        )
