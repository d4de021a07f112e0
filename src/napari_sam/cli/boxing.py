"""The argument `--boxes` of `napari-sam segment`: one object for each row of a table."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from napari_sam.errors import InputError

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from napari_sam.inference.predictor import Predictor
    from napari_sam.io.spacing import Spacing

__all__ = ["boxed"]


def boxed(
    path: Path, table: Path, predictor: Predictor, quiet: bool
) -> tuple[NDArray[np.int32], Spacing]:
    """Return the labels of the boxes' objects, and the picture's spacing.

    Every box gets its label, whatever the model's score; where masks overlap the better score
    counts. Slices without a box are not read.

    Raises
    ------
    InputError
        If the table does not fit the picture, or a slice is too large to be looked at as a whole.
    """
    import numpy as np
    from tqdm import tqdm

    from napari_sam.inference.image import pixel_range
    from napari_sam.inference.overlaps import Found, settle
    from napari_sam.inference.patch import Patch
    from napari_sam.inference.sampling import sample_stack
    from napari_sam.inference.tiling import Tiling
    from napari_sam.io.boxes import read_boxes
    from napari_sam.io.pictures import open_picture, read_plane
    from napari_sam.io.scale import read_spacing
    from napari_sam.prompts import Prompts

    with open_picture(path) as data:
        ndim = data.ndim - (data.ndim > 2 and data.shape[-1] in (3, 4))
        shape: tuple[int, ...] = tuple(data.shape[:ndim])
        boxes = read_boxes(table, shape)
        if Tiling().cuts(shape[-2:]):
            raise InputError(
                f"boxes are for pictures of up to {Tiling().alone} pixels a side; this one has "
                f"{shape[-2:]}: cut it, or leave --boxes out"
            )
        contrast: tuple[Any, Any] | None = None
        if ndim > 2:
            contrast = pixel_range(sample_stack(data, ndim), predictor.model.entry.intensity)
        labels = np.zeros(shape, np.int32)
        planes = sorted(set(map(tuple, boxes.planes.tolist())))
        for plane in tqdm(planes, desc=path.name, unit=" slices", disable=quiet):
            corners = boxes.on(plane)
            embedding = predictor.embed(read_plane(data, plane), contrast)
            answers = predictor.predict_batch(
                embedding, [Prompts(box=corner) for corner in corners.values()]
            )
            found = {
                id_: Found(Patch.of(answer.masks[0]), float(answer.scores[0]))
                for id_, answer in zip(corners, answers, strict=True)
            }
            labels[plane] = settle(found, (shape[-2], shape[-1]))
        return labels, read_spacing(path, ndim)
