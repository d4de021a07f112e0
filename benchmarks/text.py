"""How well words are understood: ``python -m benchmarks.text DATA``.

Pictures that were not trained on, and mosaics of two or four of them (halves or quarters of
512 x 512 pixels, at random scales), so that there is something to tell apart. For each kind of
object that a view shows it is asked ten times in words that were not trained on, never with the
ones that were. Printed, for each kind:

direct      mean IoU of the semantic mask with the union of all objects of the kind, prompted with
            words; with words that were not moved to where pictures lie (unbridged); with the mean
            image vector of four of its objects (what it was trained with, the upper bound); with
            words, from a decoder that was trained on the captions' text vectors instead
            (``--baseline``); and the best that ignores the words: everything that is labelled.
ranked      average precision of the proposals of an automatic run, sorted by their similarity with
            the words; in a random order; and sorted by the image vector. A proposal is right if its
            IoU with an object of the kind is above 0.5.

Then the gap between the two modalities, and the similarity of words that it does not know.
"""

from __future__ import annotations

import argparse
import json
from collections import defaultdict
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from PIL import Image

from napari_sam import GridSettings, Predictor, Prompts, load_model, propose_grid
from napari_sam.data.samples import LabelledImage, load_images
from napari_sam.data.split import split
from napari_sam.evaluation.evaluate import mask_iou
from napari_sam.model.load import read_text
from napari_sam.results import Proposal
from napari_sam.text.builtin import BuiltInEncoder
from napari_sam.text.encoder import unit
from napari_sam.text.load import load_encoder, read_tower
from napari_sam.text.ranking import object_vectors, proposal_crops, rank
from napari_sam.text.vocabulary import Vocabulary, vocabulary
from recipes.words.crops import Mosaics
from recipes.words.scenes import Scene

SIDE = 512
EXAMPLES = 4  # objects whose image vectors are averaged
Row = dict[str, float | str]


def main() -> None:
    """Ask, and print the tables."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("data", type=Path)
    parser.add_argument("--model", default="cells_tiny")
    parser.add_argument("--text", type=Path, help="text decoder in place of the one that ships")
    parser.add_argument("--tower", type=Path, help="image tower in place of the one that ships")
    parser.add_argument("--baseline", type=Path, help="text decoder trained on text vectors")
    parser.add_argument("--sets", nargs="*", default=[], help="only pictures of these data sets")
    parser.add_argument(
        "--views", type=int, default=30, help="mosaics, and as many single pictures"
    )
    parser.add_argument("--points", type=int, default=16)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--json", type=Path, help="write all rows")
    parser.add_argument("--sheet", type=Path, help="PNG of some mosaics and what words found there")
    parser.add_argument("--threads", type=int, default=1)
    options = parser.parse_args()
    model = load_model(options.model, "cpu")
    torch.set_num_threads(options.threads)
    predictor = Predictor(model, options.text and read_text(options.text))
    baseline = options.baseline and Predictor(model, read_text(options.baseline))
    encoder = read_tower(options.tower) if options.tower else load_encoder()
    assert isinstance(encoder, BuiltInEncoder)
    held = split(load_images(options.data))[1]
    held = [p for p in held if not options.sets or p.dataset.startswith(tuple(options.sets))]
    asking = Asking(
        predictor, baseline, encoder, vocabulary(), GridSettings(points_per_side=options.points)
    )
    if options.sheet:
        draw(asking, held, options.sheet, options.seed)
        return
    rows: list[Row] = []
    for name, scene in scenes(held, options.views, options.seed):
        rows += [{"view": name} | row for row in asking.rows(scene)]
        print(".", end="", flush=True)
    print()
    for name in ("mosaic", "single"):
        table(name, [row for row in rows if row["view"] == name])
    gap(encoder, held, vocabulary())
    strangers(encoder, vocabulary())
    if options.json:
        options.json.write_text(json.dumps(rows, indent=1), "utf-8")


def scenes(pictures: Sequence[LabelledImage], count: int, seed: int) -> Iterator[tuple[str, Scene]]:
    """Yield mosaics, then single pictures."""
    rng = np.random.default_rng(seed)
    sets = vocabulary().sets
    for name, single in (("mosaic", 0.0), ("single", 1.0)):
        views = Mosaics(pictures, sets, SIDE, single)
        for _ in range(count):
            yield name, views.draw(rng)


class Asking:
    """Asks for every kind of object in a view, in all ways."""

    def __init__(
        self,
        predictor: Predictor,
        baseline: Predictor | None,
        encoder: BuiltInEncoder,
        words: Vocabulary,
        grid: GridSettings,
    ) -> None:
        self.predictor, self.baseline, self.encoder = predictor, baseline, encoder
        self.words, self.grid = words, grid
        self.rng = np.random.default_rng(0)
        self.texts = {kind: encoder.words(some) for kind, some in words.queries.items()}

    def rows(self, scene: Scene) -> Iterator[Row]:
        """Yield a row for each kind of object in a view."""
        embedding = self.predictor.embed(scene.rgb, (0, 255))
        found = propose_grid(self.predictor, scene.rgb, self.grid, contrast=(0, 255))
        seen = object_vectors(self.encoder, proposal_crops(scene.rgb, found, self.encoder.side))
        kinds = self.words.of_role("kind")
        nothing = self.encoder.words([self.words.background[0]])
        for kind in kinds:
            labels = scene.fitting(frozenset({kind}))
            if not labels:
                continue
            truth = np.isin(scene.labels, labels)
            example = self.example(scene, labels)

            def direct(predictor: Predictor, vectors: NDArray[np.float32], truth=truth) -> float:
                prompts = [Prompts(text=vector) for vector in vectors]
                masks = (one.masks[0] for one in predictor.predict_batch(embedding, prompts))
                return float(np.mean([mask_iou(mask, truth) for mask in masks]))

            row: Row = {
                "kind": kind,
                "direct": direct(self.predictor, self.encoder.prompts(self.words.queries[kind])),
                "unbridged": direct(self.predictor, self.texts[kind]),
                "picture": direct(self.predictor, example[None]),
                "everything": mask_iou(scene.labels > 0, truth),
            }
            if self.baseline is not None:
                row["baseline"] = direct(self.baseline, self.texts[kind])
            right = self.right(scene, found, labels)
            if 0 < right.sum() < len(right):
                others = self.encoder.words([self.words.phrases[k][0] for k in kinds if k != kind])
                others = np.concatenate([nothing, others])
                single = [
                    self.encoder.similarity(seen, t[None], others)[:, 0] for t in self.texts[kind]
                ]
                row |= {
                    "ranked": float(np.mean([precision(right, one) for one in single])),
                    "cosine": float(
                        np.mean([precision(right, one) for one in (seen @ self.texts[kind].T).T])
                    ),
                    "by picture": precision(right, seen @ example),
                    "random": float(right.mean()),
                }
            yield row

    def example(self, scene: Scene, labels: list[int]) -> NDArray[np.float32]:
        """Return the mean image vector of some of the objects."""
        some = self.rng.choice(labels, min(EXAMPLES, len(labels)), replace=False).tolist()
        crops = [scene.crop(i, self.encoder.side, self.rng) for i in some]
        return unit(self.encoder.crops(crops).mean(axis=0))

    def right(
        self, scene: Scene, found: Sequence[Proposal], labels: list[int]
    ) -> NDArray[np.bool_]:
        """Tell of each proposal whether it is an object of the kind."""
        areas = np.bincount(scene.labels.ravel())
        result = []
        for one in found:
            under = np.bincount(scene.labels[one.box][one.patch], minlength=len(areas))
            under[0] = 0
            best = int(under.argmax())
            overlap = under[best] / (one.area + areas[best] - under[best]) if under[best] else 0
            result.append(overlap > 0.5 and best in labels)
        return np.array(result, bool)


def draw(asking: Asking, pictures: Sequence[LabelledImage], file: Path, seed: int) -> None:
    """Draw mosaics, a kind of object of each that is there, and both ways to find it by words."""
    views = Mosaics(pictures, asking.words.sets, SIDE, 0.0)
    rng, sheet = np.random.default_rng(seed), []
    for kind in ("nucleus", "axon", "cell", "yeast"):
        scene = views.draw(rng)
        while not scene.fitting(frozenset({kind})):
            scene = views.draw(rng)
        text = [asking.words.queries[kind][0]]
        embedding = asking.predictor.embed(scene.rgb, (0, 255))
        direct = asking.predictor.predict(
            embedding, Prompts(text=asking.encoder.prompts(text)[0])
        ).masks[0]
        found = propose_grid(asking.predictor, scene.rgb, asking.grid, contrast=(0, 255))
        ranked = np.zeros(direct.shape, bool)
        best = rank(asking.encoder, scene.rgb, found, text, contrast=(0, 255))
        for i, _ in best.chosen():
            ranked |= found[i].mask
        truth = np.isin(scene.labels, scene.fitting(frozenset({kind})))
        row = [scene.rgb, *(painted(scene.rgb, mask) for mask in (truth, direct, ranked))]
        sheet.append(np.concatenate(row, axis=1)[::2, ::2])
        print(
            text[0],
            "direct",
            f"{mask_iou(direct, truth):.2f}",
            "ranked",
            f"{mask_iou(ranked, truth):.2f}",
        )
    Image.fromarray(np.concatenate(sheet)).save(file)


def painted(rgb: NDArray[np.uint8], mask: NDArray[np.bool_]) -> NDArray[np.uint8]:
    """Return a picture with a mask in orange."""
    colour = np.where(mask[..., None], np.array([255, 140, 0]), rgb)
    return (0.5 * rgb + 0.5 * colour).astype(np.uint8)


def precision(right: NDArray[np.bool_], value: NDArray[np.floating]) -> float:
    """Return the average precision of a ranking."""
    order = right[np.argsort(-value, kind="stable")]
    return float((np.cumsum(order) / np.arange(1, len(order) + 1))[order].mean())


def table(name: str, rows: Sequence[Row]) -> None:
    """Print the means of each kind, and of all kinds."""
    columns = [
        "direct",
        "unbridged",
        "picture",
        "baseline",
        "everything",
        "ranked",
        "cosine",
        "by picture",
        "random",
    ]
    print(f"\n{name} | views | " + " | ".join(columns))
    by_kind = defaultdict(list)
    for row in rows:
        by_kind[str(row["kind"])].append(row)
    means = []
    for kind, some in by_kind.items():
        values = [[float(r[c]) for r in some if c in r] for c in columns]
        mean = [float(np.mean(v)) if v else np.nan for v in values]
        means.append(mean)
        print(f"{kind} | {len(some)} | " + " | ".join(f"{value:.2f}" for value in mean))
    print(f"mean | {len(rows)} | " + " | ".join(f"{v:.2f}" for v in np.nanmean(means, axis=0)))


def gap(encoder: BuiltInEncoder, pictures: Sequence[LabelledImage], words: Vocabulary) -> None:
    """Print how far vectors of pictures and words lie apart."""
    rng = np.random.default_rng(1)
    views = Mosaics(pictures, words.sets, 256, 1.0)
    seen, kinds = [], []
    for _ in range(100):
        scene = views.draw(rng)
        label = int(rng.choice(list(scene.facts)))
        kind = next((fact for fact in scene.facts[label] if words.role[fact] == "kind"), None)
        if kind is not None:
            seen.append(encoder.crops([scene.crop(label, encoder.side, rng)])[0])
            kinds.append(kind)
    shown = np.array(seen)
    said = {kind: unit(encoder.words(some).mean(axis=0)) for kind, some in words.queries.items()}
    match = np.array([said[kind] for kind in kinds])
    apart = np.linalg.norm(shown.mean(axis=0) - match.mean(axis=0))
    own = (shown * match).sum(axis=1).mean()
    other = np.mean([shown[i] @ said[k] for i, kind in enumerate(kinds) for k in said if k != kind])
    print(
        f"\ngap between the means of image and text vectors {apart:.2f}; cosine of an object with "
        f"words for its kind {own:.2f}, with those of another kind {other:.2f}"
    )


def strangers(encoder: BuiltInEncoder, words: Vocabulary) -> None:
    """Print how words are told that were never taught, and those that paraphrase known ones."""
    asked = [text for some in words.queries.values() for text in some]
    known = np.array([encoder.familiarity(text)[0] for text in asked])
    new = np.array([encoder.familiarity(text)[0] for text in words.unknown])
    least = encoder.min_familiarity
    print(
        f"known from {least:.2f} on: {(known >= least).mean():.0%} of {len(known)} "
        f"paraphrases, {(new >= least).mean():.0%} of {len(new)} other words"
    )
    print(
        "taken for unknown:",
        ", ".join(t for t, k in zip(asked, known, strict=True) if k < least),
    )
    print(
        "taken for known:",
        ", ".join(t for t, k in zip(words.unknown, new, strict=True) if k >= least),
    )


if __name__ == "__main__":
    main()
