"""The curve and the preview of a run, read from their pixels."""

from __future__ import annotations

import numpy as np
import pytest
from qtpy.QtGui import QColor, QImage, QPalette

from napari_sam.training.validation import ValidationPreview
from napari_sam.widgets.common.curve import IOU, LOSS, VALIDATION, Curve, smoothed
from napari_sam.widgets.train.report import FOUND, TRUTH, TrainPreview, drawn


def pixels(widget):
    image = widget.grab().toImage().convertToFormat(QImage.Format.Format_RGB888)
    data = np.frombuffer(image.constBits().asstring(image.sizeInBytes()), np.uint8)
    lines = data.reshape(image.height(), image.bytesPerLine())
    return lines[:, : 3 * image.width()].reshape(image.height(), image.width(), 3)


def where(picture, colour, below=0):
    """Rows and columns of a colour, below the legend."""
    rgb = np.array([colour.red(), colour.green(), colour.blue()])
    rows, columns = np.nonzero((np.abs(picture.astype(int) - rgb) < 12).all(axis=-1))
    return rows[rows > below], columns[rows > below]


@pytest.fixture
def curve(qtbot):
    curve = Curve()
    qtbot.addWidget(curve)
    curve.resize(300, 180)
    curve.clear(100)
    return curve


def test_the_running_mean_begins_with_the_first_value():
    assert smoothed([]) == []
    assert smoothed([(1, 2.0), (2, 4.0)])[0] == (1, 2.0)
    assert smoothed([(1, 2.0), (2, 4.0)])[1][1] == pytest.approx((0.9 * 2 + 4) / 1.9)
    assert smoothed([(n, 3.0) for n in range(50)])[-1][1] == pytest.approx(3)


def test_a_falling_loss_falls_and_stays_in_its_part_of_the_run(curve):
    for step in range(1, 51):
        curve.add(step, 2 - step / 40, None, None)
    legend = 2 * curve.fontMetrics().height()
    rows, columns = where(pixels(curve), LOSS, legend)
    inside = (columns > 60) & (columns < 240)  # without the axis and its numbers
    rows, columns = rows[inside], columns[inside]
    assert rows[columns < 80].mean() < rows[columns > 120].mean() - 10
    assert columns.max() < 165  # half of the steps


def test_held_out_pictures_are_dots_at_their_height(curve):
    curve.add(50, None, None, 0.5)
    legend = 2 * curve.fontMetrics().height()
    rows, columns = where(pixels(curve), VALIDATION, legend)
    area = np.array([1.6, 1.4]) * curve.fontMetrics().height()
    middle = (area[0] + curve.height() - area[1]) / 2
    assert (rows.mean(), columns.mean()) == pytest.approx((middle, 150), abs=2)
    assert 6 <= np.ptp(columns) <= 10


def test_a_new_run_begins_with_nothing(curve):
    empty = pixels(curve)
    curve.add(3, 1.0, 0.5, 0.5)
    assert not np.array_equal(pixels(curve), empty)
    curve.clear(100)
    np.testing.assert_array_equal(pixels(curve), empty)


@pytest.mark.parametrize("background", ["#262930", "#efebe9"], ids=["dark", "light"])
def test_lines_stand_out_from_naparis_backgrounds(background):
    def luminance(colour):
        parts = np.array([colour.redF(), colour.greenF(), colour.blueF()])
        linear = np.where(parts <= 0.04045, parts / 12.92, ((parts + 0.055) / 1.055) ** 2.4)
        return linear @ [0.2126, 0.7152, 0.0722]

    ground = luminance(QColor(background))
    for colour in (LOSS, IOU, VALIDATION):
        light, dark = sorted((luminance(colour), ground), reverse=True)
        assert (light + 0.05) / (dark + 0.05) > 2.4


def test_words_take_the_colour_of_the_theme(curve):
    palette = curve.palette()
    palette.setColor(QPalette.ColorRole.WindowText, QColor(250, 0, 250))
    curve.setPalette(palette)
    assert len(where(pixels(curve), QColor(250, 0, 250))[0]) > 5


@pytest.fixture
def preview():
    truth, predicted = np.zeros((2, 20, 40), np.int32)
    truth[4:10, 4:10], predicted[4:10, 24:30] = 1, 1
    return ValidationPreview(np.full((20, 40, 3), 7, np.uint8), truth, predicted)


def test_outlines_are_one_pixel_wide_at_any_size(preview):
    picture = drawn(preview, (60, 120))
    assert picture.shape == (60, 120, 3)
    side = 6 * 3
    for colour, left in ((TRUTH, 12), (FOUND, 72)):
        mask = (picture == colour).all(axis=-1)
        assert mask.sum() == 4 * side - 4
        assert mask[12, left : left + side].all()
        assert not mask[13:29, left + 1 : left + side - 1].any()
    assert (picture[0] == 7).all()


def test_the_preview_keeps_its_proportions(qtbot, preview):
    label = TrainPreview()
    qtbot.addWidget(label)
    label.resize(300, 50)
    label.show()
    label.take(preview)
    assert (label.pixmap().width(), label.pixmap().height()) == (300, 150)
    label.resize(200, 150)
    assert (label.pixmap().width(), label.pixmap().height()) == (200, 100)
    assert label.height() == 100
