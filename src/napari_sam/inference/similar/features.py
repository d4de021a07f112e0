"""Features of objects of one picture: pooled embedding, measured shape and intensity."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage, sparse

from napari_sam.inference.embedding import Embedding, Level
from napari_sam.inference.pyramid import PyramidTile, tile_for
from napari_sam.inference.tiled_embedding import TiledEmbedding
from napari_sam.masks import CroppedMask, grown, slices
from napari_sam.progress import Pause
from napari_sam.prompts import Prompts
from napari_sam.results import roundness

__all__ = ["Described", "measured", "own_levels", "pooled", "tokens_of"]

TOKENS = 3.0  # across an object on the level at which its features are pooled
RIM = 0.15  # diameters: how wide the ring is with which an object's brightness is compared
SMALLEST = 1 / 12  # variance of a single pixel, which is a square and no point

Features = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Described:
    """Features of N objects by group, each (N, F).

    Parameters
    ----------
    groups : mapping of str to (N, F) array
        At least one.

    Examples
    --------
    >>> some = Described({"shape": np.zeros((3, 5))})
    >>> len(some), len(some.only([0, 2])), len(some.joined(some))
    (3, 2, 6)
    """

    groups: Mapping[str, Features]

    def __len__(self) -> int:
        return len(next(iter(self.groups.values())))

    def only(self, some: Sequence[int] | NDArray[np.integer]) -> Described:
        """Return the features of some of the objects, by their indices."""
        at = np.asarray(some, np.int64)
        return Described({name: values[at] for name, values in self.groups.items()})

    def joined(self, other: Described) -> Described:
        """Return the features of these objects and of others after them."""
        both = ((name, (mine, other.groups[name])) for name, mine in self.groups.items())
        return Described({name: np.concatenate(some) for name, some in both})


def pooled(
    embedding: Embedding | TiledEmbedding,
    stride: int,
    masks: Sequence[CroppedMask],
    pause: Pause | None = None,
) -> Features:
    """Return the mean features (N, C) under masks, each on the level of its own scale.

    From them the mean of the level is taken: what all places of the picture have in common.

    Parameters
    ----------
    embedding : Embedding or TiledEmbedding
        Of the picture; in a large one each object is looked at in a tile.
    stride : int
        Model pixels of a token.
    masks : sequence of CroppedMask
        Of the picture.
    pause : callable, optional
        Called while a tile is embedded.
    """
    if not masks:
        return np.zeros((0, 1))
    if isinstance(embedding, Embedding):
        return _pooled(embedding, stride, masks)
    groups: dict[PyramidTile, list[int]] = defaultdict(list)
    for i, one in enumerate(masks):
        groups[tile_for(embedding.shape, Prompts(box=one.box))].append(i)
    found: dict[int, Features] = {}
    for tile, members in groups.items():
        inside = [CroppedMask.of(tile.reduced(masks[i].within(tile.box))) for i in members]
        some = _pooled(embedding.at(tile, pause), stride, [one for one in inside if one])
        found |= dict(zip(members, some, strict=True))  # of what has pixels something is left
    return np.stack([found[i] for i in range(len(masks))])


def _pooled(embedding: Embedding, stride: int, masks: Sequence[CroppedMask]) -> Features:
    own = own_levels(embedding, stride, [one.area for one in masks])
    found = np.zeros((len(masks), embedding.levels[0].features.embedding.shape[1]))
    for number, level in enumerate(embedding.levels):
        members = np.flatnonzero(own == number)
        if len(members):
            tokens = tokens_of(level, stride)
            some = [masks[i] for i in members.tolist()]
            found[members] = _means(tokens, some) - tokens.mean(axis=(1, 2))
    return found


def own_levels(
    embedding: Embedding, stride: int, areas: Sequence[float] | NDArray[np.float64]
) -> NDArray[np.int64]:
    """Return the levels (N,) on which objects of these areas are about `TOKENS` tokens wide."""
    scales = np.array([max(one.shape) / max(embedding.shape) for one in embedding.levels])
    wide = np.sqrt(np.asarray(areas, float))[:, None] * scales / stride
    own: NDArray[np.int64] = np.abs(np.log2(wide / TOKENS)).argmin(axis=1)
    return own


def tokens_of(level: Level, stride: int) -> NDArray[np.float32]:
    """Return the features (C, h, w) of a level, without the padding."""
    height, width = (-(-side // stride) for side in level.shape)
    tokens: NDArray[np.float32] = (
        level.features.embedding[0, :, :height, :width].float().cpu().numpy()
    )
    return tokens


def _means(maps: NDArray[np.float32], masks: Sequence[CroppedMask]) -> Features:
    """Return the means (N, C) under masks of maps (C, h, w) that span the picture."""
    height, width = maps.shape[1:]
    owners, places = [], []
    for number, one in enumerate(masks):
        pixels = (np.argwhere(one.crop()) + one.corner + 0.5) * [height, width] / one.shape
        rows, columns = pixels.astype(np.int64).T
        places.append(rows * width + columns)
        owners.append(np.full(len(rows), number))
    at = np.concatenate(owners), np.concatenate(places)
    share = sparse.csr_matrix((np.ones(len(at[0])), at), (len(masks), height * width))
    flat = maps.reshape(len(maps), -1).T.astype(np.float64)
    means: Features = (share @ flat) / np.asarray(share.sum(axis=1))
    return means


def measured(
    rgb: NDArray[np.uint8], masks: Sequence[CroppedMask], pause: Pause | None = None
) -> dict[str, Features]:
    """Return what is measured of objects: ``"shape"`` (N, 4) and ``"intensity"`` (N, 7).

    Shape: octaves of the area, roundness, octaves of the elongation, and how far it fills its
    ellipse. Intensity: mean and deviation, contrast with a ring around, the ring itself, mean
    gradient, and two differences of the colours.

    Parameters
    ----------
    rgb : (H, W, 3) uint8
        The picture, stretched as the model sees it.
    masks : sequence of CroppedMask
        Of the picture.
    pause : callable, optional
        Called before each object.
    """
    shapes, lights = np.zeros((len(masks), 4)), np.zeros((len(masks), 7))
    for number, one in enumerate(masks):
        if pause is not None:
            pause()
        shapes[number], lights[number] = _shape(one), _intensity(rgb, one)
    return {"shape": shapes, "intensity": lights}


def _shape(one: CroppedMask) -> list[float]:
    patch, area = one.crop(), one.area
    spread = np.cov(np.argwhere(patch).T, bias=True) + SMALLEST * np.eye(2)
    minor, major = np.sqrt(np.maximum(np.linalg.eigvalsh(spread), SMALLEST))
    fills = np.log2(area / (4 * np.pi * major * minor))
    return [np.log2(area), roundness(patch, area), np.log2(major / minor), fills]


def _intensity(rgb: NDArray[np.uint8], one: CroppedMask) -> list[float]:
    wide = max(2, round(RIM * 2 * np.sqrt(one.area / np.pi)))
    box = grown(one.box, wide + 1, one.shape)
    inside, colours = one.within(box), rgb[slices(box)].astype(np.float32)
    grey = colours.mean(axis=2)
    away = ndimage.distance_transform_edt(~inside)
    ring = ~inside & (away <= wide)
    own = grey[inside]
    around = float(grey[ring].mean()) if ring.any() else float(own.mean())
    steep = ndimage.gaussian_gradient_magnitude(grey, 1)[inside].mean()
    red, green, blue = colours[inside].mean(axis=0)
    mean = float(own.mean())
    return [mean, own.std(), mean - around, around, steep, red - green, blue - green]
