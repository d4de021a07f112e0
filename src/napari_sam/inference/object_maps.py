"""Maps of all objects of a picture, from its embedding by the model's instance decoder."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray

from napari_sam.errors import InputError
from napari_sam.inference.automatic.instances.ais import to_picture
from napari_sam.inference.embedding import Embedding, map_features
from napari_sam.model.instances.maps import InstanceMaps
from napari_sam.model.sam import Sam
from napari_sam.progress import Pause

__all__ = ["LevelMaps", "predict_maps"]


@dataclass(frozen=True, eq=False)
class LevelMaps:
    """Maps of all objects at one scale, on a grid that spans the picture; see `InstanceMaps`.

    Parameters
    ----------
    shape : (H, W)
        Of the picture.
    scale : float
        Cells of the grid per pixel of the picture; 1 for micro-sam's maps.
    foreground, boundary : (h, w) float32
    depth, diameter : (h, w) float32, optional
        Of our own head; the diameter in cells.
    centre : (h, w) float32, optional
        Of micro-sam's decoder.
    """

    shape: tuple[int, int]
    scale: float
    foreground: NDArray[np.float32]
    boundary: NDArray[np.float32]
    depth: NDArray[np.float32] | None = None
    diameter: NDArray[np.float32] | None = None
    centre: NDArray[np.float32] | None = None


@torch.inference_mode()
def predict_maps(
    model: Sam, embedding: Embedding, pause: Pause | None = None
) -> tuple[LevelMaps, ...]:
    """Return the maps of every level of an embedding, finest first.

    Parameters
    ----------
    model : Sam
        With an instance decoder.
    embedding : Embedding
        Of the picture, by this model.
    pause : callable, optional
        Called before each level: it may do other work with this model, or raise to stop.

    Raises
    ------
    InputError
        If the model has no instance decoder.
    """
    decoder = model.instance_decoder
    if decoder is None:
        raise InputError(
            f"the model {model.entry.name} has no instance decoder; ask it at points instead, or "
            "take cells_tiny"
        )
    dtype, stride = model.mask_decoder.iou_token.weight.dtype, model.config.mask_stride
    found = []
    for level in embedding.levels:
        if pause is not None:
            pause()
        # features from a store are float16
        maps = decoder(map_features(lambda part: part.to(dtype), level.features))
        if maps.centre is not None:
            found.append(_on_picture(maps, model.config.frame, level.shape, embedding.shape))
            continue
        rows, columns = (-(-side // stride) for side in level.shape)  # without the padding
        scale = max(level.shape) / max(embedding.shape) / stride
        assert maps.depth is not None
        assert maps.diameter is not None
        parts = (maps.foreground, maps.boundary, maps.depth, maps.diameter / stride)
        arrays = (part[0, :rows, :columns].float().cpu().numpy() for part in parts)
        found.append(LevelMaps(embedding.shape, scale, *arrays))
    return tuple(found)


def _on_picture(
    maps: InstanceMaps, frame: int, inside: tuple[int, int], shape: tuple[int, int]
) -> LevelMaps:
    """Return micro-sam's maps of a frame on the grid of the picture, where it thresholds them."""
    assert maps.centre is not None
    parts = torch.cat([maps.foreground, maps.boundary, maps.centre]).float()
    foreground, boundary, centre = to_picture(parts, frame, inside, shape).cpu().numpy()
    return LevelMaps(shape, 1.0, foreground, boundary, centre=centre)
