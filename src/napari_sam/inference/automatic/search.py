"""Automatic mask generation at many points (Kirillov et al. 2023, section 4)."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from napari_sam.arrays import Array, ContrastRange, plain
from napari_sam.errors import InputError
from napari_sam.inference.automatic.instances.search import Dense, search_instances
from napari_sam.inference.automatic.nms import nms
from napari_sam.inference.automatic.points import SeedRound, crops, points_inside, seed_schedule
from napari_sam.inference.automatic.proposals import ProposalMaker
from napari_sam.inference.automatic.settings import (
    GridSettings,
    InstanceSettings,
    SearchSettings,
    best_settings,
)
from napari_sam.inference.automatic.sweep import Thresholds, sweep
from napari_sam.inference.image import check_image, contrast_range
from napari_sam.inference.predictor import Embedding, Predictor
from napari_sam.inference.windows import View, Window
from napari_sam.masks import Box, slices
from napari_sam.model.config import SamConfig
from napari_sam.model.sam import Sam
from napari_sam.progress import Pause, Progress
from napari_sam.results import Proposal, SearchResult

if TYPE_CHECKING:
    from napari_sam.inference.store.store import EmbeddingStore


__all__ = [
    "PointWindow",
    "deduplicate",
    "default_settings",
    "iter_proposals",
    "point_windows",
    "propose_grid",
    "search",
]


def propose_grid(
    predictor: Predictor,
    image: ArrayLike,
    settings: GridSettings | None = None,
    *,
    seeds: ArrayLike | None = None,
    contrast: ContrastRange | None = None,
    store: EmbeddingStore | None = None,
) -> list[Proposal]:
    """Segment everything in an image automatically; return the proposals, best first.

    `napari_sam.inference.automatic.search.iter_proposals` does the same a few points at a time.

    Parameters
    ----------
    predictor : Predictor
        What looks.
    image : (H, W), (H, W, 3) or (H, W, 4) array-like
        The picture.
    settings : GridSettings, optional
        How it is searched.
    seeds : (N, 2) array-like, optional
        Points (row, column) in place of those of the settings; crops are not searched then, and
        our own model looks at each on every scale.
    contrast : (low, high), optional
        Intensities that become black and white, in crops, too; None takes the model's own rule.
    store : EmbeddingStore, optional
        Where the embedding of the picture comes from and goes to.

    Returns
    -------
    list of Proposal
        Masks of single objects, which may overlap, with their scores.

    Raises
    ------
    InputError
        If this is no picture, or a seed is no point of it.
    DeviceError
        If the device has no memory for it.

    Examples
    --------
    >>> import numpy as np
    >>> import napari_sam as ns
    >>> rows, columns = np.indices((48, 64))
    >>> image = np.where(np.hypot(rows - 20, columns - 30) < 9, 180, 20).astype(np.uint8)
    >>> predictor = ns.Predictor(ns.load_model("cells_tiny"))
    >>> found = ns.propose_grid(predictor, image, ns.GridSettings(seeds="distance"))
    >>> labels = ns.proposals_to_labels(found, shape=image.shape)
    >>> bool(labels[20, 30] > 0), int(labels[0, 0])
    (True, 0)
    """
    kept: list[Proposal] = []
    steps = iter_proposals(predictor, image, settings, seeds=seeds, contrast=contrast, store=store)
    for step in steps:
        kept = step.result.kept or kept
    return kept


def propose_instances(
    predictor: Predictor,
    image: ArrayLike,
    settings: InstanceSettings | None = None,
    *,
    contrast: ContrastRange | None = None,
    store: EmbeddingStore | None = None,
) -> list[Proposal]:
    """Segment everything in an image from the maps of its instance decoder, best first.

    Parameters
    ----------
    predictor : Predictor
        What looks; its model needs an instance decoder.
    image : (H, W), (H, W, 3) or (H, W, 4) array-like
        The picture.
    settings : InstanceSettings, optional
        How instances are made of the maps.
    contrast, store : optional
        As in `propose_grid`.

    Returns
    -------
    list of Proposal
        Masks of single objects. Their score is the quality that the maps give them, and where the
        mask decoder was asked its predicted IoU.

    Raises
    ------
    InputError
        If this is no picture, or the model has no instance decoder.
    DeviceError
        If the device has no memory for it.

    Examples
    --------
    >>> import numpy as np
    >>> import napari_sam as ns
    >>> rows, columns = np.indices((48, 64))
    >>> image = np.where(np.hypot(rows - 20, columns - 30) < 9, 180, 20).astype(np.uint8)
    >>> predictor = ns.Predictor(ns.load_model("cells_tiny"))
    >>> labels = ns.proposals_to_labels(ns.propose_instances(predictor, image), shape=image.shape)
    >>> bool(labels[20, 30] > 0), int(labels[0, 0])
    (True, 0)
    """
    kept: list[Proposal] = []
    settings = settings or InstanceSettings()
    for step in iter_proposals(predictor, image, settings, contrast=contrast, store=store):
        kept = step.result.kept or kept
    return kept


def default_settings(model: Sam) -> SearchSettings:
    """Return the settings of the best way that a model knows: instances, else points."""
    return best_settings(model.instance_decoder is not None)


def iter_proposals(
    predictor: Predictor,
    image: ArrayLike,
    settings: SearchSettings | None = None,
    *,
    seeds: ArrayLike | None = None,
    where: NDArray[np.bool_] | None = None,
    contrast: ContrastRange | None = None,
    store: EmbeddingStore | None = None,
    known: Dense | None = None,
    pause: Pause | None = None,
) -> Iterator[Progress[SearchResult]]:
    """Segment everything in an image automatically; yield progress after each batch of prompts.

    Parameters
    ----------
    predictor, image, contrast, store
        As in `propose_grid`.
    settings : GridSettings or InstanceSettings, optional
        The way: at points, or from the maps of the instance decoder. None takes
        `default_settings`, with seeds points.
    seeds : (N, 2) array-like, optional
        As in `propose_grid`; for points only.
    where : (H, W) bool, optional
        Points elsewhere are not asked about; instances elsewhere are left out.
    known : Dense, optional
        What an earlier search of this picture for instances has learned; this one adds to it.
    pause : callable, optional
        Called between batches and between the layers of the encoder: it may do other work with
        this model, or raise an exception to stop.

    Yields
    ------
    Progress of SearchResult
        After every batch of prompts; the last one carries what is kept. To stop, ask for no further
        one: what was found until then can be given to `deduplicate`. Calls of the decoder are
        counted, so a point counts for each scale that it is looked at on. The total may fall: a
        later round leaves out what an earlier one has found.

    Raises
    ------
    InputError, DeviceError
        As `propose_grid`; and if seeds are given for instances.
    """
    if settings is None:
        settings = GridSettings() if seeds is not None else default_settings(predictor.model)
    image = check_image(image)
    shape: tuple[int, int] = image.shape[:2]
    if where is not None and where.shape != shape:
        raise InputError(
            f"where to search must have the shape of the picture, {shape}; got {where.shape}"
        )

    def embed(crop: Box = (0, 0, *shape)) -> Embedding:
        part = image[slices(crop)]
        if store is not None and part.shape == image.shape:
            return store.whole(predictor, part, contrast, pause)
        return predictor.embed(part, contrast, pause)

    if isinstance(settings, InstanceSettings):
        if seeds is not None:
            raise InputError("seeds are points to ask at; take GridSettings, or leave them out")
        return search_instances(
            predictor.model, image, embed, settings, where=where, known=known, pause=pause
        )
    if contrast is None and settings.crop_layers and seeds is None:
        contrast = contrast_range(image, predictor.model.entry.intensity)
    jobs = _jobs(image, settings, seeds, where)
    return _proposals(predictor, ProposalMaker(image, settings), jobs, embed, settings, pause)


def search(
    predictor: Predictor,
    image: Array,
    points: NDArray[np.float64],
    coarser: NDArray[np.float64],
    settings: GridSettings,
    contrast: ContrastRange,
    pause: Pause | None = None,
) -> Iterator[Progress[SearchResult]]:
    """Search a validated image at given points, without crops; yield as `iter_proposals` does.

    Parameters
    ----------
    points, coarser : (N, 2) float
        Row and column, for the finest and for the coarser levels; see `point_windows`.
    """
    job = _Job((0, 0, image.shape[0], image.shape[1]), [lambda _: (points, coarser)])

    def embed(_: Box) -> Embedding:
        return predictor.embed(image, contrast, pause)

    return _proposals(predictor, ProposalMaker(image, settings), [job], embed, settings, pause)


def deduplicate(proposals: Sequence[Proposal], settings: GridSettings) -> list[Proposal]:
    """Apply non-maximum suppression within crops and across them; return the best first.

    Within a crop the better score stays; of those, the one from the smaller crop, which shows more
    detail.
    """
    by_crop: dict[Box, list[Proposal]] = defaultdict(list)
    for one in proposals:
        by_crop[one.crop].append(one)
    kept: list[Proposal] = []
    for some in by_crop.values():
        kept += _suppressed(some, [one.score for one in some], settings)
    if len(by_crop) > 1:
        kept = _suppressed(kept, [-_size(one.crop) for one in kept], settings)
    return sorted(kept, key=lambda one: -one.score)


def _suppressed(
    proposals: list[Proposal], ranks: list[float], settings: GridSettings
) -> list[Proposal]:
    stay = nms(proposals, ranks, settings.overlap, settings.max_overlap)
    return [proposals[i] for i in stay]


def _size(crop: Box) -> int:
    return (crop[2] - crop[0]) * (crop[3] - crop[1])


@dataclass(frozen=True, eq=False)
class _Job:
    """A crop, and the rounds in which it is asked about."""

    crop: Box
    rounds: list[SeedRound]


def _jobs(
    image: Array, settings: GridSettings, seeds: ArrayLike | None, where: NDArray[np.bool_] | None
) -> list[_Job]:
    shape = image.shape[0], image.shape[1]
    if seeds is not None:
        points = plain(seeds, "the seeds")
        if points.size and (points.shape[1:] != (2,) or points.dtype.kind not in "iuf"):
            raise InputError(f"seeds must have shape (N, 2) as (row, column); got {seeds!r:.200}")
        points = points.reshape(-1, 2).astype(float)
        outside = ~((points >= -0.5) & (points <= np.array(shape) - 0.5)).all(axis=1)
        if outside.any():
            raise InputError(
                f"the seed {points[outside][0].tolist()} (row, column) lies outside the picture "
                f"of shape {shape}"
            )
        points = points_inside(points, where)
        return [_Job((0, 0, *shape), [lambda _: (points, points)])]
    jobs = []
    for layer, crop in crops(shape, settings.crop_layers, settings.crop_overlap):
        per_side = max(1, settings.points_per_side // settings.point_downscale**layer)
        jobs.append(_Job(crop, seed_schedule(image, crop, per_side, settings, where)))
    return jobs


def _round_windows(
    predictor: Predictor, job: _Job, ask: SeedRound, found: Sequence[Proposal]
) -> tuple[list[PointWindow], int]:
    """Return where one round looks, and at how many points."""
    size = job.crop[2] - job.crop[0], job.crop[3] - job.crop[1]
    some = point_windows(predictor.config, size, predictor.scales(size), *ask(found))
    return some, sum(len(group.points) for group in some)


def _proposals(
    predictor: Predictor,
    maker: ProposalMaker,
    jobs: Sequence[_Job],
    embed: Callable[[Box], Embedding],
    settings: GridSettings,
    pause: Pause | None,
) -> Iterator[Progress[SearchResult]]:
    thresholds = _thresholds(predictor, settings)
    most = {ask: _round_windows(predictor, job, ask, [])[1] for job in jobs for ask in job.rounds}
    total, done, found = sum(most.values()), 0, list[Proposal]()
    for job in jobs:
        embedding = embed(job.crop)
        for ask in job.rounds:
            here, count = _round_windows(predictor, job, ask, found)
            total += count - most[ask]
            for group in here:
                view = View(embedding, predictor.config, group.window)
                for asked, some in sweep(predictor.model, view, group.points, thresholds):
                    made = (
                        maker.proposal(one, view, group.points[one.point], job.crop) for one in some
                    )
                    new = [one for one in made if one is not None]
                    found += new
                    done += asked
                    yield Progress(done, total, SearchResult(new))
                    if pause is not None:
                        pause()
    yield Progress(done, total, SearchResult([], deduplicate(found, settings)))


def _thresholds(predictor: Predictor, settings: GridSettings) -> Thresholds:
    """Return the thresholds of the settings, or where they leave it open those of the model."""
    entry = predictor.model.entry
    score, stability = settings.min_score, settings.min_stability
    return Thresholds(
        entry.iou_threshold if score is None else score,
        entry.stability_threshold if stability is None else stability,
        settings.stability_offset,
    )


STEP = 8  # tokens between windows: a point is at most four of 32 away from a window's middle
MAX_SCALE = 2.0  # times the picture's own scale; from nearer, a whole cell seldom fits a window


class PointWindow(NamedTuple):
    """Window of an embedding, and the points (N, 2) that are prompted in it."""

    window: Window
    points: NDArray[np.float64]


def point_windows(
    config: SamConfig,
    shape: tuple[int, int],
    levels: Sequence[tuple[int, int]],
    points: NDArray[np.float64],
    coarser: NDArray[np.float64],
) -> list[PointWindow]:
    """Return the windows in which to prompt at the points, finest level first.

    SAM's own sizes look at the whole picture. The dense model looks at every level, finest at that
    of twice the picture's scale; each finds objects of another size.

    Parameters
    ----------
    config : SamConfig
        Of the model.
    shape : (H, W)
        Of the picture.
    levels : sequence of (h, w)
        As `Predictor.scales` gives them.
    points, coarser : (N, 2) float
        Row and column in the picture; on coarser levels objects are larger, so fewer will do.
    """
    if not config.dense:
        return [PointWindow((0, 0, 0), points)]
    finest = next(
        (i for i, size in enumerate(levels) if max(size) <= MAX_SCALE * max(shape)), len(levels) - 1
    )
    found = []
    for level in range(finest, len(levels)):
        some = points if level == finest else coarser
        tokens = -(-np.array(levels[level]) // 32) * 32 // config.stride
        at = (some + 0.5) * np.divide(levels[level], shape) / config.stride
        start = np.round((at - config.grid / 2) / STEP).astype(int) * STEP
        start = np.clip(start, 0, np.maximum(tokens - config.grid, 0))
        groups: dict[tuple[int, int], list[int]] = defaultdict(list)
        for i, (row, column) in enumerate(start.tolist()):
            groups[row, column].append(i)
        found += [
            PointWindow((level, *corner), some[members]) for corner, members in groups.items()
        ]
    return found
