"""What the README and the documentation tell a reader to type, and the files that it names."""

from __future__ import annotations

import re
import shlex
from pathlib import Path

import numpy as np
import tifffile
from numpy.typing import NDArray

from napari_sam.io.labels import write_labels

ROOT = Path(__file__).parents[1]
PAGES = [ROOT / "README.md"]
PAGES += [
    page for folder in ("docs", "docs/model-cards") for page in sorted((ROOT / folder).glob("*.md"))
]
PICTURES = (
    "image", "nuclei", "picture", "cells", "folder_of_pictures/image", "folder_of_pictures/second",
    "folder/of/pictures/image", "pictures/image", "pictures/second", "plates/day1/cells",
    "my_samples/1/image", "my_samples/2/image",
    "data/day1/s1/image", "data/day1/s2/image",
)  # fmt: skip
LABELS = (
    "labels", "rough", "slice", "examples", "a", "b", "rough_labels/image",
    "rough_labels/second_labels", "my_samples/1/labels", "my_samples/2/labels",
)  # fmt: skip


def blocks(page: Path, *languages: str) -> list[str]:
    """Return the fenced blocks of a page in these languages, in order."""
    fence = rf"^```(?:{'|'.join(languages)})\n(.*?)^```"
    return re.findall(fence, page.read_text(), re.DOTALL | re.MULTILINE)


def lines(page: Path, *languages: str) -> list[str]:
    """Return the lines of the page's blocks in these languages of the shell."""
    return "".join(blocks(page, *languages)).splitlines()


def mentioned(page: Path) -> list[str]:
    """Return the commands of ours within the page's text and tables, placeholders and all."""
    text = re.sub(r"^```.*?^```", "", page.read_text(), flags=re.DOTALL | re.MULTILINE)
    return [" ".join(found.split()) for found in re.findall(r"`(napari-sam [^`]+)`", text)]


def is_whole(command: str) -> bool:
    """Return whether a mentioned command runs as it stands, without a window."""
    _, *words = shlex.split(command)
    if any(word.isupper() for word in words):  # a placeholder
        return False
    return "-o" in words or words in (
        ["--version"], ["models", "list"], ["models", "verify"], ["demo", "--headless"]
    )  # fmt: skip


def lay_out(
    folder: Path, pictures: NDArray[np.uint8], labels: NDArray[np.uint8], middle: int
) -> None:
    """Write all files that the commands name.

    Parameters
    ----------
    folder : Path
    pictures, labels : (Z, Y, X) uint8
    middle : int
        The slice that seeds are known on.
    """
    for names, planes in ((PICTURES, pictures), (LABELS, labels)):
        for name in names:
            path = folder / f"{name}.tif"
            path.parent.mkdir(parents=True, exist_ok=True)
            tifffile.imwrite(path, planes[0])
    write_labels(folder / "cells.zarr", labels[0])
    seeds = np.where(np.arange(len(labels))[:, None, None] == middle, labels, 0)
    tifffile.imwrite(folder / "stack.tif", pictures, photometric="minisblack")
    tifffile.imwrite(folder / "seeds.tif", seeds, photometric="minisblack")
    tifffile.imwrite(folder / "movie_labels.tif", labels, photometric="minisblack")
    rows, columns = np.nonzero(labels[0] == labels[0].max())
    box = rows.min(), columns.min(), rows.max(), columns.max()
    (folder / "boxes.csv").write_text("y0,x0,y1,x1\n" + ",".join(map(str, box)) + "\n")
