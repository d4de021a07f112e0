"""Check what is published from a folder: the wheel holds what a user needs, the archive all."""

from __future__ import annotations

import re
import sys
import tarfile
from pathlib import Path
from zipfile import ZipFile

NEEDED = (
    "napari_sam/__init__.pyi",
    "napari_sam/napari.yaml",
    "napari_sam/pictures/CREDITS.md",
    "napari_sam/pictures/nuclei.png",
    "napari_sam/pictures/stack.png",
    "napari_sam/pictures/movie.png",
    "napari_sam/py.typed",
    "napari_sam/zoo/zoo.toml",
    "napari_sam/model/pretrained/cells_tiny.safetensors",
    "napari_sam/model/pretrained/cells_tiny_decoder.safetensors",
    "napari_sam/model/pretrained/cells_tiny_text.safetensors",
    "napari_sam/text/pretrained/words_tiny.safetensors",
    "napari_sam/text/words.toml",
)
SOURCES = (
    "src/napari_sam/napari.yaml",
    "recipes/README.md",
    "recipes/cells_tiny.py",
    "recipes/words/__main__.py",
    "tests/test_house.py",
    "docs/conf.py",
)
LARGEST = 20_000_000  # bytes; the model is to stay below 12 MB, what words need below 10 MB


def complaints(wheel: Path) -> list[str]:
    """Return what is wrong with a wheel, one sentence each."""
    archive = ZipFile(wheel)
    names = archive.namelist()
    found = [f"{name} is missing" for name in NEEDED if name not in names]
    strays = {name.split("/")[0] for name in names} - {"napari_sam"}
    found += [f"{name} does not belong in it" for name in strays if ".dist-info" not in name]
    for notice in ("LICENSE", "docs/model-cards/cells_tiny.md"):
        if not any(name.endswith(f".dist-info/licenses/{notice}") for name in names):
            found.append(f"{notice} is missing among the licences")
    (about,) = (name for name in names if name.endswith(".dist-info/METADATA"))
    links = re.findall(r"\]\(([^)]+)\)", archive.read(about).decode())
    found += [f"PyPI can't follow {one}" for one in links if not one.startswith("https://")]
    if (size := wheel.stat().st_size) > LARGEST:
        found.append(f"it has {size} bytes, more than {LARGEST}")
    return found


def missing(archive: Path) -> list[str]:
    """Return what a source archive lacks, one sentence each."""
    with tarfile.open(archive) as sources:
        names = {name.partition("/")[2] for name in sources.getnames()}
    return [f"{name} is missing" for name in SOURCES if name not in names]


if __name__ == "__main__":
    folder = Path(sys.argv[1])
    (wheel,), (archive,) = folder.glob("*.whl"), folder.glob("*.tar.gz")
    found = {wheel: complaints(wheel), archive: missing(archive)}
    for path, wrong in found.items():
        print(f"{path.name}, {path.stat().st_size} bytes:", "; ".join(wrong) or "all there")
    sys.exit(any(found.values()))
