"""The sliders of the automatic mode: their ends, their bounds, and the histogram."""

from __future__ import annotations

import numpy as np
import pytest

from napari_sam.results import Proposal
from napari_sam.widgets.search.measures import MEASURES, Histogram, MeasureRow

ROWS = {measure.name: measure for measure in MEASURES}


def found(*scores, side=4, value=1.0):
    mask = np.ones((side, side), bool)
    picture = np.full((20, 20), value)
    return [Proposal.of(mask, picture, score=score, stability=1, point=(1, 1)) for score in scores]


@pytest.fixture
def row(qtbot):
    row = MeasureRow(ROWS["score"])
    qtbot.addWidget(row)
    row.set_found(found(0.512, 0.7, 0.888))
    return row


def test_the_ends_hold_all_values_and_are_open(row):
    low, high = row.shown
    assert low <= 0.512
    assert high >= 0.888
    assert row.range == (None, None)


def test_moved_handles_close_their_end(row):
    row.slider.setValue((0.6, row.slider.maximum()))
    assert row.range == (pytest.approx(0.6), None)
    row.slider.setValue((row.slider.minimum(), 0.8))
    assert row.range == (None, pytest.approx(0.8))


def test_a_bound_outlives_another_search(row):
    row.slider.setValue((0.6, row.slider.maximum()))
    row.set_found(found(0.8, 0.9))
    assert row.range == (pytest.approx(0.6), None)
    row.set_found([])
    assert row.range == (pytest.approx(0.6), None)
    row.set_found(found(0.2, 0.9))
    assert row.shown[0] == pytest.approx(0.6)


def test_areas_are_shown_as_diameters(qtbot):
    row = MeasureRow(ROWS["area"])
    qtbot.addWidget(row)
    row.set_range((np.pi / 4 * 100, None))
    row.set_found(found(0.5, side=2) + found(0.5, side=16))
    assert row.shown[0] == pytest.approx(10)
    assert row.range == (pytest.approx(np.pi / 4 * 100), None)


def test_numbers_typed_the_wrong_way_round_are_sorted(row):
    row.low.setValue(0.8)
    row.high.setValue(0.6)
    assert row.range == (pytest.approx(0.6), pytest.approx(0.8))


@pytest.mark.parametrize("value", [np.nan, 0.0, 40_000.0, -3.5])
def test_any_intensity_can_be_shown(qtbot, value):
    row, histogram = MeasureRow(ROWS["intensity"]), Histogram()
    for widget in (row, histogram):
        qtbot.addWidget(widget)
    row.set_found(found(0.5, 0.6, value=value))
    histogram.show_row(row)
    assert not histogram.grab().isNull()
    assert row.range == (None, None)


def test_the_histogram_colours_what_is_kept(qtbot, row):
    histogram = Histogram()
    qtbot.addWidget(histogram)
    histogram.resize(300, 60)
    row.resize(300, 60)
    row.show()
    histogram.show_row(row)

    def blue():
        image = histogram.grab().toImage()
        pixels = [
            image.pixelColor(x, y) for x in range(image.width()) for y in range(image.height())
        ]
        return sum(p.blue() > 200 and p.red() < 120 for p in pixels)

    everything = blue()
    row.slider.setValue((0.6, row.slider.maximum()))
    assert 0 < blue() < everything
