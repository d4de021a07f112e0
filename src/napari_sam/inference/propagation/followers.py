"""Followers: how a model finds on the next slice what it had on the last ones."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from itertools import groupby
from operator import itemgetter
from typing import Protocol

import torch
from torch import Tensor
from torch.nn import functional as F

from napari_sam.arrays import Labels
from napari_sam.inference.embedding import Embedding, map_features
from napari_sam.inference.mask_prompts import PromptRule, prompts_from
from napari_sam.inference.predictor import Predictor
from napari_sam.inference.propagation.anchors import Anchors
from napari_sam.inference.propagation.appearance import SliceView
from napari_sam.inference.propagation.settings import Carried
from napari_sam.inference.propagation.verdict import BACKWARD
from napari_sam.inference.pyramid import is_large
from napari_sam.inference.stack import Stack
from napari_sam.inference.windows import View
from napari_sam.masks import CroppedMask
from napari_sam.model.sam import Features
from napari_sam.model.sam2.sam2 import Sam2
from napari_sam.model.sam2.tracker import Tracker
from napari_sam.progress import Pause
from napari_sam.prompts import Prompts

__all__ = [
    "Follower",
    "Found",
    "MemoryFollower",
    "Place",
    "PromptFollower",
    "Surroundings",
    "follower_for",
    "in_frame",
]

Found = tuple[CroppedMask | None, float]
"""The mask of an object on a slice, None if there is none, and its predicted IoU."""


@dataclass(frozen=True, eq=False)
class Place:
    """A slice on the way through a stack.

    Parameters
    ----------
    index : int
        The slice.
    way : int
        `FORWARD` or `BACKWARD`.
    view : SliceView
        How the model sees it.
    before : (Y, X) int or None
        Labels of the slice before.
    """

    index: int
    way: int
    view: SliceView
    before: Labels | None


@dataclass(frozen=True, eq=False)
class Surroundings:
    """What a follower may ask about other slices.

    Parameters
    ----------
    stack : Stack
        All slices.
    anchors : Anchors
        Where objects are given.
    masks : callable
        Returns the masks that the anchors of a slice have, by object.
    view : callable
        Returns how the model sees a slice.
    """

    stack: Stack
    anchors: Anchors
    masks: Callable[[int], Mapping[int, CroppedMask]]
    view: Callable[[int], SliceView]


class Follower(Protocol):
    """Protocol of a way to find objects on the next slice; called for every slice on the way."""

    def find(
        self, place: Place, coming: Mapping[int, Carried], placed: Mapping[int, Prompts]
    ) -> dict[int, Found]:
        """Return what is found of objects on a slice.

        Parameters
        ----------
        place : Place
            The slice.
        coming : dict of int to Carried
            Objects that come from the slice before.
        placed : dict of int to Prompts
            Objects that somebody points at here.
        """


def follower_for(
    predictor: Predictor, rule: PromptRule, around: Surroundings, pause: Pause | None
) -> Follower:
    """Return how this model follows objects: with its memory, if it has one.

    Large slices are looked at tile by tile, of which no memory can be made.
    """
    if isinstance(predictor.model, Sam2) and not is_large(around.stack.shape):
        return MemoryFollower(predictor, predictor.model, around, pause)
    return PromptFollower(predictor, rule)


@dataclass(frozen=True, eq=False)
class PromptFollower:
    """Follower that shows the model the last mask, or its box.

    Parameters
    ----------
    predictor : Predictor
        The model.
    rule : PromptRule
        What of the last mask becomes the prompt.
    """

    predictor: Predictor
    rule: PromptRule

    def find(
        self, place: Place, coming: Mapping[int, Carried], placed: Mapping[int, Prompts]
    ) -> dict[int, Found]:
        """Return what is found of objects on a slice, all in one batch."""
        prompts = {
            id_: prompts_from(one.mask, self.rule, place.before, id_) for id_, one in coming.items()
        }
        return _ask(self.predictor, place.view, prompts | dict(placed))


@dataclass(eq=False)
class MemoryFollower:
    """Follower that lets the model look at what it remembers of an object.

    That is the nearest anchor on either side, and the last slices on the way from the one where it
    comes from: an anchor that changes changes nothing beyond its neighbours. Objects know nothing
    of each other, and the memory of one does not grow with the stack.

    Parameters
    ----------
    predictor : Predictor
        With the model.
    model : Sam2
        The model.
    around : Surroundings
        The other slices.
    pause : callable, optional
        Called between the layers of the memory attention.
    """

    predictor: Predictor
    model: Sam2
    around: Surroundings
    pause: Pause | None
    _last: tuple[int, Features] | None = field(default=None, init=False)

    def __post_init__(self) -> None:
        """Begin with an empty memory."""
        self._tracker = Tracker(self.model, self._features, len(self.around.stack))

    def find(
        self, place: Place, coming: Mapping[int, Carried], placed: Mapping[int, Prompts]
    ) -> dict[int, Found]:
        """Return what is found of objects on a slice, one after the other."""
        tracker = self._tracker
        for id_ in set(tracker.banks) - set(coming):  # it ended, or begins anew at an anchor
            tracker.remove(id_)
        found = _ask(self.predictor, place.view, placed)
        if not coming:
            return found
        self._remember(place, coming)
        assert isinstance(place.view.embedding, Embedding)
        view = View(place.view.embedding, self.model.config, (0, 0, 0))
        with self.predictor.pausing(self.pause, self.model.memory_attention.layers):
            for id_ in coming:
                answer = tracker.step(id_, place.index, place.way == BACKWARD)
                tracker.banks[id_].trim(place.index)
                mask = view.masks(answer.logits[0].float())[0]
                found[id_] = CroppedMask.of(mask), float(answer.iou)
        return found

    def _remember(self, place: Place, coming: Mapping[int, Carried]) -> None:
        """Remember the anchors around, of objects that have just left one."""
        anchors, banks = self.around.anchors, self._tracker.banks
        new = sorted(
            (at, id_)
            for id_ in coming
            if id_ not in banks
            for at in (anchors.before(id_, place.index), anchors.after(id_, place.index))
            if at is not None
        )
        for at, some in groupby(new, key=itemgetter(0)):  # each slice is embedded once
            known = self.around.masks(at)
            for _, id_ in some:
                if id_ in known:
                    mask = in_frame(known[id_], self.model.config.frame)
                    self._tracker.prompt_mask(id_, at, mask.to(self.model.no_mem_embed))
                    self._tracker.settle(id_)

    def _features(self, index: int) -> Features:
        """Return the features of a slice as the model computes with them, not as they are kept."""
        if self._last is None or self._last[0] != index:
            embedding = self.around.view(index).embedding
            assert isinstance(embedding, Embedding)
            like = self.model.no_mem_embed
            self._last = index, map_features(lambda x: x.to(like), embedding.levels[0].features)
        return self._last[1]


def in_frame(mask: CroppedMask, frame: int) -> Tensor:
    """Return a mask as zeros and ones in a square frame, (1, 1, frame, frame) float32.

    Of what is thinner than a pixel of the frame something stays.

    Examples
    --------
    >>> import numpy as np
    >>> line = CroppedMask.of(np.eye(1, 50, 7, dtype=bool).repeat(50, axis=0))
    >>> int(in_frame(line, 8).sum())
    8
    """
    full = torch.from_numpy(mask.full())[None, None].float()
    soft = F.interpolate(full, [frame, frame], mode="bilinear", antialias=True)
    return (soft >= min(0.5, float(soft.max()) / 2)).float()


def _ask(predictor: Predictor, view: SliceView, prompts: Mapping[int, Prompts]) -> dict[int, Found]:
    """Return what the model answers to prompts on a slice, in one batch."""
    if not prompts:
        return {}
    results = predictor.predict_batch(view.embedding, list(prompts.values()))
    return {
        id_: (CroppedMask.of(result.masks[0]), float(result.scores[0]))
        for id_, result in zip(prompts, results, strict=True)
    }
