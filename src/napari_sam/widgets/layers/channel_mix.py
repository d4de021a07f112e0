"""Channel selection for the model: one channel, or up to three merged as RGB."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property, partial
from typing import Any

import numpy as np
from napari.layers import Image, Labels
from numpy.typing import NDArray

from napari_sam.arrays import ContrastRange, LazyArray
from napari_sam.inference.channels import in_image
from napari_sam.inference.pyramid import is_large
from napari_sam.inference.sampling import SAMPLE_SIDE, sample_steps, sample_windows
from napari_sam.levels import CoarserLevel, sampled, usual_first, usual_steps
from napari_sam.planes import Plane

__all__ = ["Channel", "LazyPlane", "Mix", "Read", "finest", "levels_of"]

Read = Callable[[], np.ndarray]
Part = tuple[slice, slice]
"""Rows and columns of a plane."""


def finest(layer: Image | Labels) -> LazyArray:
    """Return a layer's data; of a multiscale layer the finest level."""
    return layer.data[0] if layer.multiscale else layer.data


def levels_of(layer: Image | Labels) -> list[LazyArray]:
    """Return the levels of a layer's data, finest first; one if it is not multiscale."""
    return list(layer.data) if layer.multiscale else [layer.data]


@dataclass(frozen=True)
class Channel:
    """One channel of a layer, or the whole of a grey or RGB layer.

    Parameters
    ----------
    layer : napari.layers.Image
        Numpy, dask or zarr; multiscale or not.
    axis : int, optional
        Along which the channels stand; None: there is one.
    index : int
        Which.
    """

    layer: Image
    axis: int | None = None
    index: int = 0

    def reader(self, plane: Plane, level: int = 0) -> Callable[[Part], np.ndarray]:
        """Return a thread-safe function that reads a part of a plane, of one of the levels."""
        data, at = levels_of(self.layer)[level], in_image(plane, self.axis, self.index)

        def read(part: Part) -> np.ndarray:
            sides = iter(part)
            return np.asarray(data[tuple(next(sides) if i is None else i for i in at)])

        return read

    def sizes(self, plane: Plane) -> list[tuple[int, int] | None]:
        """Return height and width of a plane in each level; None where that is no such plane."""
        at = in_image(plane, self.axis, self.index)
        shapes = [level.shape[: self.layer.ndim] for level in levels_of(self.layer)]
        return [_size(at, shape, shapes[0]) for shape in shapes]

    def sampler(self) -> Read:
        """Return a function that samples pixels of the whole layer, (N,) or (N, colours).

        Of a multiscale layer they are of a coarse level.
        """
        levels = self.layer.data if self.layer.multiscale else [self.layer.data]
        spatial = [self._spatial(level) for level in levels]
        fine_enough = [
            level
            for level, shape in zip(levels, spatial, strict=True)
            if sorted(shape)[-2] >= SAMPLE_SIDE
        ]
        data = (fine_enough or levels[:1])[-1]
        if is_large((*self._spatial(data)[-2:],)):
            return partial(sample_windows, self._spatial(data), partial(self._part, data))
        steps = [slice(None, None, step) for step in sample_steps(self._spatial(data))]
        if self.axis is not None:
            steps.insert(self.axis, self.index)  # type: ignore[arg-type]
        count = len(self._spatial(data))

        def read() -> np.ndarray:
            sample = np.asarray(data[tuple(steps)])
            return sample.reshape(-1, *sample.shape[count:])

        return read

    def _part(self, data: LazyArray, at: tuple[int | slice, ...]) -> np.ndarray:
        """Read a part of a level by its index without the axis of channels."""
        index = list(at)
        if self.axis is not None:
            index.insert(self.axis, self.index)
        return np.asarray(data[tuple(index)])

    def _spatial(self, data: LazyArray) -> list[int]:
        shape = data.shape[: self.layer.ndim]
        return [size for axis, size in enumerate(shape) if axis != self.axis]


class Mix:
    """Channels merged as one image for the model.

    Parameters
    ----------
    channels : tuple of Channel or None
        One, which keeps its values; or three, which become red, green and blue, each stretched by
        the percentiles of all its planes. None leaves a colour dark.
    """

    def __init__(self, channels: tuple[Channel | None, ...]) -> None:
        self.channels = channels
        self._samplers = [c.sampler() if c else None for c in channels]

    @property
    def coloured(self) -> bool:
        """True if grey channels are merged as red, green and blue."""
        return len(self.channels) == 3

    def reader(self, plane: Plane) -> Read:
        """Return a thread-safe function that reads a plane, (H, W) or (H, W, colours)."""
        return partial(self.part_reader(plane), (slice(None), slice(None)))

    def part_reader(self, plane: Plane, level: int = 0) -> Callable[[Part], np.ndarray]:
        """Return a thread-safe function that reads a part of a plane, of one of the levels."""
        reads = [c.reader(plane, level) if c else None for c in self.channels]

        def read(part: Part) -> np.ndarray:
            return self._joined([partial(one, part) if one else None for one in reads])()

        return read

    def coarser(self, plane: Plane) -> list[CoarserLevel]:
        """Return the coarser levels of a plane that all channels have.

        napari knows their shapes only, so a pixel shows the block that it stands for.
        """
        finest, *others = zip(*(c.sizes(plane) for c in self.channels if c), strict=False)
        found = []
        for level, sizes in enumerate(others, 1):
            if sizes[0] is not None and len(set(sizes)) == 1:
                steps = usual_steps(finest[0], sizes[0])
                pixels = LazyPlane(self, plane, sizes[0], level)
                found.append(CoarserLevel(pixels, steps, usual_first(steps)))
        return found

    def view(self, plane: Plane, step: int) -> Read:
        """Return a thread-safe function that reads every `step`-th pixel as (h, w, 3) uint8."""
        shape = next(one.sizes(plane)[0] for one in self.channels if one) or (0, 0)
        every = (slice(0, size, step) for size in shape)
        read = partial(sampled, LazyPlane(self, plane, shape), *every)

        def view() -> NDArray[np.uint8]:
            from napari_sam.inference.image import check_image, to_rgb8

            return read() if self.coloured else to_rgb8(check_image(read()), self._contrasts[0])

        return view

    def sampler(self) -> Read:
        """Return a function that samples pixels of the whole image, (N,) or (N, colours)."""
        return self._joined(self._samplers)

    def _joined(self, reads: list[Read | None]) -> Read:
        if not self.coloured:
            return reads[0]  # type: ignore[return-value]

        def read() -> NDArray[np.uint8]:
            from napari_sam.inference.image import merge_channels

            return merge_channels([read() if read else None for read in reads], self._contrasts)

        return read

    @cached_property
    def _contrasts(self) -> list[ContrastRange]:  # first asked for where pixels are read
        from napari_sam.inference.image import contrast_range

        return [contrast_range(sample()) if sample else (0.0, 1.0) for sample in self._samplers]


class LazyPlane:
    """Plane of an image as the model sees it, read where it is indexed; any thread may do that.

    Parameters
    ----------
    mix : Mix
        The channels.
    plane : Plane
        Which.
    shape : (int, int)
        Its height and width.
    level : int
        Of a multiscale layer.

    Attributes
    ----------
    coarser : list of CoarserLevel
        Of the finest level the others.
    """

    def __init__(self, mix: Mix, plane: Plane, shape: tuple[int, int], level: int = 0) -> None:
        first = next(channel for channel in mix.channels if channel is not None)
        data = finest(first.layer)
        colours = (3,) if mix.coloured else tuple(data.shape[first.layer.ndim :])
        self.shape: tuple[int, ...] = (*shape, *colours)
        self.dtype: np.dtype[Any] = np.dtype(np.uint8) if mix.coloured else data.dtype
        self._read = mix.part_reader(plane, level)
        self.coarser = [] if level else mix.coarser(plane)

    def __getitem__(self, part: Part) -> np.ndarray:
        return self._read(part)


def _size(
    at: tuple[int | None, ...], shape: tuple[int, ...], finest: tuple[int, ...]
) -> tuple[int, int] | None:
    """Return height and width of a plane of a level; None if its other axes are coarser, too."""
    sides = [n for i, n in zip(at, shape, strict=True) if i is None]
    same = all(i is None or n == m for i, n, m in zip(at, shape, finest, strict=True))
    return (sides[0], sides[1]) if same else None
