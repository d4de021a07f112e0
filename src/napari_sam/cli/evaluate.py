"""`napari-sam evaluate`: how good a model is on a folder of labelled pictures."""

from __future__ import annotations

import argparse
import csv
import json
from pathlib import Path
from typing import Any

from napari_sam.cli.progress import fetched
from napari_sam.cli.scheduling import add_scheduler, done_by_cluster
from napari_sam.errors import InputError
from napari_sam.files import replacing

__all__ = ["add"]


def add(commands: Any) -> None:
    """Add the subcommand."""
    parser = commands.add_parser("evaluate", help="measure a model on labelled pictures")
    parser.add_argument(
        "data", metavar="DATA", type=Path,
        help="folder of samples at any depth, each with image.tif|png and labels.tif|png",
    )  # fmt: skip
    parser.add_argument("--model", metavar="NAME", default="cells_tiny", help="name or file")
    parser.add_argument("--device", default="auto")
    parser.add_argument("--held-out", action="store_true", help="only what training leaves out")
    parser.add_argument("--most", type=int, metavar="N", help="objects of each picture; else all")
    parser.add_argument(
        "--grid", type=int, metavar="N",
        help="also find everything from at most N x N points, and compare it with the labels",
    )  # fmt: skip
    parser.add_argument("--json", action="store_true", help="print JSON")
    parser.add_argument(
        "-o", "--output", metavar="FOLDER", type=Path,
        help="write table.md, scores.csv, failures.png and examples.png there",
    )  # fmt: skip
    add_scheduler(parser)
    parser.set_defaults(run=run)


def run(chosen: argparse.Namespace) -> int:
    """Score, print the tables, write the files."""
    fetched(chosen.model)
    import numpy as np
    from tqdm import tqdm

    from napari_sam import GridSettings, Predictor, load_model
    from napari_sam.batch.evaluate import EvaluateWork
    from napari_sam.training import found, report, sheets
    from napari_sam.training.evaluate import evaluate
    from napari_sam.training.look_alikes import look_alikes
    from napari_sam.training.samples import load_pictures
    from napari_sam.training.split import split

    bad: list[tuple[str, str]] = []
    pictures = load_pictures(chosen.data, on_bad=lambda *which: bad.append(which))
    notes = [f"left out {source}: {reason}" for source, reason in bad]
    if chosen.held_out:
        training, pictures = split(pictures)
        if not pictures:
            raise InputError(f"training leaves none of the samples below {chosen.data} out")
        sources = {p.source for p in pictures}
        alike = look_alikes(training, pictures)
        notes.append(f"{len(alike)} of {len(sources)} held-out samples look like a training sample")
    predictor = Predictor(load_model(chosen.model, chosen.device))
    if chosen.scheduler is None:
        results = list(tqdm(evaluate(predictor, pictures, chosen.most), total=len(pictures)))
    else:
        works = [EvaluateWork(picture, chosen.most) for picture in pictures]
        ends = done_by_cluster(works, chosen)
        notes += [f"left out {end.work.source}: {end.problem}" for end in ends if end.problem]
        both = zip(pictures, ends, strict=True)
        results = [(picture, end.report) for picture, end in both if not end.problem]
    rows = report.by_dataset(results)
    automatic: dict[str, dict[str, float]] = {}
    if chosen.grid is not None:
        search = found.find_all(predictor, pictures, GridSettings(points_per_side=chosen.grid))
        automatic = found.found_means(tqdm(search, total=len(pictures)))
    remarks = [f"- {line}" for line in (*report.summary(rows), *notes)]
    tables = [report.table(rows), "", report.reliability_table(rows), ""]
    if automatic:
        tables += [found.found_table(automatic), ""]
    text = "\n".join([*tables, *remarks])
    if chosen.output is not None:
        with replacing(chosen.output / "table.md") as part:
            part.write_text(text + "\n", "utf-8")
        with replacing(chosen.output / "scores.csv") as part:
            _scores(part, results)
        rng = np.random.default_rng(0)
        for name, examples in (
            ("failures.png", sheets.worst(results)),
            ("examples.png", sheets.chosen(results, rng)),
        ):
            with replacing(chosen.output / name) as part:
                sheets.draw(predictor, examples).save(part, format="PNG")
    if chosen.json:
        figures = report.as_json(rows) | ({"automatic": automatic} if automatic else {})
        print(json.dumps({**figures, "notes": notes}, indent=2))
    else:
        print(text)
    return 0


def _scores(path: Path, results: Any) -> None:
    """Write one line per object."""
    with path.open("w", newline="", encoding="utf-8") as file:
        table = csv.writer(file)
        names = list(results[0][1][0])
        table.writerow(["dataset", "source", "plane", *names])
        for picture, rows in results:
            for row in rows:
                values = [f"{row[name]:.4g}" for name in names]
                table.writerow([picture.dataset, picture.source, picture.plane, *values])
