"""Progress bars of the command line, on stderr; stdout is for results."""

from __future__ import annotations

import argparse
import logging
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from napari_sam.reasons import reason, shown
from napari_sam.zoo import catalogue
from napari_sam.zoo.download import OnBytes

__all__ = ["Failures", "add_model", "add_verbosity", "byte_bar", "fetch_behind_bar"]


def add_model(parser: argparse.ArgumentParser, what: str = "name or file") -> None:
    """Add the arguments for model and device."""
    parser.add_argument("--model", metavar="NAME", default="cells_tiny", help=what)
    parser.add_argument("--device", default="auto", help="auto, cpu, cuda, cuda:1 or mps")


def add_verbosity(parser: argparse.ArgumentParser) -> None:
    """Add the arguments for verbosity."""
    parser.add_argument("--json", action="store_true", help="print JSON")
    parser.add_argument(
        "-q", "--quiet", action="store_true", help="show no progress, and print errors only"
    )


@contextmanager
def byte_bar(title: str) -> Iterator[OnBytes]:
    """Show a progress bar of bytes once the first are reported."""
    from tqdm import tqdm

    with tqdm(desc=title, unit="B", unit_scale=True, delay=0.1) as bar:

        def report(done: int, total: int) -> None:
            bar.total = total or None
            bar.update(done - bar.n)

        yield report


def fetch_behind_bar(name: str) -> None:
    """Download a published model, with a progress bar, if it is missing; ignore other names."""
    if name in catalogue.entries():
        with byte_bar(name) as progress:
            catalogue.fetch(name, progress)


MAX_WIDTH = 60  # characters of a path; longer ones push their reason to the right
logger = logging.getLogger(__name__)


class Failures:
    """Files that failed, and why.

    Attributes
    ----------
    reasons : dict of str to str
        By file.

    Examples
    --------
    >>> failures = Failures()
    >>> with failures.kept(Path("broken.tif")):
    ...     raise ValueError("it is damaged")
    >>> failures.reasons
    {'broken.tif': 'it is damaged'}
    """

    def __init__(self) -> None:
        self.reasons: dict[str, str] = {}

    @contextmanager
    def kept(self, path: Path) -> Iterator[None]:
        """Context that records an error of a file instead of raising it."""
        try:
            yield
        except Exception as error:  # files can be damaged in more ways than their readers name
            logger.debug("%s", path, exc_info=True)
            self.reasons[str(path)] = reason(error)

    def tell(self, count: int) -> None:
        """Print a table of the failures among `count` files on stderr, if there are any."""
        if not self.reasons:
            return
        print(f"napari-sam: {len(self.reasons)} of {count} failed:", file=sys.stderr)
        reasons = {path: _without(path, why) for path, why in self.reasons.items()}
        rows = [(shown(path), shown(" ".join(why.split()))) for path, why in reasons.items()]
        width = min(MAX_WIDTH, max(len(path) for path, _ in rows))
        for path, why in rows:
            print(f"  {path:<{width}}  {why}", file=sys.stderr)


def _without(path: str, why: str) -> str:
    """Return a reason without the path in front, beside which it stands."""
    return why.removeprefix(path).lstrip(": ") if why.startswith((f"{path} ", f"{path}: ")) else why
