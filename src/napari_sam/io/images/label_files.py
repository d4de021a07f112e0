"""Files of labels among the pictures of a folder, by their names and by how they were made."""

from __future__ import annotations

import os
from collections import defaultdict
from collections.abc import Callable, Mapping
from pathlib import Path

from napari_sam.files import LABELS
from napari_sam.io.images.find import folder_of, name_of, whole_name_of
from napari_sam.io.provenance import has_provenance

__all__ = ["test_of_labels"]


def test_of_labels(found: list[Path], output: Path | None) -> Callable[[Path], bool]:
    """Return a function that tells whether a file holds labels of one of these pictures.

    These are ``labels`` beside ``image``, ``cells_labels`` beside ``cells`` or in the folder
    `output`, and what the commands of this package have written before.
    """
    folder = None if output is None else Path(os.path.abspath(output))
    names: Mapping[str, set[Path]] = defaultdict(set)
    for path in found:
        for name in (name_of(path), whole_name_of(path)):
            names[name].add(folder_of(path))

    def test(path: Path) -> bool:
        name, place = name_of(path), folder_of(path)
        of = "image" if name == "labels" else name.removesuffix(LABELS)
        if of == name or of not in names:
            return has_provenance(path)
        written = folder is not None and Path(os.path.abspath(path)).is_relative_to(folder)
        return place in names[of] or (written and name != "labels") or has_provenance(path)

    return test
