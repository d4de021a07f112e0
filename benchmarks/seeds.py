"""Where to ask the model: quality and decoder calls: ``python -m benchmarks.seeds DATA ...``.

Of each data set a few pictures that were trained on, to choose by, or with ``--held`` of those held
out, to report. Each is searched in every way at the model's own thresholds. Printed are means of
mSA and F1 at an IoU of 0.5, the same of the best mask of each object chosen by the truth (the
limit), mSA with the false objects taken away by the truth, decoder calls, and processor seconds of
one thread without the embedding. The last row asks at the deepest point of each true object, which
nobody knows: what perfect seeds would do.
"""

from __future__ import annotations

import argparse
import time
from collections import defaultdict
from pathlib import Path
from typing import Any

import numpy as np
import torch

from benchmarks.thresholds import Searched, limit, pictures
from napari_sam import GridSettings, Predictor, Selection, load_model, proposals_to_labels
from napari_sam.evaluation.matching import f1, mean_accuracy, pairwise_iou
from napari_sam.inference.automatic.presets import presets
from napari_sam.inference.automatic.search import iter_proposals
from napari_sam.inference.automatic.seeds import deepest_points
from napari_sam.inference.automatic.settings import SEEDS
from napari_sam.inference.store.memory import MemoryStore
from napari_sam.inference.store.store import EmbeddingStore

TRUTH = "truth"
PLAIN = Selection()


def main() -> None:
    """Search and print, a table for each data set."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("data", type=Path, nargs="+", help="folders of one data set each")
    parser.add_argument("--model", default="cells_tiny")
    parser.add_argument("--points", type=int, default=20)
    parser.add_argument("--most", type=int, default=2, help="pictures of each data set or stratum")
    parser.add_argument("--side", type=int, default=256, help="pixels; larger pictures are cut")
    parser.add_argument("--held", action="store_true", help="held-out pictures")
    parser.add_argument("--ways", nargs="+", default=[*SEEDS, TRUTH])
    parser.add_argument("--preset", help="whose filters are used")
    parser.add_argument("--threads", type=int, default=1)
    options = parser.parse_args()
    torch.set_num_threads(options.threads)
    predictor, store = Predictor(load_model(options.model)), EmbeddingStore(MemoryStore(2**30))
    selection = presets()[options.preset].selection if options.preset else PLAIN
    rows: dict[tuple[str, str], list[list[float]]] = defaultdict(list)
    for picture in pictures(options.data, options.most, options.held):
        rgb, truth = (middle(one, options.side) for one in (picture.rgb, picture.labels))
        if not truth.any():
            continue
        start = time.perf_counter()
        store.get(predictor, rgb, (0, 255))
        print(f"{picture.source} {truth.shape}: embedded in {time.perf_counter() - start:.1f} s")
        for way in options.ways:
            known: Any = "grid" if way == TRUTH else way
            settings = GridSettings(known, points_per_side=options.points)
            seeds = deepest_points(truth) if way == TRUTH else None
            begin, start = time.process_time(), time.perf_counter()
            *steps, last = iter_proposals(
                predictor, rgb, settings, seeds=seeds, contrast=(0, 255), store=store
            )
            seconds = time.process_time() - begin, time.perf_counter() - start
            labels = proposals_to_labels(last.result.kept or [], selection, truth.shape)
            ious = pairwise_iou(truth, labels)
            found = [one for step in steps for one in step.result.found]
            best = limit(Searched(picture.dataset, truth, found)) if found else (0.0, 0.0)
            right = ious[:, (ious >= 0.5).any(axis=0)]
            scores = mean_accuracy(ious), f1(ious), *best, mean_accuracy(right)
            row = [*scores, last.done, *seconds]
            rows[picture.dataset, way].append(row)
            print(f"  {way}: {_shown(row)}", flush=True)
    for dataset, way in rows:
        some = rows[dataset, way]
        print(f"{dataset} ({len(some)}), {way}: {_shown(np.mean(some, axis=0))}")


def middle(image: Any, side: int) -> Any:
    """Return the middle of a picture, at most `side` pixels wide and high."""
    top, left = (max(0, (length - side) // 2) for length in image.shape[:2])
    return np.ascontiguousarray(image[top : top + side, left : left + side])


def _shown(row: Any) -> str:
    msa, f, limit_msa, limit_f, right, calls, seconds, clock = row
    return (
        f"mSA {msa:.3f} F1 {f:.3f} limit {limit_msa:.3f} {limit_f:.3f} no false {right:.3f} "
        f"calls {calls:.0f} processor {seconds:.1f} s clock {clock:.1f} s"
    )


if __name__ == "__main__":
    main()
