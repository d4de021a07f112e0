"""Training log: a CSV file, and TensorBoard if it is installed."""

from __future__ import annotations

import csv
import logging
from importlib.util import find_spec
from pathlib import Path
from types import TracebackType

from napari_sam.files import replacing
from napari_sam.training.trainer import StepReport

__all__ = ["COLUMNS", "TrainingLog"]

logger = logging.getLogger(__name__)
COLUMNS = (
    *("step", "seconds", "loss", "click", "box", "mask", "correction"),
    *("nothing", "instances", "norm", "validation", "everything"),
)


class TrainingLog:
    """Log of a run: one line a step, appended to ``log.csv`` in a folder, also when resumed.

    Parameters
    ----------
    folder : Path
        Of the run; made where needed.
    step : int
        Lines of later steps, left by a run that was killed after its checkpoint, are dropped.
    """

    def __init__(self, folder: Path, step: int = 0) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        path = folder / "log.csv"
        kept = _until(path, step)
        with replacing(path) as part, part.open("w", newline="", encoding="utf-8") as file:
            table = csv.DictWriter(file, COLUMNS, extrasaction="ignore")  # of other versions
            table.writeheader()
            table.writerows(kept)
        self._file = path.open("a", newline="", encoding="utf-8")
        self._table = csv.DictWriter(self._file, COLUMNS)
        self._board = None
        if find_spec("tensorboard") is not None:
            from torch.utils.tensorboard import SummaryWriter

            self._board = SummaryWriter(str(folder), purge_step=step + 1)

    def write(self, report: StepReport) -> None:
        """Write the report of one step."""
        self._table.writerow({name: f"{value:.4g}" for name, value in report.items()})
        self._file.flush()
        if self._board is not None:
            for name, value in report.items():
                if name != "step":
                    self._board.add_scalar(name, value, int(report["step"]))

    def __enter__(self) -> TrainingLog:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._file.close()
        if self._board is not None:
            self._board.close()


def _until(path: Path, step: int) -> list[dict[str, str]]:
    if not path.exists():
        return []
    text = path.read_text(encoding="utf-8", errors="replace").replace("\0", "")
    rows = list(csv.DictReader(text.splitlines()))
    known = [row for row in rows if _step(row) is not None]
    if len(known) < len(rows):  # a killed run may have left half a line
        logger.warning("%s: damaged and left out, lines: %d", path, len(rows) - len(known))
    return [row for row in known if (_step(row) or 0) <= step]


def _step(row: dict[str, str]) -> float | None:
    try:
        return float(row["step"]) if None not in row.values() else None
    except (KeyError, ValueError):
        return None
