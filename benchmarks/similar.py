"""How well more objects like a few are found: ``python -m benchmarks.similar DATA DATA2``.

Mosaics of two kinds of objects: quarters of 192 x 192 pixels, two of each kind, of the pictures of
two data sets (held out, where the set has pictures held out). Pairs of *seen* sets are of DATA, on
which the encoder and the image tower were trained; of *new* ones, of DATA2, neither saw anything
(the instance decoder, which proposes, did). One, three or ten objects of a kind are examples, as
they are labelled; all that the automatic mode finds, but for them, is sorted by similarity.

ranked    average precision: right is a proposal whose IoU with an object of the kind is above 0.5;
          objects that were never proposed do not count here. Beside it by a random order, by the
          proposals' quality, with each group of features alone, and without it; and by the words'
          rating of the same proposals, against what words suggest, and against the other's words.
found     share of the kind's objects that are proposed at all: what no similarity can change.
of all    average precision in which objects that nothing has proposed count as missed, too. The
          same with the places at which `find_similar` asks once more, and as many at random; with
          three examples, one draw, and the points and seconds of the processor that it took.
counted   the error of the count in per cent, and how often the truth lies between its ends.
classes   share of objects whose class is right by as many examples of both kinds, of all, and of
          those of a certainty of 0.8 or more; and how many those are.
"""

from __future__ import annotations

import argparse
import json
import time
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray

from benchmarks.text import precision
from napari_sam import GridSettings, Predictor, load_model, propose_instances
from napari_sam.data.samples import LabelledImage, load_images
from napari_sam.data.split import split
from napari_sam.evaluation.report import markdown
from napari_sam.inference.automatic.search import iter_proposals
from napari_sam.inference.image import resize
from napari_sam.inference.similar.features import Described
from napari_sam.inference.similar.rating import WEIGHTS, Classes, Likeness, count
from napari_sam.inference.similar.seeds import unfound
from napari_sam.masks import cropped_masks
from napari_sam.results import Proposal
from napari_sam.text.encoder import Encoder
from napari_sam.text.load import load_encoder
from napari_sam.text.similar import describe

SIDE = 192  # pixels of a quarter
WIDEST = 40  # pixels: pictures with larger objects (the median) are reduced to it
SMALLEST = 30  # pixels of an object; less of one is no object
EXAMPLES = 1, 3, 10
SURE = 0.8
STAINED, GLOWING = "dsb2018_train, stained", "dsb2018_train, fluorescence"
SEEN = (
    (GLOWING, STAINED),
    (GLOWING, "colicoords_ecoli"),
    ("axondeepseg_sem", STAINED),
    (GLOWING, "usiigaci_phase"),
    ("omnipose_samples", "colicoords_ecoli"),
    ("epitools_epithelium", "codex_tissue"),
    ("neuroproof_fib25_em3d", "axondeepseg_sem"),
    ("dsb2018_train, grey", STAINED),
    ("baby_mothermachine", "omnipose_samples"),
)
NEW = (
    ("axondeepseg_tem", "haehn_cortex_em3d"),
    ("bitdepth_tissue_nuclei", "cytokit_tcells"),
    ("cornea_endothelium", "embl_zebrafish_membranes"),
    ("yeastvision_phase", "omnipose_samples2"),
    ("maize_clsm", "cornea_endothelium"),
    ("bitdepth_tissue_nuclei", "yeastvision_phase"),
    ("polarityjam_endothelium", "maize_clsm"),
)
WORDS = {
    GLOWING: "fluorescent nuclei",
    STAINED: "stained nuclei",
    "dsb2018_train, grey": "nuclei in brightfield",
    "axondeepseg_sem": "axons",
    "axondeepseg_tem": "axons",
    "baby_mothermachine": "bacteria in a mother machine",
    "bitdepth_tissue_nuclei": "nuclei in tissue",
    "codex_tissue": "cells in tissue",
    "colicoords_ecoli": "E. coli",
    "cornea_endothelium": "cells of an endothelium",
    "cytokit_tcells": "T cells",
    "embl_zebrafish_membranes": "cells with bright membranes",
    "epitools_epithelium": "epithelial cells",
    "haehn_cortex_em3d": "neurites",
    "maize_clsm": "plant cells",
    "neuroproof_fib25_em3d": "neurites",
    "omnipose_samples": "bacteria",
    "omnipose_samples2": "bacteria",
    "polarityjam_endothelium": "endothelial cells",
    "usiigaci_phase": "tumour cells",
    "yeastvision_phase": "yeast cells",
}
SEEDED = 3  # examples with which the seeds are measured
Pictures = Mapping[str, Sequence[LabelledImage]]
Pair = tuple[str, str]
Matches = NDArray[np.int64]


@dataclass(frozen=True, eq=False)
class Mosaic:
    """What was found in a mosaic, and what is known of the truth.

    Parameters
    ----------
    found, labelled : Described
        Features of the proposals, and of the labelled objects.
    quality : (N,) float
        Of the proposals.
    match : (N,) int
        Which labelled object each proposal is, -1 for none.
    kinds : (M,) int
        Of the labelled objects, 0 or 1.
    words : (2, 2, N) float
        Similarity of the proposals with the words of each kind: against what those suggest, and
        against those of the other kind.
    more : callable
        Takes examples, which proposals are left, and whether to ask at random; returns features
        and matches of what is found besides, and at how many points.
    """

    found: Described
    labelled: Described
    quality: NDArray[np.float64]
    match: NDArray[np.int64]
    kinds: NDArray[np.int64]
    words: NDArray[np.float64]
    more: Callable[[NDArray[np.int64], NDArray[np.bool_], bool], tuple[Described, Matches, int]]


def main() -> None:
    """Make mosaics, rate, and print the tables."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("data", type=Path, nargs=2, help="folders of data sets, seen and new")
    parser.add_argument("--model", default="cells_tiny")
    parser.add_argument("--mosaics", type=int, default=2, help="of each pair of sets")
    parser.add_argument("--draws", type=int, default=3, help="of examples in each mosaic and kind")
    parser.add_argument("--json", type=Path, help="write all figures")
    options = parser.parse_args()
    predictor = Predictor(load_model(options.model, "cpu"))
    torch.set_num_threads(1)
    encoder = load_encoder()
    rng, figures = np.random.default_rng(0), {}
    for group, folder, pairs in zip(("seen", "new"), options.data, (SEEN, NEW), strict=True):
        pictures = usable(folder)
        mosaics: dict[Pair, list[Mosaic]] = {}
        for pair in pairs:
            drawn = (draw(pictures, pair, k, rng) for k in range(options.mosaics))
            said = [WORDS[name] for name in pair]
            mosaics[pair] = [look(predictor, encoder, said, *one) for one in drawn]
            print(".", end="", flush=True)
        print()
        figures[group] = rate(mosaics, options.draws)
        report(group, figures[group], len(pairs), options.mosaics)
    if options.json:
        options.json.write_text(json.dumps(figures, indent=1), "utf-8")


def usable(folder: Path) -> Pictures:
    """Return pictures by data set: those held out, of a set without any those trained on."""
    trained, held = split(load_images(folder, max_planes=2))
    by_set: dict[str, list[LabelledImage]] = defaultdict(list)
    for some in (held, trained):
        known = set(by_set)
        for picture in some:
            if not picture.partial and len(picture.ids) >= 6 and picture.dataset not in known:
                by_set[picture.dataset].append(picture)
    return by_set


def draw(
    pictures: Pictures, pair: Pair, number: int, rng: np.random.Generator
) -> tuple[NDArray[np.uint8], NDArray[np.int32], NDArray[np.int64]]:
    """Return a mosaic, its labels from 1 on, and the kind of each."""
    rgb = np.zeros((2 * SIDE, 2 * SIDE, 3), np.uint8)
    labels, kinds = np.zeros(rgb.shape[:2], np.int32), list[int]()
    chosen = [pictures[name][number % len(pictures[name])] for name in pair]
    for row, column in np.ndindex(2, 2):
        kind = (row + column) % 2
        place = np.s_[row * SIDE : (row + 1) * SIDE, column * SIDE : (column + 1) * SIDE]
        rgb[place], there = quarter(chosen[kind], rng)
        for label in np.unique(there[there > 0]):
            if (there == label).sum() >= SMALLEST:
                kinds.append(kind)
                labels[place][there == label] = len(kinds)
    return rgb, labels, np.array(kinds)


def quarter(
    picture: LabelledImage, rng: np.random.Generator
) -> tuple[NDArray[np.uint8], NDArray[np.int32]]:
    """Return the fullest of a few cuts of a picture; a small picture is mirrored at its ends."""
    rgb, labels = picture.rgb, picture.labels
    scale = min(1.0, WIDEST / float(np.median(picture.diameters)))
    if scale < 1:
        size = tuple(max(SIDE, round(side * scale)) for side in labels.shape)
        rows, columns = (np.arange(n) * m // n for n, m in zip(size, labels.shape, strict=True))
        rgb, labels = resize(rgb, size), labels[np.ix_(rows, columns)]
    lacking = [(0, max(0, SIDE - side)) for side in labels.shape]
    rgb = np.pad(rgb, [*lacking, (0, 0)], mode="reflect")
    labels = np.pad(labels, lacking, mode="reflect")
    cuts = []
    for _ in range(8):
        top, left = (int(rng.integers(side - SIDE + 1)) for side in labels.shape)
        place = np.s_[top : top + SIDE, left : left + SIDE]
        cuts.append((rgb[place], labels[place]))
    return max(cuts, key=lambda cut: len(np.unique(cut[1])))


def look(predictor, encoder, said, rgb, labels, kinds) -> Mosaic:  # type: ignore[no-untyped-def]
    """Find everything in a mosaic, and describe that and the truth."""
    embedding = predictor.embed(rgb, (0, 255))
    found = propose_instances(predictor, rgb, contrast=(0, 255))
    masks = [one.cropped for one in found], list(cropped_masks(labels).values())
    known = describe(predictor, encoder, embedding, rgb, [*masks[0], *masks[1]], (0, 255))
    places = np.arange(len(known))
    labelled = known.only(places[len(found) :])

    def more(shown, left, at_random):  # type: ignore[no-untyped-def]
        held, asked = np.where(np.isin(labels, shown + 1), labels, 0).astype(np.int64), [0]
        held = np.unique(held, return_inverse=True)[1].reshape(labels.shape)
        some = [one for one, is_left in zip(found, left, strict=True) if is_left]

        def ask(points):  # type: ignore[no-untyped-def]
            asked[0] = len(points)
            if at_random:
                free = held == 0
                for one in some:
                    free[one.box] &= ~one.patch
                there = np.argwhere(free).astype(float)
                points = np.random.default_rng(3).choice(there, len(points))
            return iter_proposals(predictor, rgb, GridSettings(), seeds=points, contrast=(0, 255))

        stride = predictor.config.stride
        new = unfound(embedding, stride, labelled.only(shown), some, held, ask)
        masks = [one.cropped for one in new] or [some[0].cropped]
        about = describe(predictor, encoder, embedding, rgb, masks, (0, 255))
        return about.only(range(len(new))), matches(new, labels), asked[0]

    return Mosaic(
        known.only(places[: len(found)]),
        labelled,
        np.array([one.score for one in found]),
        matches(found, labels),
        kinds,
        by_words(encoder, known.groups["crop"][: len(found)], said),
        more,
    )


def matches(found: Sequence[Proposal], labels: NDArray[np.int32]) -> Matches:
    """Return which labelled object each proposal is, -1 for none."""
    areas, match = np.bincount(labels.ravel()), []
    for one in found:
        under = np.bincount(labels[one.box][one.patch], minlength=len(areas))
        under[0] = 0
        best = int(under.argmax())
        union = one.area + areas[best] - under[best]
        match.append(best - 1 if under[best] > 0.5 * union else -1)
    return np.array(match, np.int64)


def by_words(encoder: Encoder, seen: NDArray[np.float64], said: list[str]) -> NDArray[np.float64]:
    """Return the similarity (2, 2, N) of crops with the words of two kinds; see `Mosaic`."""
    vectors = seen.astype(np.float32)

    def rated(text: str, against: list[str]) -> NDArray[np.float32]:
        return encoder.similarity(vectors, encoder.words([text]), encoder.words(against))[:, 0]

    pairs = zip(said, reversed(said), strict=True)
    return np.array(
        [[rated(one, encoder.against([one])), rated(one, [other])] for one, other in pairs], float
    )


def rate(mosaics: Mapping[Pair, Sequence[Mosaic]], draws: int) -> dict[str, dict[str, float]]:
    """Return the mean figures by number of examples: of the draws, then of the pairs."""
    table: dict[str, dict[str, float]] = {}
    for examples in EXAMPLES:
        pairs = []
        for some in mosaics.values():
            rng = np.random.default_rng(1)
            rows = [row for one in some for row in rows_of(one, examples, draws, rng)]
            if rows:
                names = dict.fromkeys(name for row in rows for name in row)
                pairs.append(
                    {name: np.mean([row[name] for row in rows if name in row]) for name in names}
                )
        table[str(examples)] = {
            name: float(np.mean([row[name] for row in pairs if name in row])) for name in pairs[0]
        } | {"pairs": len(pairs)}
    return table


def rows_of(
    one: Mosaic, examples: int, draws: int, rng: np.random.Generator
) -> Iterator[dict[str, float]]:
    """Yield the figures of one mosaic for each kind and draw of examples."""
    own = np.where(one.match >= 0, one.kinds[one.match], -1)
    for kind in (0, 1):
        candidates = np.flatnonzero(one.kinds == kind)
        others = np.flatnonzero(one.kinds != kind)
        for draw in range(draws):
            if min(len(candidates) - 1, len(others)) < examples:
                continue
            shown = rng.choice(candidates, examples, replace=False)
            left = ~np.isin(one.match, shown)
            right = (own == kind)[left]
            if not 1 < right.sum() < len(right):
                continue
            population = one.found.only(np.flatnonzero(left))
            known = one.labelled.only(shown)

            def ranked(weights, population=population, known=known, right=right):  # type: ignore[no-untyped-def]
                return precision(right, Likeness(population, known, None, weights).rate(population))

            found = len(set(one.match[own == kind])) / len(candidates)
            row = {
                "random": float(right.mean()),
                "quality": precision(right, one.quality[left]),
                "found": found,
                "ranked": ranked(WEIGHTS),
            }
            for name, rated in zip(("words", "words, both"), one.words[kind], strict=True):
                row[name] = precision(right, rated[left])
            if draw == 0 and examples == SEEDED:
                row |= seeded(one, kind, shown, left)
            for name in WEIGHTS:
                row[f"only {name}"] = ranked({n: 1.5 * (n == name) for n in WEIGHTS})
                row[f"without {name}"] = ranked({**WEIGHTS, name: 0.0})
            against = one.labelled.only(rng.choice(others, examples, replace=False))
            counter = Likeness(population, known, against).rate(population)
            row["with counter-examples"] = precision(right, counter)
            number = count(Likeness(population, known).rate(population))
            row["count error"] = 100 * abs(number.likely - right.sum()) / right.sum()
            row["within"] = float(number.least <= right.sum() <= number.most)
            yield row | classified(one, shown, rng.choice(others, examples, replace=False))


def seeded(
    one: Mosaic, kind: int, shown: NDArray[np.int64], left: NDArray[np.bool_]
) -> dict[str, float]:
    """Return the figures with and without what is found at places like the examples."""
    wanted = set((np.flatnonzero(one.kinds == kind)).tolist()) - set(shown.tolist())
    population, known = one.found.only(np.flatnonzero(left)), one.labelled.only(shown)
    likeness = Likeness(population, known)
    rated, match = likeness.rate(population), one.match[left]
    row = {"of all": complete(match, rated, wanted), "of all: found": reached(match, wanted)}
    for name, at_random in (("seeds", False), ("at random", True)):
        began = time.process_time()
        new, there, points = one.more(shown, left, at_random)
        row[f"{name}: seconds"] = time.process_time() - began
        row[f"{name}: points"] = points
        both = np.concatenate([match, there])
        values = np.concatenate([rated, likeness.rate(new)])
        row[f"of all, {name}"] = complete(both, values, wanted)
        row[f"of all, {name}: found"] = reached(both, wanted)
    return row


def complete(match: Matches, value: NDArray[np.float64], wanted: set[int]) -> float:
    """Return the average precision over all wanted objects; the second mask of one is wrong."""
    got, hits = set[int](), []
    for number in match[np.argsort(-value, kind="stable")].tolist():
        hits.append(number in wanted and number not in got)
        got.add(number)
    right = np.array(hits, bool)
    share = np.cumsum(right) / np.arange(1, len(right) + 1)
    return float(share[right].sum() / len(wanted))


def reached(match: Matches, wanted: set[int]) -> float:
    """Return the share of the wanted objects that a proposal is."""
    return len(wanted.intersection(match.tolist())) / len(wanted)


def classified(
    one: Mosaic, shown: NDArray[np.int64], others: NDArray[np.int64]
) -> dict[str, float]:
    """Return how often the class of the other labelled objects is right."""
    given = Classes.by_example(one.labelled, {0: shown.tolist(), 1: others.tolist()})
    left = ~np.isin(np.arange(len(one.kinds)), [*shown, *others])
    own = one.kinds[shown[0]]
    right = (given.numbers == np.where(one.kinds == own, 0, 1))[left]
    sure = given.certainty[left] >= SURE
    return {
        "class": float(right.mean()),
        "class, sure": float(right[sure].mean()) if sure.any() else 1.0,
        "sure": float(sure.mean()),
    }


def report(group: str, table: Mapping[str, Mapping[str, float]], pairs: int, mosaics: int) -> None:
    """Print the table of a group of pairs."""
    names = dict.fromkeys(name for some in table.values() for name in some if name != "pairs")
    rows = [
        [name, *(f"{some[name]:.2f}" if name in some else "" for some in table.values())]
        for name in names
    ]
    print(f"\n{group}: {pairs} pairs, {mosaics} mosaics each\n")
    print(markdown(["", *(f"{n} examples" for n in table)], rows))


if __name__ == "__main__":
    main()
