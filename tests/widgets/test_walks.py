"""The tutorials on the sample stack and the sample movie go as their pages say."""

from __future__ import annotations

import csv
from pathlib import Path

import pytest
from napari.layers import Layer

from napari_sam.samples import sample_layer

pytestmark = [pytest.mark.gui, pytest.mark.slow]

DOCS = Path(__file__).parents[2] / "docs"


@pytest.fixture
def walk(monkeypatch):
    """Return a function that opens a sample and goes through one of the walks by its name."""
    monkeypatch.syspath_prepend(str(DOCS))
    import walks
    from window import Window

    def walk(name, sample, written):
        seen = Window(Layer.create(*sample_layer(sample)))
        try:
            for moment in getattr(walks, name)(seen, written):
                if moment.name:
                    assert (DOCS / "images" / f"{moment.name}.png").exists()
        finally:
            seen.viewer.close()

    return walk


def rows_of_page(name):
    """Return the rows of the only table of a page, by column."""
    cells = [
        [cell.strip().replace(",", "") for cell in line.strip("|").split("|")]
        for line in (DOCS / name).read_text().splitlines()
        if line.startswith("|")
    ]
    head, _, *rows = cells
    return [dict(zip(head, row, strict=True)) for row in rows]


def as_the_page_says(name, table):
    with table.open() as file:
        written = list(csv.DictReader(file))
    told = rows_of_page(name)
    assert len(told) == len(written)
    for told_row, row in zip(told, written, strict=True):
        for column, value in told_row.items():
            if "_" in column or column == "pixels":  # a figure
                assert float(row[column]) == pytest.approx(float(value), rel=0.1)
            else:
                assert row[column] == value


def test_five_nuclei_of_the_stack_are_measured(walk, tmp_path):
    walk("measure_nuclei", "stack", tmp_path / "nuclei.csv")
    as_the_page_says("tutorial-stack.md", tmp_path / "nuclei.csv")


def test_yeast_of_the_movie_is_tracked_through_a_division(walk, tmp_path):
    walk("follow_yeast", "movie", tmp_path)
    as_the_page_says("tutorial-movie.md", tmp_path / "growing_yeast_tracks" / "tracks.csv")
