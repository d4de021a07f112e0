"""Coarse tiles from the levels of a pyramid: ``python -m benchmarks.pyramids PICTURE ...``.

Each picture of objects, enlarged so that its objects are hundreds of pixels wide, is laid into an
OME-Zarr with four levels. Boxes around the objects of its labels (``labels.png`` beside it) are
answered from the finest level alone and from the levels: how alike the masks are, how many chunks
each reads, and how long that takes.
"""

from __future__ import annotations

import argparse
import tempfile
import time
from pathlib import Path
from typing import Any

import numpy as np
import zarr
from numpy.typing import NDArray
from skimage.io import imread
from skimage.measure import regionprops
from skimage.transform import rescale
from zarr.storage import LocalStore, WrapperStore

from napari_sam import Predictor, Prompts, load_model
from napari_sam.inference.pyramid import tile_for
from napari_sam.inference.store.memory import MemoryStore
from napari_sam.inference.store.store import EmbeddingStore
from napari_sam.io.images.pyramids import ome_levels
from napari_sam.levels import CoarserLevel

ENLARGED = 24
MOST = 5  # objects of a picture
CHUNK = 512


class Counting(WrapperStore[LocalStore]):
    """Store that counts the chunks that are read."""

    chunks = 0

    async def get(self, key: str, *args: Any, **options: Any) -> Any:
        """Read a key."""
        Counting.chunks += "zarr.json" not in key
        return await super().get(key, *args, **options)


class Plane:
    """The finest level of a pyramid, with or without the others."""

    def __init__(self, group: zarr.Group, levels: bool) -> None:
        self._finest: Any = group["0"]
        self.shape, self.dtype = self._finest.shape, self._finest.dtype
        scales: Any = group.attrs["ome"]
        self.coarser: list[CoarserLevel] = []
        if levels:
            self.coarser = ome_levels(group, scales["multiscales"][0])

    def __getitem__(self, index: Any) -> Any:
        return self._finest[index]


def main() -> None:
    """Ask for the objects of each picture both ways."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.pyramids", description=__doc__)
    parser.add_argument("pictures", nargs="+", type=Path)
    options = parser.parse_args()
    predictor = Predictor(load_model("cells_tiny", "cpu"))
    print("level: IoU with the finest's mask; chunks and seconds to read the tile, finest, levels")
    for path in options.pictures:
        with tempfile.TemporaryDirectory() as folder:
            group = write(Path(folder), imread(path))
            labels = imread(path.with_name("labels.png"))
            sizes = sorted(regionprops(labels), key=lambda one: -one.area)[:MOST]
            for one in sizes:
                compare(predictor, group, (np.array(one.bbox) * ENLARGED - 0.5).tolist())


def write(folder: Path, pixels: NDArray[Any]) -> zarr.Group:
    """Write a picture in grey, enlarged, as an OME-Zarr of means of 2 x 2 pixels."""
    grey = np.asarray(pixels if pixels.ndim == 2 else pixels[..., :3].mean(axis=-1), float)
    grey = 255 * (grey - grey.min()) / max(1e-9, float(np.ptp(grey)))
    level = rescale(grey, ENLARGED, order=1).astype(np.uint8)
    group = zarr.create_group(Counting(LocalStore(folder)), zarr_format=3)
    datasets = []
    for number in range(5):
        group.create_array(str(number), data=level, chunks=(CHUNK, CHUNK))
        step = 2.0**number
        place = [
            {"type": "scale", "scale": [step, step]},
            {"type": "translation", "translation": [(step - 1) / 2] * 2},
        ]
        datasets.append({"path": str(number), "coordinateTransformations": place})
        h, w = (n // 2 for n in level.shape)
        blocks = level[: 2 * h, : 2 * w].reshape(h, 2, w, 2)
        level = blocks.mean(axis=(1, 3)).round().astype(np.uint8)
    axes = [{"name": "y"}, {"name": "x"}]
    scales = {"axes": axes, "datasets": datasets}
    group.attrs["ome"] = {"version": "0.5", "multiscales": [scales]}
    return group


def compare(predictor: Predictor, group: zarr.Group, box: list[float]) -> None:
    """Ask for the object in a box (y0, x0, y1, x1) both ways, and print how they differ."""
    masks, chunks, seconds = [], [], []
    for levels in (False, True):
        plane = Plane(group, levels)
        store = EmbeddingStore(MemoryStore(10**9))
        embedding: Any = store.get(predictor, plane, (0.0, 255.0))
        tile = tile_for(plane.shape, Prompts(box=box))
        before, start = Counting.chunks, time.process_time()
        tile.read(plane, (0.0, 255.0))
        seconds.append(time.process_time() - start)
        chunks.append(Counting.chunks - before)
        answer = predictor.predict(embedding, Prompts(box=box))
        masks.append((answer.masks[0].corner, answer.masks[0].part))
    print(
        f"{tile.level}: {iou(*masks):.4f}; {chunks[0]} and {chunks[1]} chunks, "
        f"{seconds[0]:.2f} and {seconds[1]:.2f} s",
        flush=True,
    )


def iou(one: Any, other: Any) -> float:
    """Return the IoU of two masks, each a corner and its window."""
    low = np.minimum(one[0], other[0])
    high = np.maximum(*(np.add(corner, part.shape) for corner, part in (one, other)))
    whole = []
    for corner, part in (one, other):
        mask = np.zeros(high - low, bool)
        top, left = np.subtract(corner, low)
        mask[top : top + part.shape[0], left : left + part.shape[1]] = part
        whole.append(mask)
    return float(np.count_nonzero(whole[0] & whole[1]) / np.count_nonzero(whole[0] | whole[1]))


if __name__ == "__main__":
    main()
