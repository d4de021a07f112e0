"""`napari-sam evaluate`: score a model on labelled images."""

from __future__ import annotations

import argparse
import csv
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from napari_sam.cli.against import compare_labels
from napari_sam.cli.pairing import pair_labels
from napari_sam.cli.paths import input_images
from napari_sam.cli.progress import Failures, add_model, add_verbosity, fetch_behind_bar
from napari_sam.cli.scheduler import add_scheduler, run_and_collect
from napari_sam.cli.streams import print_json
from napari_sam.cli.ways import WAYS, no_decoder
from napari_sam.errors import InputError
from napari_sam.files import replacing
from napari_sam.reasons import shown

if TYPE_CHECKING:
    from napari_sam.cli.commands import Commands
    from napari_sam.data.pairs import FilePair
    from napari_sam.data.samples import LabelledImage
    from napari_sam.evaluation.evaluate import ObjectScores
    from napari_sam.inference.automatic.settings import SearchSettings
    from napari_sam.inference.predictor import Predictor

    Results = list[tuple[LabelledImage, list[ObjectScores]]]

__all__ = ["add"]


def add(commands: Commands) -> None:
    """Add the subcommand to the parser."""
    parser = commands.add_parser("evaluate", help="measure a model on labelled pictures")
    parser.add_argument(
        "data", metavar="DATA", nargs="+", type=Path,
        help="a folder of samples at any depth, each a folder with an image and labels, such as "
        "image.tif and labels.png, or a picture such as cells.tif with cells_labels.tif beside it; "
        "or pictures and patterns such as 'day*/*.tif'",
    )  # fmt: skip
    parser.add_argument(
        "--labels", metavar="LABELS", type=Path,
        help="where the labels of the pictures are, if not beside them: for several a folder or a "
        "pattern of labels with the same names, or with _labels behind them",
    )  # fmt: skip
    add_model(parser)
    parser.add_argument("--held-out", action="store_true", help="only what training leaves out")
    parser.add_argument("--most", type=int, metavar="N", help="objects of each picture; else all")
    parser.add_argument(
        "--way", choices=WAYS,
        help="also find everything in this way, see `segment`, and compare it with the labels",
    )  # fmt: skip
    parser.add_argument(
        "--grid", type=int, metavar="N",
        help="the same from at most N x N points; without it, --way points takes 32",
    )  # fmt: skip
    parser.add_argument(
        "--against", metavar="LABELS", type=Path,
        help="compare labels with labels, without a model: DATA are labels, and these are of the "
        "same pictures, by somebody else or another tool",
    )  # fmt: skip
    parser.add_argument(
        "--distance", type=float, metavar="N", default=2,
        help="with --against: how many pixels two borders may be apart; default 2",
    )  # fmt: skip
    parser.add_argument(
        "-o", "--output", metavar="FOLDER", type=Path,
        help="write table.md, scores.csv, failures.png and examples.png there; with --against "
        "table.md and differences.csv",
    )  # fmt: skip
    add_verbosity(parser)
    add_scheduler(parser)
    parser.set_defaults(run=run)


def run(chosen: argparse.Namespace) -> int:
    """Score the model, print the tables, write the files; return 1 if a sample failed."""
    from napari_sam.data.samples import load_pairs

    if chosen.against is not None:
        return compare_labels(chosen)
    if chosen.grid is not None and chosen.way not in (None, "points"):
        raise InputError(f"--grid is for points and does not go with --way {chosen.way}")
    failures = Failures()
    pairs = _pairs(chosen, failures)
    count = len(pairs) + len(failures.reasons)
    pictures = load_pairs(pairs, on_bad=failures.reasons.__setitem__)
    pictures, notes = _held_out(pictures) if chosen.held_out else (pictures, [])
    results: Results = []
    if pictures:
        fetch_behind_bar(chosen.model)
        from napari_sam import Predictor, load_model

        predictor = Predictor(load_model(chosen.model, chosen.device))
        settings = _settings(chosen, predictor)
        results = _scored(chosen, predictor, pictures, failures)
    if not results:
        failures.tell(count)
        raise InputError("none of the samples could be measured")
    notes += [f"left out {shown(source)}: {shown(why)}" for source, why in failures.reasons.items()]
    _say(chosen, predictor, settings, results, notes, failures)
    failures.tell(count)
    return int(bool(failures.reasons))


def _settings(chosen: argparse.Namespace, predictor: Predictor) -> SearchSettings | None:
    """Return how everything is to be found; None if nobody wants to know."""
    from napari_sam.inference.automatic.settings import GridSettings, InstanceSettings

    if chosen.grid is not None:
        return GridSettings(points_per_side=chosen.grid)
    if chosen.way in (None, "points"):
        return None if chosen.way is None else GridSettings()
    if predictor.model.instance_decoder is None:
        raise no_decoder(f"--way {chosen.way}", chosen.model)
    return InstanceSettings(refine=chosen.way == "refined")


def _pairs(chosen: argparse.Namespace, failures: Failures) -> list[FilePair]:
    """Return the samples; pictures without labels are failures."""
    from napari_sam.data.pairs import LABELS, file_pair, find_pairs, labels_beside
    from napari_sam.io.images.find import ZARR, find_images

    if chosen.labels is not None:
        images = input_images(chosen.data, failures, quiet=chosen.quiet)
        those = pair_labels(images, chosen.data, chosen.labels, failures)
        return [file_pair(image, labels) for image, labels in those.items()]
    pairs: list[FilePair] = []
    for path in chosen.data:
        if path.is_dir() and path.suffix.lower() not in ZARR:
            pairs += find_pairs(path, failures.reasons.__setitem__)
            continue
        for image in find_images([path], failures.reasons.__setitem__):
            if not (image.stem == "labels" or image.stem.endswith(LABELS)):
                with failures.kept(image):
                    pairs.append(file_pair(image, labels_beside(image)))
    if not pairs and not failures.reasons:
        raise InputError(
            f"no usable sample below {chosen.data[0]}; each needs a folder with an image and "
            "labels, such as image.tif and labels.tif, or a picture such as cells.tif with "
            "cells_labels.tif beside it"
        )
    return pairs


def _held_out(pictures: list[LabelledImage]) -> tuple[list[LabelledImage], list[str]]:
    """Return what training leaves out, and a remark on it."""
    from napari_sam.data.split import split
    from napari_sam.evaluation.leakage import look_alikes

    training, held = split(pictures)
    if not held:
        raise InputError("training leaves none of these samples out")
    alike, sources = look_alikes(training, held), {picture.source for picture in held}
    return held, [f"{len(alike)} of {len(sources)} held-out samples look like a training sample"]


def _scored(
    chosen: argparse.Namespace,
    predictor: Predictor,
    pictures: list[LabelledImage],
    failures: Failures,
) -> Results:
    """Score the objects of pictures, here or on a cluster."""
    from tqdm import tqdm

    from napari_sam.batch.evaluate import EvaluateTask
    from napari_sam.evaluation.evaluate import evaluate

    results: Results = []
    if chosen.scheduler is None:
        for picture in tqdm(pictures, unit=" pictures", disable=chosen.quiet):
            with failures.kept(Path(picture.source)):
                results += evaluate(predictor, [picture], chosen.most)
        return results
    tasks = [EvaluateTask(picture, chosen.most) for picture in pictures]
    for picture, end in zip(pictures, run_and_collect(tasks, chosen), strict=True):
        if end.result.problem:
            failures.reasons[picture.source] = end.result.problem
        else:
            results.append((picture, end.result.report))
    return results


def _say(
    chosen: argparse.Namespace,
    predictor: Predictor,
    settings: SearchSettings | None,
    results: Results,
    notes: Sequence[str],
    failures: Failures,
) -> None:
    """Print the tables and write the files."""
    from tqdm import tqdm

    from napari_sam.evaluation import automatic, report

    rows = report.by_dataset(results)
    found: dict[str, dict[str, float]] = {}
    if settings is not None:
        pictures = [picture for picture, _ in results]
        search = automatic.find_all(predictor, pictures, settings)
        found = automatic.found_means(tqdm(search, total=len(pictures), disable=chosen.quiet))
    remarks = [f"- {line}" for line in (*report.summary_lines(rows), *notes)]
    tables = [report.score_table(rows), "", report.reliability_table(rows), ""]
    if found:
        tables += [automatic.found_table(found), ""]
    text = "\n".join([*tables, *remarks])
    if chosen.output is not None:
        _write(chosen.output, predictor, results, text)
    if chosen.json:
        figures = report.as_json(rows) | ({"automatic": found} if found else {})
        said = {**figures, "notes": notes, "failures": failures.reasons}
        print_json(said)
    elif not chosen.quiet:
        print(text)


def _write(folder: Path, predictor: Predictor, results: Results, text: str) -> None:
    """Write the tables and two sheets of pictures."""
    import numpy as np

    from napari_sam.evaluation import contact_sheets

    with replacing(folder / "table.md") as part:
        part.write_text(text + "\n", "utf-8", "backslashreplace")
    with replacing(folder / "scores.csv") as part:
        _scores(part, results)
    rng = np.random.default_rng(0)
    for name, examples in (
        ("failures.png", contact_sheets.worst_examples(results)),
        ("examples.png", contact_sheets.random_examples(results, rng)),
    ):
        with replacing(folder / name) as part:
            contact_sheets.draw(predictor, examples).save(part, format="PNG")


def _scores(path: Path, results: Results) -> None:
    """Write one line per object."""
    with path.open("w", newline="", encoding="utf-8") as file:
        table = csv.writer(file)
        names = list(results[0][1][0])
        table.writerow(["dataset", "source", "plane", *names])
        for picture, rows in results:
            for row in rows:
                values = [f"{row[name]:.4g}" for name in names]
                said = shown(picture.dataset), shown(picture.source), picture.plane
                table.writerow([*said, *values])
