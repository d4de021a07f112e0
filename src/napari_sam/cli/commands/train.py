"""`napari-sam train`: fine-tune a model on a folder of labelled images."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

from napari_sam.cli.progress import add_model, add_verbosity, fetch_behind_bar
from napari_sam.cli.streams import print_json
from napari_sam.reasons import shown
from napari_sam.zoo import catalogue
from napari_sam.zoo.own_models import own_file

if TYPE_CHECKING:
    from napari_sam.cli.commands import Commands
    from napari_sam.training.finetune import FineTuning

__all__ = ["add"]


def add(commands: Commands) -> None:
    """Add the subcommand to the parser."""
    parser = commands.add_parser("train", help="adapt a model to your own labelled pictures")
    parser.add_argument(
        "data", metavar="DATA", type=Path,
        help="folder of samples at any depth, each with image.tif|png and labels.tif|png",
    )  # fmt: skip
    parser.add_argument(
        "-o", "--output", metavar="NAME", required=True, help="the new model's name"
    )
    add_model(parser, "the base model")
    parser.add_argument(
        "--what", choices=("decoder", "adapters", "everything"), default="decoder",
        help="what is trained: decoder only (minutes), small adapters, or all",
    )  # fmt: skip
    parser.add_argument("--steps", type=int, default=300)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--partial", action="store_true", help="not all objects are labelled")
    add_verbosity(parser)
    parser.set_defaults(run=run)


def run(chosen: argparse.Namespace) -> int:
    """Fine-tune, print the scores before and after, and save the model among the user's own."""
    target = own_file(chosen.output)  # says at once if the name is taken
    fetch_behind_bar(chosen.model)
    from napari_sam.data.samples import load_images
    from napari_sam.data.split import hold_out
    from napari_sam.model.load import load_model
    from napari_sam.training.finetune import FineTuning, Plan

    left_out: list[tuple[str, str]] = []
    pictures = load_images(
        chosen.data, partial=chosen.partial, on_bad=lambda *bad: left_out.append(bad)
    )
    for source, reason in left_out:
        print(f"left out {shown(source)}: {shown(reason)}", file=sys.stderr)
    training, validation = hold_out(pictures, seed=chosen.seed)
    if not chosen.quiet:
        counts = f"{len(training)} pictures to learn from, {len(validation)} to check"
        print(counts, file=sys.stderr)
    plan = Plan(chosen.what, chosen.steps, chosen.seed)
    folder = catalogue.models_folder() / "runs" / target.stem
    tuning = FineTuning(load_model(chosen.model, chosen.device), training, validation, plan, folder)
    try:
        _follow(tuning, chosen.quiet)
    except KeyboardInterrupt:
        print(f"stopped; the same command goes on from {tuning.checkpoint}", file=sys.stderr)
        raise
    path = tuning.save(chosen.output)
    if chosen.json:
        print_json({"name": chosen.output, "path": str(path), "validation": tuning.table}, None)
    elif not chosen.quiet:
        for row in tuning.table:
            name = row["measure"] if "F1" in str(row["measure"]) else f"{row['measure']:<10} IoU"
            print(f"{name} {row['before']:.2f} -> {row['after']:.2f}")
        print(f"Saved as {chosen.output}: {path}")
    return 0


def _follow(tuning: FineTuning, quiet: bool) -> None:
    """Run it behind one bar per phase."""
    from tqdm import tqdm

    bar: Any = None
    phase = ""
    for progress in tuning.run():
        now = progress.result
        if now.phase != phase:
            if bar is not None:
                bar.close()
            phase = now.phase
            bar = tqdm(desc=phase, total=progress.total, disable=quiet)
        bar.update(progress.done - bar.n)
        if now.loss is not None:
            shown = {"loss": f"{now.loss:.2f}", "IoU": f"{now.iou or 0:.2f}"}
            bar.set_postfix(shown, refresh=False)
    if bar is not None:
        bar.close()
