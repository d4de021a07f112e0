"""Messages of the tab Train."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape
from pathlib import Path
from typing import TYPE_CHECKING

from napari_sam.errors import CheckpointError
from napari_sam.training.plan import WHAT, Plan, estimate
from napari_sam.widgets.common.wording import duration, time_left
from napari_sam.zoo import catalogue
from napari_sam.zoo.own_models import own_models, read_header

if TYPE_CHECKING:
    from napari_sam.progress import Progress
    from napari_sam.training.finetune import TrainingState


__all__ = ["Rows", "effort", "progress_text", "result", "summary", "table"]

Rows = Sequence[dict[str, float | str]]


def effort(base: str, plan: Plan, pictures: int) -> str:
    """Return the estimated time and memory of a plan; empty if unknown."""
    try:
        seconds, memory = estimate(
            _config(base), plan.what, pictures, plan.steps, _has_decoder(base)
        )
    except KeyError:  # nobody has measured it
        return ""
    return f"About {duration(seconds)} on one processor core, {memory:.1f} GiB of memory"


def summary(name: str, base: str, plan: Plan) -> str:
    """Return what is being trained, and why no other training can start."""
    return (
        f"'{name}' from {Path(base).name}: {WHAT[plan.what].lower()}, {plan.steps} steps. "
        "Another training can start when this one has ended; the Prompt tab works meanwhile."
    )


def progress_text(progress: Progress[TrainingState]) -> str:
    """Return the progress message of a run, with the remaining time."""
    phase = progress.result.phase
    step = "step " if phase == "Training" else ""
    return f"{phase}: {step}{progress.done} of {progress.total}{time_left(progress)}"


def result(name: str, rows: Rows) -> str:
    """Return the result of a run, in a sentence or two."""
    saved = f"Saved as '{name}': it is in every list of models now."
    if not rows:
        return f"{saved} There were no pictures left to measure it on."
    before, after = float(rows[0]["before"]), float(rows[0]["after"])
    if round(after, 2) > round(before, 2):
        gained = f"One click is better now: IoU {after:.2f}, before {before:.2f}."
    elif round(after, 2) == round(before, 2):
        gained = "On the held-out pictures one click is as good as before, not better."
    else:
        gained = f"One click is worse now: IoU {after:.2f}, before {before:.2f}."
    return f"{gained} {_everything(rows)}{saved}"


def _everything(rows: Rows) -> str:
    """Return what became of the automatic mode; empty where it learned nothing."""
    found = [row for row in rows if "F1" in str(row["measure"])]
    if not found:
        return ""
    before, after = float(found[0]["before"]), float(found[0]["after"])
    if round(after, 2) <= round(before, 2):
        return "Auto finds as much as before. "
    return f"Auto finds more now: F1 {after:.2f}, before {before:.2f}. "


def table(rows: Rows) -> str:
    """Return the before/after table as rich text."""
    cells = "".join(
        f"<tr><td>{escape(str(row['measure']))}</td>"
        f"<td align='right'>{row['before']:.2f}</td><td align='right'>{row['after']:.2f}</td></tr>"
        for row in rows
    )
    return (
        "<table cellpadding='4' width='100%'><tr><th align='left'>IoU, held-out pictures</th>"
        f"<th align='right'>before</th><th align='right'>after</th></tr>{cells}</table>"
    )


def _has_decoder(base: str) -> bool:
    """Return whether a published model has an instance decoder."""
    entry = catalogue.entries().get(base)
    return entry is not None and catalogue.decoder_of(entry) is not None


def _config(base: str) -> str:
    """Return the size of a model, "" for files that do not say it."""
    if base in catalogue.entries():
        return catalogue.lookup(base).config
    trained = own_models().get(base)
    try:
        header = trained.header if trained else read_header(Path(base))
    except CheckpointError:
        return ""
    return str(header.get("config", {}).get("name", ""))
