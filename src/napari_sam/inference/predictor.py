"""A picture in, masks out: embed once, predict at every prompt."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn import functional as F

from napari_sam.errors import InputError
from napari_sam.inference.image import check_image, contrast_range, fit_shape, normalise, resize, to_rgb8
from napari_sam.inference.batching import in_batches
from napari_sam.model.sam import Features, Sam
from napari_sam.prompts import Prompts
from napari_sam.results import Prediction, Window

__all__ = ["Embedding", "Level", "Predictor"]

SURE = 8.0  # the logit of a pixel that a boolean mask prompt says is inside
ROOM = 0.75  # share of the frame that prompts may span before the coarser level is used


@dataclass(frozen=True, eq=False)
class Level:
    """The picture's embedding at one scale: (h, w) is its size in model pixels."""

    shape: tuple[int, int]
    features: Features


@dataclass(frozen=True, eq=False)
class View:
    """One frame of an embedding: a level of shape (h, w), and the window's corner and features."""

    picture: tuple[int, int]
    shape: tuple[int, int]
    row: int
    column: int
    features: Features


@dataclass(frozen=True, eq=False)
class Embedding:
    """What the model saw of one picture; made by `Predictor.embed`.

    Parameters
    ----------
    shape : (int, int)
        Height and width of the picture.
    contrast : (low, high)
        The intensities that became 0 and 255: floats, or arrays of shape (3,) per channel.
    levels : tuple of Level
        Finest first. SAM's own sizes have one, the dense model two for large pictures.
    """

    shape: tuple[int, int]
    contrast: tuple[Any, Any]
    levels: tuple[Level, ...]


class Predictor:
    """Embed pictures and predict masks with one model.

    Parameters
    ----------
    model : Sam
        From `load_model`.
    """

    def __init__(self, model: Sam) -> None:
        self.model = model
        self.config = model.config

    @torch.inference_mode()
    def embed(self, image: Any, contrast: tuple[Any, Any] | None = None) -> Embedding:
        """Run the image encoder.

        Parameters
        ----------
        image : (H, W), (H, W, 3) or (H, W, 4) array-like of any real dtype
            NaN is shown as the lowest intensity; alpha is dropped.
        contrast : (low, high), optional
            Intensities that become black and white. None takes the model's own rule; uint8 with
            (0, 255) goes in untouched.

        Returns
        -------
        Embedding

        Raises
        ------
        InputError
            If this is no picture (see `check_image`).
        """
        picture = check_image(image)
        if contrast is None:
            contrast = contrast_range(picture, self.model.entry.intensity)
        rgb = to_rgb8(picture, contrast)
        levels = tuple(self._level(rgb, shape) for shape in self._scales(rgb.shape[:2]))
        return Embedding(rgb.shape[:2], contrast, levels)

    def predict(
        self, embedding: Embedding, prompts: Prompts, multimask: bool | None = None
    ) -> Prediction:
        """Predict the masks of one object.

        Parameters
        ----------
        embedding : Embedding
        prompts : Prompts
        multimask : bool, optional
            True for three candidates, False for one mask. None gives three for exactly one point
            and nothing else (paper, section 3).

        Returns
        -------
        Prediction
            (C, H, W) masks, (C,) scores and (C, h, w) logits, best predicted IoU first.

        Raises
        ------
        InputError
            If a point lies outside the picture, the box leaves it, or the mask has another shape.
        """
        return self.predict_batch(embedding, [prompts], multimask)[0]

    @torch.inference_mode()
    def predict_batch(
        self, embedding: Embedding, prompts: Sequence[Prompts], multimask: bool | None = None
    ) -> list[Prediction]:
        """Predict the masks of N objects; equal to N calls of `predict`.

        Objects whose prompts have the same form share one run of the decoder.
        """
        groups: dict[Any, list[int]] = defaultdict(list)
        for i, one in enumerate(prompts):
            self._check(embedding, one)
            form = (len(one.points), one.box is not None, one.mask is not None)
            groups[form, self._window(embedding, one)].append(i)
        found: dict[int, Prediction] = {}
        for (_, window), members in groups.items():
            view = self._view(embedding, *window)
            three = prompts[members[0]].is_lone_point if multimask is None else multimask
            results = in_batches(
                lambda some, view=view, three=three: self._decode(view, some, three),
                [prompts[i] for i in members],
                self.model.device,
            )
            found.update(zip(members, results, strict=True))
        return [found[i] for i in range(len(prompts))]

    def _scales(self, shape: tuple[int, int]) -> list[tuple[int, int]]:
        fitted = fit_shape(shape, self.config.frame)
        if self.config.dense and max(shape) > self.config.frame:
            return [shape, fitted]
        return [fitted]

    def _level(self, rgb: NDArray[np.uint8], shape: tuple[int, int]) -> Level:
        # Dense models take any size; SAM's own take the square frame only.
        pixels = normalise(resize(rgb, shape), 32 if self.config.dense else self.config.frame)
        features = self.model.encode(pixels.to(self.model.device))
        return Level(shape, features)

    def _check(self, embedding: Embedding, prompts: Prompts) -> None:
        h, w = embedding.shape
        low, high = -0.5, np.array([h, w]) - 0.5
        outside = ((prompts.points < low) | (prompts.points > high)).any(axis=1)
        if outside.any():
            raise InputError(
                f"point {prompts.points[outside][0].tolist()} (row, column) lies outside the "
                f"picture of shape {embedding.shape}"
            )
        if prompts.box is not None and (
            (prompts.box[:2] < low - 0.5).any() or (prompts.box[2:] > high + 0.5).any()
        ):
            raise InputError(
                f"the box {prompts.box.tolist()} (y0, x0, y1, x1) leaves the picture of shape "
                f"{embedding.shape}; trim it first"
            )
        if prompts.text is not None:
            raise InputError(f"the model {self.config.name} understands no text prompts")
        if prompts.mask is not None and prompts.mask.dtype == bool and prompts.mask.shape != (h, w):
            raise InputError(
                f"a boolean mask must have the picture's shape {embedding.shape}; "
                f"got {prompts.mask.shape}"
            )

    def _window(self, embedding: Embedding, prompts: Prompts) -> tuple[int, int, int]:
        """Return level, row and column (in tokens) of the window that sees the prompts.

        It is centred on the box, else the mask, else the first point, so that more clicks on an
        object keep its window and its logits can be fed back.
        """
        fine = embedding.levels[0]
        grid, stride = self.config.grid, self.config.stride
        tokens = fine.features.embedding.shape[-2:]
        if len(embedding.levels) == 1 or (tokens[0] <= grid and tokens[1] <= grid):
            return 0, 0, 0
        corners = [prompts.points]
        if prompts.box is not None:
            corners.insert(0, prompts.box.reshape(2, 2))
        elif prompts.mask is not None and prompts.mask.dtype == bool:
            corners.insert(0, np.argwhere(prompts.mask)[[0, -1]].astype(float))
            rows, columns = np.nonzero(prompts.mask)
            corners[0] = np.array([[rows.min(), columns.min()], [rows.max(), columns.max()]], float)
        span = np.concatenate(corners)
        centre = corners[0].mean(axis=0) if len(corners) > 1 else prompts.points[0]
        if (np.ptp(span, axis=0) > ROOM * self.config.frame).any():
            return 1, 0, 0
        start = np.round(centre / stride - grid / 2).astype(int)
        row, column = np.clip(start, 0, np.maximum(np.array(tokens) - grid, 0))
        return 0, int(row), int(column)

    def _view(self, embedding: Embedding, level: int, row: int, column: int) -> View:
        shape, (image, skips) = embedding.levels[level].shape, embedding.levels[level].features
        grid, stride = self.config.grid, self.config.stride

        def cut(x: Tensor, factor: int) -> Tensor:
            return x[..., row * factor : (row + grid) * factor, column * factor : (column + grid) * factor]

        if skips is not None:
            skips = (cut(skips[0], 2), cut(skips[1], 4))
        features = Features(cut(image, 1), skips)
        return View(embedding.shape, shape, row * stride, column * stride, features)

    def _decode(self, view: View, prompts: list[Prompts], three: bool) -> list[Prediction]:
        """Decode objects with prompts of one form; everything from here to the masks is (x, y)."""
        first = prompts[0]
        points = labels = boxes = masks = None
        if len(first.points):
            points = torch.stack([self._to_frame(view, p.points) for p in prompts])
            labels = torch.stack([torch.from_numpy(p.labels) for p in prompts]).to(points.device)
        if first.box is not None:
            corners = [self._to_frame(view, np.reshape(p.box, (2, 2))) for p in prompts]
            boxes = torch.stack(corners).flatten(1)
        if first.mask is not None:
            masks = torch.stack([self._mask_logits(view, p.mask) for p in prompts])
        logits, scores = self.model.decode(view.features, points, labels, boxes, masks)
        chosen = slice(1, 4) if three else slice(0, 1)  # mask 0 answers unambiguous prompts
        logits, scores = logits[:, chosen].float(), scores[:, chosen].float()
        window = Window(view.shape[0] / view.picture[0], view.row, view.column)
        results = []
        for low, score in zip(logits, scores, strict=True):
            order = score.argsort(descending=True, stable=True)
            full = self._to_picture(view, low[order][None])[0] > self.config.mask_threshold
            results.append(
                Prediction(
                    full.cpu().numpy(), score[order].cpu().numpy(), low[order].cpu().numpy(), window
                )
            )
        return results

    def _to_frame(self, view: View, positions: NDArray[np.float64]) -> Tensor:
        """Map (N, 2) row-column pixels of the picture to (x, y) in the frame (see `image`)."""
        ratio = np.array(view.shape) / np.array(view.picture)
        half = 0.5 if self.config.dense else 0.0
        yx = (positions + half) * ratio - half - (view.row, view.column)
        xy = np.ascontiguousarray(yx[:, ::-1], dtype=np.float64)
        like = self.model.mask_decoder.iou_token.weight
        return torch.from_numpy(xy).to(like.device, like.dtype)

    def _mask_logits(self, view: View, mask: NDArray[Any]) -> Tensor:
        """Return mask logits of the window, (1, 4h, 4w), from a mask of the picture or from logits."""
        like = self.model.mask_decoder.iou_token.weight
        size = tuple(4 * n for n in view.features.embedding.shape[-2:])
        if mask.dtype != bool:
            if mask.shape != size:
                raise InputError(
                    f"mask logits must have the shape of Prediction.logits, {size} here; "
                    f"got {mask.shape}"
                )
            return torch.from_numpy(mask)[None].to(like.device, like.dtype)
        # the same way as the picture: resize, pad, and then average over each cell of the grid
        full = torch.from_numpy(mask)[None, None].to(like.device, like.dtype)
        full = F.interpolate(full, view.shape, mode="bilinear", antialias=True)
        stride = self.config.mask_stride
        full = full[..., view.row : view.row + size[0] * stride, view.column : view.column + size[1] * stride]
        pad = (0, size[1] * stride - full.shape[-1], 0, size[0] * stride - full.shape[-2])
        return (F.avg_pool2d(F.pad(full, pad), stride)[0] * 2 - 1) * SURE

    def _to_picture(self, view: View, logits: Tensor) -> Tensor:
        """Enlarge (B, C, 4h, 4w) logits to the picture, (B, C, H, W), as the reference does."""
        stride = self.config.mask_stride
        size = [n * stride for n in logits.shape[-2:]]
        full = F.interpolate(logits, size, mode="bilinear", align_corners=False)
        full = full[..., : view.shape[0] - view.row, : view.shape[1] - view.column]
        if view.shape == view.picture:  # at the picture's own scale: outside the window is no object
            below = view.picture[0] - view.row - full.shape[-2]
            right = view.picture[1] - view.column - full.shape[-1]
            pad = (view.column, right, view.row, below)
            return F.pad(full, pad, value=-SURE) if any(pad) else full
        return F.interpolate(full, view.picture, mode="bilinear", align_corners=False)
