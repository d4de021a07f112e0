"""From maps of all objects to instances: a watershed at each scale, then the best of all scales.

No scale is right for all objects of a picture. Each level proposes what it sees, and rates it by
what its maps say: is the inside sure, is the rim where a rim is predicted, and is the object as
large as the diameter that is predicted for it. The best is taken first, and what it covers is gone
for the others.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage
from skimage.measure import label
from skimage.segmentation import watershed

from napari_sam.inference.automatic.instances.ais import label_instances
from napari_sam.inference.automatic.instances.instance import Instance, to_pixels
from napari_sam.inference.automatic.instances.rated import rated_instances
from napari_sam.inference.automatic.settings import InstanceSettings
from napari_sam.inference.object_maps import LevelMaps
from napari_sam.masks import CroppedMask, slices, without_slivers
from napari_sam.model.instances.rating import CandidateRating

__all__ = ["find_instances", "level_instances"]

SMOOTHING = 1.0  # cells: of the height that the watershed climbs down from
LEAST = 4, 9  # cells and pixels; fewer are no object
MISSIZED = 0.5  # quality halves for each two octaves between the measured and predicted diameter
RIM = 0.3  # power with which the mean probability of a rim under the rim counts
BEST, NEAR = 20.0, 0.5  # cells of diameter that are seen best; octaves by which others may differ
FREE = 0.5  # share of an instance that better ones must leave to it
Float = NDArray[np.float64]


def find_instances(
    levels: Sequence[LevelMaps], settings: InstanceSettings, rating: CandidateRating | None = None
) -> list[Instance]:
    """Return the instances of a picture, the best first; their masks do not overlap.

    Parameters
    ----------
    levels : sequence of LevelMaps
        Of one picture.
    settings : InstanceSettings
    rating : CandidateRating, optional
        Of the head that the maps are of; without one what the maps say of an instance decides.
    """
    looked_at = _looked_at(levels, settings.diameter)
    if rating is None:
        every = [one for level in looked_at for one in level_instances(level, settings)]
    else:
        every = rated_instances(levels, looked_at, settings, rating)
    taken = np.zeros(levels[0].shape, bool)
    found = []
    for one in sorted(every, key=lambda one: -one.quality):
        there, mask = taken[slices(one.cropped.box)], one.cropped.crop()
        free = mask & ~there
        if free.sum() <= FREE * mask.sum():
            continue
        if not free.all() and not mask.all():
            free = without_slivers(free, mask)
        left = CroppedMask.of(free, one.cropped.corner, one.cropped.shape)
        if left is None:
            continue
        there |= free  # also of what is too large: else pieces of it would come up
        if settings.fits(left.area):
            found.append(Instance(left, one.quality, one.point))
    return found


def _looked_at(levels: Sequence[LevelMaps], diameter: float | None) -> Sequence[LevelMaps]:
    """Return the levels at which objects of a diameter in pixels are seen well; all for None."""
    if diameter is None:
        return levels
    away = [abs(np.log2(diameter * level.scale / BEST)) for level in levels]
    return [one for one, octaves in zip(levels, away, strict=True) if octaves <= min(away) + NEAR]


def level_instances(maps: LevelMaps, settings: InstanceSettings) -> list[Instance]:
    """Return the instances that one level shows, with those of too little quality left out.

    Seeds are where the smoothed height, which is the depth but lower on a predicted rim, is above
    `settings.split`; from there a watershed floods the foreground. Maps of micro-sam's decoder
    become instances by its own rule, see `label_instances`.
    """
    if maps.depth is None:
        return [Instance(*one) for one in label_instances(maps, settings)]
    foreground = maps.foreground > settings.foreground
    height = ndimage.gaussian_filter(maps.depth * (1 - maps.boundary / 2), SMOOTHING)
    seeds = label((height > settings.split) & (maps.boundary < 0.5) & foreground, connectivity=1)
    labels = watershed(-height, seeds, mask=foreground)
    quality, deepest = _rate(labels, maps, height)
    found = []
    for number, box in enumerate(ndimage.find_objects(labels), 1):
        if box is None or quality[number] < settings.quality:
            continue
        mask = to_pixels(labels[box] == number, box, maps)
        if mask is not None and mask.area >= LEAST[1]:
            point = (np.array(np.unravel_index(deepest[number], labels.shape)) + 0.5) / maps.scale
            found.append(Instance(mask, float(quality[number]), tuple((point - 0.5).tolist())))
    return found


def _rate(
    labels: NDArray[np.int32], maps: LevelMaps, height: NDArray[np.float32]
) -> tuple[Float, NDArray[np.int64]]:
    """Return the quality of each label and the index of its highest cell, (n + 1,) each."""
    flat, count = labels.ravel(), int(labels.max()) + 1

    def mean(values: NDArray[np.float32], of: NDArray[np.int32]) -> Float:
        sums = np.bincount(of, values.ravel(), minlength=count)
        return np.asarray(sums / np.maximum(np.bincount(of, minlength=count), 1))

    areas = np.bincount(flat, minlength=count)
    order = np.lexsort((height.ravel(), flat))  # of each label the highest cell comes last
    deepest = order[np.cumsum(areas) - 1]
    measured = np.log2(2 * np.sqrt(np.maximum(areas, 1) / np.pi))
    assert maps.diameter is not None
    wrong = np.abs(mean(np.log2(maps.diameter), flat) - measured)
    rim = _rim(labels)
    edge = mean(maps.boundary[rim], labels[rim])
    edge[np.bincount(labels[rim], minlength=count) == 0] = 1  # it fills the picture
    sure = mean(maps.foreground, flat) * height.ravel()[deepest]
    quality = sure * np.exp2(-MISSIZED * wrong) * edge**RIM
    quality[areas < LEAST[0]] = 0
    return quality, deepest


def _rim(labels: NDArray[np.int32]) -> NDArray[np.bool_]:
    """Return the outermost cells of all labels; the border of the picture is no rim."""
    size = ndimage.generate_binary_structure(2, 1)
    lowest = ndimage.minimum_filter(labels, footprint=size, mode="nearest")
    highest = ndimage.maximum_filter(labels, footprint=size, mode="nearest")
    return (labels > 0) & (lowest != highest)
