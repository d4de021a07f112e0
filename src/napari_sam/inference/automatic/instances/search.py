"""Everything in a picture from its maps: instances, and what the mask decoder makes of them."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from napari_sam.arrays import Array
from napari_sam.inference.automatic.instances.from_maps import find_instances
from napari_sam.inference.automatic.instances.instance import Instance
from napari_sam.inference.automatic.instances.prompted import Answer, ask
from napari_sam.inference.automatic.settings import InstanceSettings
from napari_sam.inference.embedding import Embedding
from napari_sam.inference.object_maps import LevelMaps, predict_maps
from napari_sam.masks import CroppedMask, slices
from napari_sam.model.instances.head import rating_of
from napari_sam.model.sam import Sam
from napari_sam.progress import Pause, Progress
from napari_sam.results import Proposal, SearchResult

__all__ = ["Dense", "search_instances"]

AGREES = 0.5  # IoU of an instance with the decoder's answer from which the answer is taken
FREE = 0.5  # share of a mask that better ones must leave to it


@dataclass(eq=False)
class Dense:
    """What is known of a picture: its maps, and what the mask decoder said of each instance.

    With it other thresholds need no run of the encoder, and of the decoder for new instances only.

    Parameters
    ----------
    levels : tuple of LevelMaps
    answers : dict
        By the mask of the instance; None where the decoder gave an empty one.
    """

    levels: tuple[LevelMaps, ...] = ()
    answers: dict[CroppedMask, Answer | None] = field(default_factory=dict)


def search_instances(
    model: Sam,
    image: Array,
    embed: Callable[[], Embedding],
    settings: InstanceSettings,
    *,
    where: NDArray[np.bool_] | None = None,
    known: Dense | None = None,
    pause: Pause | None = None,
) -> Iterator[Progress[SearchResult]]:
    """Find the instances of a validated image; yield as `iter_proposals` does.

    Parameters
    ----------
    model : Sam
        With an instance decoder.
    image : (H, W) or (H, W, 3) ndarray
        Whose pixels are measured.
    embed : callable
        Returns the embedding of the image; called only if it is needed.
    settings : InstanceSettings
    where : (H, W) bool, optional
        Instances whose deepest place lies elsewhere are left out.
    known : Dense, optional
        Of an earlier search of the same picture; what this one learns is added to it.
    pause : callable, optional
        As in `iter_proposals`.
    """
    known = known if known is not None else Dense()
    if not known.levels:
        known.levels = predict_maps(model, embed(), pause)
    rating = rating_of(model.instance_decoder)
    instances = find_instances(known.levels, settings, rating)
    if where is not None:
        instances = [one for one in instances if where[_pixel(one.point, where.shape)]]
    grey = image if image.ndim == 2 else image.mean(axis=2, dtype=np.float32)
    if not settings.refine:
        found = [_proposal(one, None, grey) for one in instances]
        yield Progress(1, 1, SearchResult(found, found))
        return
    new = [one for one in instances if one.cropped not in known.answers]
    done, total = len(instances) - len(new), len(instances)
    if new:
        for asked, some in ask(model, embed(), new):
            known.answers.update(some)
            done += asked
            refined = [one for one in new if one.cropped in some]
            made = [_proposal(one, some[one.cropped], grey) for one in refined]
            yield Progress(done, total, SearchResult(made))
            if pause is not None:
                pause()
    every = [_proposal(one, known.answers[one.cropped], grey) for one in instances]
    yield Progress(total, total, SearchResult([], _distinct(every, settings)))


def _pixel(point: tuple[float, float], shape: tuple[int, ...]) -> tuple[int, int]:
    row, column = (min(max(0, round(x)), side - 1) for x, side in zip(point, shape, strict=True))
    return row, column


def _proposal(one: Instance, answer: Answer | None, grey: Array) -> Proposal:
    """Return a proposal of the decoder's mask where it agrees with the instance, else of that."""
    cropped, score, stability = one.cropped, one.quality, one.quality
    if answer is not None and answer.cropped.iou(one.cropped) >= AGREES:
        cropped, score, stability = answer.cropped, answer.score, answer.stability
    return Proposal.of(
        cropped.crop(),
        grey,
        score=score,
        stability=stability,
        point=one.point,
        corner=cropped.corner,
    )


def _distinct(proposals: Sequence[Proposal], settings: InstanceSettings) -> list[Proposal]:
    """Return those of which better ones leave more than half, and whose size fits, best first."""
    taken = np.zeros(proposals[0].shape, bool) if proposals else np.zeros((0, 0), bool)
    kept = []
    for one in sorted(proposals, key=lambda one: -one.score):
        there, mask = taken[slices(one.cropped.box)], one.patch
        if settings.fits(one.area) and np.count_nonzero(mask & ~there) > FREE * one.area:
            there |= mask
            kept.append(one)
    return kept
