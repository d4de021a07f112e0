"""What the README and the documentation show works, and their links lead somewhere."""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np
import pytest
from skimage.data import immunohistochemistry

ROOT = Path(__file__).parents[1]
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md"))]


def blocks(page: Path, language: str) -> list[str]:
    return re.findall(rf"```{language}\n(.*?)```", page.read_text(), re.DOTALL)


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_relative_links_lead_to_files(page: Path) -> None:
    links = re.findall(r"\]\(([^)#]+)", page.read_text())
    assert not [link for link in links if "://" not in link and not (page.parent / link).exists()]


@pytest.mark.parametrize("page", [p for p in PAGES if blocks(p, "python")], ids=lambda p: p.name)
def test_python_on_a_page_runs(page: Path) -> None:
    # The README leaves the picture and the place of the click to the reader.
    names = {"image": immunohistochemistry(), "row": 392, "column": 182}
    for block in blocks(page, "python"):
        exec(block, names)
    result = names["result"]
    assert result.masks.shape == (3, 512, 512)
    assert np.all(np.diff(result.scores) <= 0)
    assert result.masks[0, 392, 182]
