"""Means, reliability and words from rows that are added up by hand."""

import numpy as np
import pytest

from napari_sam.data.samples import images_from_arrays
from napari_sam.evaluation.report import (
    MEASURES,
    as_json,
    by_dataset,
    means,
    reliability_table,
    score_table,
    summary_lines,
)
from tests.training.conftest import discs


def row(click, box=0.9, **more):
    values = dict.fromkeys(MEASURES, click) | {"box": box, "disc": 0.5, "ellipse": 0.8, "lost": 0.0}
    return values | {"score 1": click, "score 3": click, "score box": box} | more


def test_each_set_counts_once_in_the_mean_of_sets():
    rows = {"a": [row(0.4), row(0.6)], "b": [row(0.9, lost=1.0)]}
    found = means(rows)
    assert found["a"]["click 1"] == pytest.approx(0.5)
    assert found["mean of the sets"]["click 1"] == pytest.approx((0.5 + 0.9) / 2)
    assert found["mean of the sets"]["objects"] == 3
    assert found["mean of the sets"]["lost"] == 1
    assert found["a"]["r"] == pytest.approx(1)  # the scores are the truth
    assert np.isnan(found["b"]["r"])
    assert found["mean of the sets"]["r"] == pytest.approx(1)  # of the one that has any
    assert as_json(rows)["sets"]["b"]["r"] is None
    lines = score_table(rows).splitlines()
    assert lines[2].startswith("| a | 2 | 0 | 0.500 |")
    assert lines[-2].startswith("| mean of the sets | 3 | 1 | 0.700 |")
    assert lines[-1].startswith("| all objects | 3 | 1 | 0.633 |")
    assert len({line.count("|") for line in lines}) == 1


def test_rows_are_collected_by_data_set():
    (picture,) = images_from_arrays("discs", *discs(0))
    assert by_dataset([(picture, [row(0.1)]), (picture, [row(0.2)])]) == {
        "discs": [row(0.1), row(0.2)]
    }


def test_the_reliability_table_bins_by_score():
    rows = {"a": [row(0.5, **{"score 1": 0.1, "score 3": 0.15, "score box": 1.3})]}
    assert reliability_table(rows).splitlines()[2:] == [
        "| 0.0 to 0.2 | 2 | 0.12 | 0.50 |",
        "| 0.8 to 1.0 | 1 | 1.30 | 0.90 |",  # scores can exceed 1
    ]


def test_it_says_where_a_drawing_wins_and_where_clicks_do_not_help():
    losing = {"a": [row(0.4, box=0.7)] * 60}
    text = "\n".join(summary_lines(losing))
    assert "a: from one click it loses to the disc, 0.400 to 0.500" in text
    assert "a: from a box it loses to the ellipse, 0.700 to 0.800" in text
    assert "objects only" not in text
    assert "further clicks do not always help" in "\n".join(
        summary_lines({"a": [row(0.6, **{"click 5": 0.1})]})
    )
    assert summary_lines({"a": [row(0.6)]}) == [
        "Beats both drawings on every set, and each further click helps on average."
    ]
