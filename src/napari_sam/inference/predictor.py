"""The predictor: embed an image once, predict masks for prompts."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from functools import cached_property, partial

import numpy as np
import torch
from numpy.typing import ArrayLike, NDArray
from torch import Tensor

from napari_sam.arrays import ContrastRange
from napari_sam.errors import CheckpointError, DeviceError, InputError
from napari_sam.inference.batching import in_batches
from napari_sam.inference.clicks import settle
from napari_sam.inference.embedding import Embedding, Level, map_features, to_half
from napari_sam.inference.image import (
    check_image,
    contrast_range,
    fit_shape,
    normalise,
    resize,
    stretch,
    to_rgb8,
)
from napari_sam.inference.masks import keep_prompted
from napari_sam.inference.pyramid import SIDE, is_large
from napari_sam.inference.sliding import SlidingWindow, sliding_windows
from napari_sam.inference.tiled_embedding import TiledEmbedding
from napari_sam.inference.windows import View, Window, find_windows, is_rival, merge
from napari_sam.model.load import load_text
from napari_sam.model.sam import Features, Sam
from napari_sam.model.text_decoder import TextDecoder
from napari_sam.progress import Pause
from napari_sam.prompts import Prompts
from napari_sam.results import Prediction

__all__ = ["Embedding", "Predictor"]

MAX_ENLARGEMENT = 8  # a picture of a few pixels stays one of few
Form = tuple[int, bool, bool, bool]
"""Number of points, and whether there are a box, a mask and words."""


class Predictor:
    """Embed pictures and predict masks with one model.

    A picture is embedded once; any number of prompts are answered from its embedding.

    Parameters
    ----------
    model : Sam
        From `load_model`.
    text : TextDecoder, optional
        What answers prompts with words. None takes the one that was trained for this model, if
        there is one.

    Examples
    --------
    >>> import numpy as np
    >>> import napari_sam as ns
    >>> rows, columns = np.indices((48, 64))
    >>> image = np.where(np.hypot(rows - 20, columns - 30) < 9, 180, 20).astype(np.uint8)
    >>> predictor = ns.Predictor(ns.load_model("cells_tiny"))
    >>> embedding = predictor.embed(image)
    >>> result = predictor.predict(embedding, ns.Prompts(points=[(20, 30)], labels=[1]))
    >>> result.masks.shape, bool(result.masks[0, 20, 30])
    ((3, 48, 64), True)
    >>> boxes = [ns.Prompts(box=(10, 20, 30, 40)), ns.Prompts(box=(8, 18, 32, 42))]
    >>> [answer.masks.shape for answer in predictor.predict_batch(embedding, boxes)]
    [(1, 48, 64), (1, 48, 64)]
    """

    def __init__(self, model: Sam, text: TextDecoder | None = None) -> None:
        self.model = model
        self.config = model.config
        self._text = text

    @cached_property
    def text(self) -> TextDecoder | None:
        """Decoder of text prompts; None if none was trained for this model."""
        return self._text or load_text(self.model)

    @torch.inference_mode()
    def embed(
        self,
        image: ArrayLike,
        contrast: ContrastRange | None = None,
        pause: Pause | None = None,
        *,
        sizes: Sequence[tuple[int, int]] | None = None,
        compact: bool = False,
    ) -> Embedding:
        """Run the image encoder and return the image embedding.

        Parameters
        ----------
        image : (H, W), (H, W, 3) or (H, W, 4) array-like of any real dtype
            NaN is shown as the lowest intensity; alpha is dropped.
        contrast : (low, high), optional
            Intensities that become black and white. None takes the model's own rule; uint8 with
            (0, 255) goes in untouched.
        pause : callable, optional
            Called between the steps of this and the layers of the encoder: it may do other work
            with this model, or raise an exception to stop.
        sizes : sequence of (h, w), optional
            Sizes in model pixels at which a dense model looks, finest first; None takes `scales`.
        compact : bool
            Whether the features become float16 as soon as a level is made.

        Returns
        -------
        Embedding

        Raises
        ------
        InputError
            If this is no picture (see `check_image`).
        CheckpointError
            If the model's answer is not finite.
        DeviceError
            If the device has no memory for it.
        """
        image = check_image(image)
        if contrast is None:
            contrast = contrast_range(image, self.model.entry.intensity)
        rgb = to_rgb8(image, contrast)
        levels = []
        with self.pausing(pause, self._layers()) as rest:
            for shape in sizes or self.scales(rgb.shape[:2]):
                features = self._features(rgb, shape, rest)
                if compact:
                    features = map_features(partial(_to_half_after, rest), features)
                levels.append(Level(shape, features))
        return Embedding(rgb.shape[:2], contrast, tuple(levels))

    def predict(
        self,
        embedding: Embedding | TiledEmbedding,
        prompts: Prompts,
        multimask: bool | None = None,
        pause: Pause | None = None,
    ) -> Prediction:
        """Predict the masks of one object.

        Parameters
        ----------
        embedding : Embedding or TiledEmbedding
            Of the picture.
        prompts : Prompts
            Of the object.
        multimask : bool, optional
            True for three candidates, False for one mask, as the decoder gives them. None gives
            three for exactly one point and nothing else (paper, section 3), and sees to it that
            several clicks are obeyed: where an answer contradicts one of them, another that does
            not is looked for, else the mask is cut between them (see `Prediction.remark`).
        pause : callable, optional
            Called while a tile of a large picture is embedded; as in `embed`.

        Returns
        -------
        Prediction
            (C, H, W) masks, (C,) scores and (C, h, w) logits, best predicted IoU first.

        Raises
        ------
        InputError
            If a point lies outside the picture, the box leaves it, the mask has another shape, or
            the model does not understand the words. For words alone, and logits, in a large one.
        """
        return self.predict_batch(embedding, [prompts], multimask, pause)[0]

    @torch.inference_mode()
    def predict_batch(
        self,
        embedding: Embedding | TiledEmbedding,
        prompts: Sequence[Prompts],
        multimask: bool | None = None,
        pause: Pause | None = None,
    ) -> list[Prediction]:
        """Predict the masks of N objects; equal to N calls of `predict`.

        Objects whose prompts have the same form and window share one run of the decoder. Where
        nothing tells an object's size, and the picture was enlarged, several levels answer and the
        best candidates of all count. Where a window cuts the mask, a coarser one answers.

        Parameters
        ----------
        embedding, multimask, pause
            As in `predict`.
        prompts : sequence of Prompts
            N objects.

        Returns
        -------
        list of Prediction
            N answers, in the order of the prompts.

        Raises
        ------
        InputError
            As in `predict`.
        """
        for one in prompts:
            self._check(embedding, one)
        if isinstance(embedding, TiledEmbedding):
            ask = partial(self.predict_batch, multimask=multimask)
            return embedding.predict(ask, prompts, pause)
        answers = [merge(some) for some in self._look(embedding, prompts, multimask)]
        if multimask is not None:
            return answers
        return [
            settle(one, answer, embedding, self.config, partial(self._look, embedding))
            for one, answer in zip(prompts, answers, strict=True)
        ]

    def _look(
        self, embedding: Embedding, prompts: Sequence[Prompts], multimask: bool | None
    ) -> list[list[tuple[int, Prediction]]]:
        """Return the answers of each object, with how many levels coarser each one's window is."""
        answers: list[list[tuple[int, Prediction]]] = [[] for _ in prompts]
        alone = [i for i, one in enumerate(prompts) if one.is_text_alone]
        for i, result in zip(alone, self._predict_sliding(embedding, prompts, alone), strict=True):
            answers[i].append((0, result))
        windows = [
            [] if one.is_text_alone else find_windows(embedding, self.config, one)
            for one in prompts
        ]
        for turn in range(len(embedding.levels)):
            groups: dict[tuple[Form, Window], list[int]] = defaultdict(list)
            for i, one in enumerate(prompts):
                some = windows[i][turn : turn + 1]
                if some and (not answers[i] or is_rival(embedding, one, some[0])):
                    groups[_form(one), some[0]].append(i)
            for (_, window), members in groups.items():
                view = View(embedding, self.config, window)
                first = prompts[members[0]]
                three = (
                    first.is_lone_point if multimask is None else multimask and first.text is None
                )
                chosen = [prompts[i] for i in members]
                work = partial(self._decode, view, three)
                results = in_batches(work, chosen, self.model.device)
                for i, (result, cut) in zip(members, results, strict=True):
                    last = turn + 1 == len(windows[i])
                    if not cut or (last and not answers[i]):
                        answers[i].append((turn, result))
        return answers

    @contextmanager
    def pausing(
        self, pause: Pause | None, layers: Iterable[torch.nn.Module]
    ) -> Iterator[Callable[..., None]]:
        """Call `pause`, if there is one, before each of the model's `layers`; yield what does."""
        if pause is None:
            yield lambda: None
            return

        pausing = False

        def rest(*_: object) -> None:
            nonlocal pausing
            if pausing:  # the model works on something else
                return
            pausing = True
            try:
                # What is done meanwhile shall not be computed in the encoder's half precision.
                with torch.autocast(self.model.device.type, enabled=False):
                    pause()
            finally:
                pausing = False

        hooks = [layer.register_forward_pre_hook(rest) for layer in layers]
        try:
            yield rest
        finally:
            for one in hooks:
                one.remove()

    def _layers(self) -> list[torch.nn.Module]:
        """Return the layers of the encoder, before each of which there may be a pause."""
        return [m for m in self.model.image_encoder.modules() if not any(m.children())]

    def work(self, shape: tuple[int, int]) -> NDArray[np.float64]:
        """Return how much of an embedding is done at each pause, from 0 to 1, about.

        Of a picture (H, W) that is large it is that of a tile.
        """
        scales = self.tile_scales((SIDE, SIDE)) if is_large(shape) else self.scales(shape)
        sizes = np.prod(scales, axis=1)
        layers = len(self._layers())
        return np.cumsum(np.repeat(sizes / (sizes.sum() * layers), layers))

    def scales(self, shape: tuple[int, int]) -> list[tuple[int, int]]:
        """Return the sizes of the embedding's levels in model pixels, finest first."""
        if not self.config.dense:
            return [self._framed(shape)]
        longest = min(max(2 * max(shape), self.config.enlarge), self.config.closest)
        longest = min(longest, MAX_ENLARGEMENT * max(shape))
        return self._halved(shape if max(shape) > longest else fit_shape(shape, longest), shape)

    def tile_scales(self, shape: tuple[int, int]) -> list[tuple[int, int]]:
        """Return the sizes of the levels of a tile (H, W), which is not enlarged, finest first."""
        if not self.config.dense:
            return [self._framed(shape)]
        return self._halved(shape, shape)

    def _framed(self, shape: tuple[int, int]) -> tuple[int, int]:
        """Return the size of a picture in the frame of a model that sees all of it at once."""
        frame = self.config.frame
        return (frame, frame) if self.config.stretched else fit_shape(shape, frame)

    def _halved(self, first: tuple[int, int], shape: tuple[int, int]) -> list[tuple[int, int]]:
        """Return a size, and halves of it until a picture of this shape fits the frame."""
        shapes = [first]
        while max(shapes[-1]) > self.config.frame:
            longest = max(self.config.frame, -(-max(shapes[-1]) // 2))
            shapes.append(fit_shape(shape, longest))
        return shapes

    def _features(
        self, rgb: NDArray[np.uint8], shape: tuple[int, int], rest: Callable[..., None]
    ) -> Features:
        rest()
        if self.config.stretched:
            pixels = stretch(rgb, self.config.frame)
        else:  # dense models take any size; SAM's own take the square frame only
            resized = resize(rgb, shape)
            rest()
            pixels = normalise(resized, 32 if self.config.dense else self.config.frame)
        try:
            features = self.model.encode(pixels.to(self.model.device))
            self._check_finite(features.embedding)
            return features
        except torch.OutOfMemoryError as error:
            raise DeviceError(
                f"{self.model.device} ran out of memory for a picture of {shape[0]} x {shape[1]} "
                "model pixels; choose a smaller model or the device 'cpu'"
            ) from error

    def _check(self, embedding: Embedding | TiledEmbedding, prompts: Prompts) -> None:
        if not isinstance(prompts, Prompts):
            raise InputError(f"an object is asked for with Prompts; got {type(prompts).__name__}")
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
            if self.text is None:
                raise InputError(
                    f"the model {self.model.entry.name} understands no words; take cells_tiny, or "
                    "rank what is found by the words instead"
                )
            if len(prompts.text) != self.text.width:
                raise InputError(
                    f"the text prompt has {len(prompts.text)} entries, the model wants "
                    f"{self.text.width}; use the encoder that it was trained with"
                )
        if prompts.mask is not None and prompts.mask.dtype == bool and prompts.mask.shape != (h, w):
            raise InputError(
                f"a boolean mask must have the picture's shape {embedding.shape}; "
                f"got {prompts.mask.shape}"
            )
        if isinstance(embedding, TiledEmbedding):
            embedding.check(prompts)
            return
        size = embedding.logits_size
        if prompts.mask is not None and prompts.mask.dtype != bool and prompts.mask.shape != size:
            raise InputError(
                f"mask logits must have the shape of Prediction.logits, {size} for this picture; "
                f"got {prompts.mask.shape}"
            )

    def _decode(
        self, view: View, three: bool, prompts: list[Prompts]
    ) -> list[tuple[Prediction, bool]]:
        """Decode objects with prompts of one form, and say of each whether the window cuts it.

        Everything between the prompts and the masks is (x, y).
        """
        like = self.model.mask_decoder.iou_token.weight
        first = prompts[0]
        points = labels = boxes = masks = None
        if len(first.points):
            points = self._stack([view.to_frame(p.points) for p in prompts])
            labels = torch.from_numpy(np.stack([p.labels for p in prompts])).to(like.device)
        if first.box is not None:
            corners = [view.to_frame(np.reshape(np.asarray(p.box), (2, 2))) for p in prompts]
            boxes = self._stack(corners).flatten(1)
        if first.mask is not None:
            masks = torch.stack([view.mask_logits(np.asarray(p.mask), like) for p in prompts])
        # Features from a store are float16.
        features = map_features(lambda part: part.to(like.dtype), view.features)
        if first.text is None or self.text is None:
            logits, scores = self.model.decode(features, points, labels, boxes, masks)
        else:
            vectors = self._vectors(prompts)
            logits, scores = self.text(self.model, features, vectors, points, labels, boxes, masks)
        self._check_finite(logits, scores)
        chosen = slice(1, 4) if three else slice(0, 1)  # mask 0 answers unambiguous prompts
        results = []
        candidates = zip(prompts, logits[:, chosen].float(), scores[:, chosen].float(), strict=True)
        for one, low, score in candidates:
            order = score.argsort(descending=True, stable=True)
            best = low[order]
            found = view.masks(best)
            if self.config.dense:  # SAM's own sizes answer as the reference does
                found = np.stack([keep_prompted(mask, one) for mask in found])
            scored, whole = score[order].cpu().numpy(), view.whole(best).cpu().numpy()
            results.append((Prediction(found, scored, whole), view.cuts(found[0])))
        return results

    def _predict_sliding(
        self, embedding: Embedding, prompts: Sequence[Prompts], alone: Sequence[int]
    ) -> list[Prediction]:
        """Decode words in windows all over the picture, and join the answers of each."""
        if not alone or self.text is None:  # what words need is loaded for words only
            return []
        vectors = self._vectors([prompts[i] for i in alone])
        joined = [SlidingWindow(embedding, self.config) for _ in alone]
        for window in sliding_windows(embedding, self.config):
            view = View(embedding, self.config, window)
            features = map_features(lambda part: part.to(vectors.dtype), view.features)
            logits, scores = self.text(self.model, features, vectors)
            self._check_finite(logits, scores)
            for one, low, score in zip(joined, logits[:, :1].float(), scores[:, 0], strict=True):
                one.add(view, low, float(score))
        return [one.prediction() for one in joined]

    def _check_finite(self, *parts: Tensor) -> None:
        """Refuse answers that are none; lowest and highest are NaN if any is."""
        ends = torch.stack([end for part in parts for end in part.aminmax()])
        if not torch.isfinite(ends).all():
            raise CheckpointError(
                f"the model {self.model.entry.name} answers with values that are not finite: its "
                "weights are damaged or its training went astray. Take another model, or try the "
                "device 'cpu'"
            )

    def _vectors(self, prompts: Sequence[Prompts]) -> Tensor:
        """Return (B, D) words; by powers of two their largest entries are brought near 1.

        That changes no direction, and no length overflows.
        """
        vectors = [np.asarray(one.text) for one in prompts]
        return self._stack([np.ldexp(x, -np.frexp(np.abs(x).max())[1]) for x in vectors])

    def _stack(self, positions: list[NDArray[np.float64]]) -> Tensor:
        """Return (B, N, 2) positions where and as the model wants them."""
        like = self.model.mask_decoder.iou_token.weight
        return torch.from_numpy(np.stack(positions)).to(like.device, like.dtype)


def _to_half_after(rest: Callable[..., None], part: Tensor) -> Tensor:
    rest()
    return to_half(part)


def _form(prompts: Prompts) -> Form:
    """Return what has to be equal for objects to be decoded together."""
    others = (prompts.box, prompts.mask, prompts.text)
    box, mask, text = (other is not None for other in others)
    return len(prompts.points), box, mask, text
