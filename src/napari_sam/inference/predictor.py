"""A picture in, masks out: embed once, predict at every prompt."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn import functional as F

from napari_sam.errors import InputError
from napari_sam.inference.batching import in_batches
from napari_sam.inference.image import (
    check_image,
    contrast_range,
    fit_shape,
    normalise,
    resize,
    to_rgb8,
)
from napari_sam.model.sam import Features, Sam
from napari_sam.prompts import Prompts
from napari_sam.results import Prediction

__all__ = ["Embedding", "Level", "Predictor"]

SURE = 8.0  # the logit of a pixel that a boolean mask prompt says is inside
MOST_ENLARGED = 8  # a picture of a few pixels stays one of few
ROOM = 0.75  # share of the frame that prompts may span before the coarser level is used


@dataclass(frozen=True, eq=False)
class Level:
    """The picture's embedding at one scale: (h, w) is its size in model pixels."""

    shape: tuple[int, int]
    features: Features


@dataclass(frozen=True, eq=False)
class View:
    """What the decoder looks at: a window of one level, its corner in model pixels, features."""

    picture: tuple[int, int]
    level: int
    shape: tuple[int, int]  # of the level
    row: int
    column: int
    features: Features
    finest: tuple[int, int]  # size of the finest level
    logits_size: tuple[int, int]  # of its mask grid, padding included


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
        Finest first. SAM's own sizes have one; the dense model halves the picture until it fits
        its frame.
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
        self,
        embedding: Embedding,
        prompts: Prompts,
        multimask: bool | None = None,
    ) -> Prediction:
        """Predict the masks of one object.

        Parameters
        ----------
        embedding : Embedding
            Of the picture.
        prompts : Prompts
            Of the object.
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
        self,
        embedding: Embedding,
        prompts: Sequence[Prompts],
        multimask: bool | None = None,
    ) -> list[Prediction]:
        """Predict the masks of N objects; equal to N calls of `predict`.

        Objects whose prompts have the same form and window share one run of the decoder. Where a
        window cuts through the mask, the object is predicted again at the next coarser level.
        """
        for one in prompts:
            self._check(embedding, one)
        todo = {i: self._window(embedding, one) for i, one in enumerate(prompts)}
        found: dict[int, Prediction] = {}
        while todo:
            groups: dict[Any, list[int]] = defaultdict(list)
            for i, place in todo.items():
                one = prompts[i]
                form = (len(one.points), one.box is not None, one.mask is not None)
                groups[form, place].append(i)
            todo = {}
            for (_, place), members in groups.items():
                view = self._view(embedding, *place)
                three = prompts[members[0]].is_lone_point if multimask is None else multimask
                results = in_batches(
                    partial(self._decode, view, three=three),
                    [prompts[i] for i in members],
                    self.model.device,
                )
                for i, (result, cut) in zip(members, results, strict=True):
                    found[i] = result
                    if cut and view.level + 1 < len(embedding.levels):
                        todo[i] = self._window(embedding, prompts[i], view.level + 1)
        return [found[i] for i in range(len(prompts))]

    def _scales(self, shape: tuple[int, int]) -> list[tuple[int, int]]:
        if not self.config.dense:
            return [fit_shape(shape, self.config.frame)]
        longest = min(self.config.enlarge, MOST_ENLARGED * max(shape))
        shapes = [shape if max(shape) > longest else fit_shape(shape, longest)]
        while max(shapes[-1]) > self.config.frame:
            longest = max(self.config.frame, -(-max(shapes[-1]) // 2))
            shapes.append(fit_shape(shape, longest))
        return shapes

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
        size = self._logits_size(embedding)
        if prompts.mask is not None and prompts.mask.dtype != bool and prompts.mask.shape != size:
            raise InputError(
                f"mask logits must have the shape of Prediction.logits, {size} for this picture; "
                f"got {prompts.mask.shape}"
            )

    def _logits_size(self, embedding: Embedding) -> tuple[int, int]:
        h, w = embedding.levels[0].features.embedding.shape[-2:]
        return 4 * h, 4 * w

    def _window(
        self, embedding: Embedding, prompts: Prompts, finest: int = 0
    ) -> tuple[int, int, int]:
        """Return level, row and column (in tokens) of the window that sees the prompts.

        It is centred on the box, else the mask, else the first point, so that more clicks on an
        object keep its window; the finest level at which the window holds all prompts is taken.
        """
        if len(embedding.levels) == 1:
            return 0, 0, 0
        anchor, extent = prompts.points[:1], prompts.points
        if prompts.box is not None:
            anchor = prompts.box.reshape(2, 2)
        elif prompts.mask is not None and prompts.mask.dtype == bool:
            inside = np.argwhere(prompts.mask)
            anchor = np.stack([inside.min(axis=0), inside.max(axis=0)]).astype(float)
        extent = np.concatenate([anchor, extent])
        span = np.ptp(extent, axis=0)
        centre = anchor.mean(axis=0)
        coarsest = len(embedding.levels) - 1
        for index in range(finest, coarsest + 1):
            scale = np.array(embedding.levels[index].shape) / np.array(embedding.shape)
            if (span * scale <= ROOM * self.config.frame).all():
                break
        return (index, *self._corner(embedding.levels[index], centre * scale))

    def _corner(self, level: Level, centre: NDArray[np.float64]) -> tuple[int, int]:
        """Return the token at the upper left of a window centred on a place in model pixels."""
        tokens = np.array(level.features.embedding.shape[-2:])
        grid = self.config.grid
        start = np.round(centre / self.config.stride - grid / 2).astype(int)
        row, column = np.clip(start, 0, np.maximum(tokens - grid, 0))
        return int(row), int(column)

    def _view(self, embedding: Embedding, level: int, row: int, column: int) -> View:
        shape, (image, skips) = embedding.levels[level].shape, embedding.levels[level].features
        grid, stride = self.config.grid, self.config.stride

        def cut(x: Tensor, factor: int) -> Tensor:
            top, left, side = row * factor, column * factor, grid * factor
            return x[..., top : top + side, left : left + side]

        if skips is not None:
            skips = (cut(skips[0], 2), cut(skips[1], 4))
        features = Features(cut(image, 1), skips)
        whole = (embedding.levels[0].shape, self._logits_size(embedding))
        return View(embedding.shape, level, shape, row * stride, column * stride, features, *whole)

    def _decode(
        self, view: View, prompts: list[Prompts], three: bool
    ) -> list[tuple[Prediction, bool]]:
        """Decode objects with prompts of one form, and say of each whether the window cuts it.

        Everything between the prompts and the masks is (x, y).
        """
        first = prompts[0]
        points = labels = boxes = given = None
        if len(first.points):
            points = torch.stack([self._to_frame(view, p.points) for p in prompts])
            labels = torch.stack([torch.from_numpy(p.labels) for p in prompts]).to(points.device)
        if first.box is not None:
            corners = [
                self._to_frame(view, np.reshape(p.box, (2, 2)))
                for p in prompts
                if p.box is not None
            ]
            boxes = torch.stack(corners).flatten(1)
        if first.mask is not None:
            given = torch.stack(
                [self._mask_logits(view, p.mask) for p in prompts if p.mask is not None]
            )
        logits, scores = self.model.decode(view.features, points, labels, boxes, given)
        chosen = slice(1, 4) if three else slice(0, 1)  # mask 0 answers unambiguous prompts
        logits, scores = logits[:, chosen].float(), scores[:, chosen].float()
        results = []
        for low, score in zip(logits, scores, strict=True):
            order = score.argsort(descending=True, stable=True)
            low = low[order]
            masks = self._masks(view, low)
            whole = self._whole(view, low).cpu().numpy()
            cut = cut_off(view, low[0], self.config.mask_stride)
            results.append((Prediction(masks, score[order].cpu().numpy(), whole), cut))
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
        """Return the mask logits (1, 4h, 4w), from a mask of the picture or from logits."""
        like = self.model.mask_decoder.iou_token.weight
        stride = self.config.mask_stride
        h, w = (4 * n for n in view.features.embedding.shape[-2:])
        full = torch.from_numpy(mask)[None, None].to(like.device, like.dtype)
        if mask.dtype == bool:  # as the picture: resize, pad, then average each cell of the grid
            full = F.interpolate(full, view.shape, mode="bilinear", antialias=True)
            full = F.pad(full, (0, -full.shape[-1] % stride, 0, -full.shape[-2] % stride))
            full = (F.avg_pool2d(full, stride) * 2 - 1) * SURE
        elif view.level:  # logits belong to the finest level
            known = [-(-n // stride) for n in view.finest]
            size = [-(-n // stride) for n in view.shape]
            full = F.interpolate(full[..., : known[0], : known[1]], size, mode="area")
        row, column = view.row // stride, view.column // stride
        full = full[0, :, row : row + h, column : column + w]
        return F.pad(full, (0, w - full.shape[-1], 0, h - full.shape[-2]), value=-SURE)

    def _masks(self, view: View, logits: Tensor) -> NDArray[np.bool_]:
        """Enlarge a window's (C, 4h, 4w) logits to the picture and threshold them: (C, H, W)."""
        if self.config.dense:
            sampled, inside = self._sample(view, logits, view.picture, view.picture)
            masks = np.zeros((len(logits), *view.picture), bool)
            masks[:, inside[0], inside[1]] = (sampled > self.config.mask_threshold).cpu().numpy()
            return masks
        # The reference's way: to the padded frame, cut the padding off, to the picture.
        frame = (self.config.frame, self.config.frame)
        full = F.interpolate(logits[None], frame, mode="bilinear", align_corners=False)
        full = full[..., : view.shape[0], : view.shape[1]]
        full = F.interpolate(full, view.picture, mode="bilinear", align_corners=False)
        return (full[0] > self.config.mask_threshold).cpu().numpy()

    def _whole(self, view: View, logits: Tensor) -> Tensor:
        """Put a window's (C, 4h, 4w) logits on the finest level's grid, (C, *Prediction.logits)."""
        if tuple(logits.shape[-2:]) == view.logits_size and view.level == 0:
            return logits
        whole = logits.new_full((len(logits), *view.logits_size), -SURE)
        rows, columns = (n / self.config.mask_stride for n in view.finest)
        sampled, inside = self._sample(view, logits, view.logits_size, (rows, columns))
        whole[:, inside[0], inside[1]] = sampled
        return whole

    def _sample(
        self, view: View, logits: Tensor, size: tuple[int, int], picture: tuple[float, float]
    ) -> tuple[Tensor, list[slice]]:
        """Sample a window's logits on a grid of `size` on which the picture spans `picture` cells.

        Returns
        -------
        (C, h', w') logits of the part that the window covers, and that part's slices.
        """
        inside, positions = [], []
        for axis, corner in enumerate((view.row, view.column)):
            ratio = view.shape[axis] / picture[axis]
            window = logits.shape[axis + 1] * self.config.mask_stride
            centres = (np.arange(size[axis]) + 0.5) * ratio - corner  # in the window's pixels
            covered = np.flatnonzero((centres > 0) & (centres < window))
            inside.append(slice(covered[0], covered[-1] + 1))
            positions.append(torch.from_numpy(2 * centres[covered] / window - 1).to(logits))
        y, x = torch.meshgrid(*positions, indexing="ij")
        grid = torch.stack([x, y], dim=-1)[None]
        sampled = F.grid_sample(logits[None], grid, padding_mode="border", align_corners=False)
        return sampled[0], inside


def cut_off(view: View, logits: Tensor, stride: int) -> bool:
    """Tell whether a mask (4h, 4w) reaches a side of the window inside the picture."""
    mask = logits > 0
    bottom, right = view.row + mask.shape[0] * stride, view.column + mask.shape[1] * stride
    sides = (
        (view.row > 0, mask[0]),
        (view.column > 0, mask[:, 0]),
        (bottom < view.shape[0], mask[-1]),
        (right < view.shape[1], mask[:, -1]),
    )
    return any(inner and bool(side.any()) for inner, side in sides)
