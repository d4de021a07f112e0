"""Progress bars of the command line, on stderr so that stdout stays for results."""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from contextlib import contextmanager

from napari_sam import zoo
from napari_sam.download import Progress

__all__ = ["add_saying", "byte_bar", "fetched"]


def add_saying(parser: argparse.ArgumentParser) -> None:
    """Add the arguments that say how much a command says."""
    parser.add_argument("--json", action="store_true", help="print JSON")
    parser.add_argument(
        "-q", "--quiet", action="store_true", help="show no progress, and print errors only"
    )


@contextmanager
def byte_bar(title: str) -> Iterator[Progress]:
    """Show a bar for bytes once the first of them are reported."""
    from tqdm import tqdm

    with tqdm(desc=title, unit="B", unit_scale=True, delay=0.1) as bar:

        def report(done: int, total: int) -> None:
            bar.total = total or None
            bar.update(done - bar.n)

        yield report


def fetched(name: str) -> None:
    """Download a published model if it is not here, behind a bar; other names are left alone."""
    if name in zoo.catalogue():
        with byte_bar(name) as progress:
            zoo.fetch(name, progress)
