"""The two tutorials on the samples in depth and time, done in a real window as their pages say."""

from __future__ import annotations

import csv
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple
from unittest.mock import patch

from qtpy.QtCore import QPoint, Qt
from qtpy.QtTest import QTest
from qtpy.QtWidgets import QFileDialog, QWidget
from window import Window, wait, wait_until

from napari_sam.samples import SAMPLES

__all__ = ["MOVIE", "STACK", "Moment", "follow_yeast", "measure_nuclei"]

STACK, MOVIE = "stack", "movie"  # their names in SAMPLES
NUCLEI = tuple(asked.points[0] for asked in SAMPLES[STACK].prompts)  # row and column
YEAST = (214, 22), (45, 44), (31, 61), (110, 145)  # on the first frame; the first one buds
BUD, BUDDED = (202, 36), 5  # where, and on which frame it is told from its mother
CTRL = Qt.KeyboardModifier.ControlModifier


class Moment(NamedTuple):
    """What is worth a picture: its name (of a still, else empty), the mouse, how long it is on."""

    name: str
    mouse: QPoint | None = None
    shown_ms: int = 1_200


def measure_nuclei(seen: Window, table: Path) -> Iterator[Moment]:
    """Take five nuclei of the sample stack from a click to volumes in a table.

    Raises
    ------
    ValueError
        If what comes is not what the page says.
    """
    panel = seen.panel
    yield from _accept(seen, *NUCLEI)
    seen.turn_to("Stack")
    stack = panel.stack.controls
    yield Moment("")
    yield from _follow(seen)
    yield Moment("tutorial-stack-followed", shown_ms=2_000)
    _check(stack.review.text() == "Review 0", stack.status.text())
    _push(stack.accept_certain)
    for z in (2, 5, 8, 11, 14):
        seen.viewer.dims.set_point(0, z * SAMPLES[STACK].scale[0])
        wait(0.3)
        yield Moment("", shown_ms=500)
    with patch.object(QFileDialog, "getSaveFileName", lambda *_: (str(table), "")):
        _push(panel.footer.measure)
    wait_until(lambda: not panel.saver.busy)
    yield Moment("tutorial-stack-measured", shown_ms=2_500)
    with table.open() as file:
        volumes = [float(row["volume_um3"]) for row in csv.DictReader(file)]
    _check(len(volumes) == len(NUCLEI) and all(700 < one < 1_300 for one in volumes), volumes)


def follow_yeast(seen: Window, folder: Path) -> Iterator[Moment]:
    """Follow four cells of the sample movie and a bud, link them, and write their tracks.

    Raises
    ------
    ValueError
        If what comes is not what the page says.
    """
    panel, stack = seen.panel, seen.panel.stack.controls
    seen.viewer.dims.set_point(0, 0)
    yield from _accept(seen, *YEAST)
    seen.viewer.dims.set_point(0, BUDDED)
    yield from _accept(seen, BUD, name="tutorial-movie-bud")
    table = panel.controls.objects.table
    wait_until(lambda: table.model().rowCount() == 1 + len(YEAST))
    table.setFocus()
    QTest.keyClick(table, Qt.Key.Key_A, CTRL)
    seen.turn_to("Stack")
    wanted = stack.choices["objects"]
    wanted.value = "selected"
    wanted.native.activated.emit(wanted.native.currentIndex())
    yield from _follow(seen)
    yield Moment("tutorial-movie-followed", shown_ms=2_000)
    _push(stack.review)
    _check(panel.annotation.seen == (3, None, None), panel.annotation.seen)
    yield Moment("tutorial-movie-look", shown_ms=1_500)
    QTest.keyClick(seen.canvas, Qt.Key.Key_K)
    wait_until(lambda: stack.review.text() == "Review 0")
    _push(stack.accept_certain)
    seen.viewer.dims.set_point(0, 0)
    stack.more_tracks.setChecked(True)
    _push(stack.tracks.link)
    wait_until(lambda: not panel.stack.tracks_work.busy)
    _check("6 tracks, 1 division" in stack.tracks.status.text(), stack.tracks.status.text())
    for frame in range(SAMPLES[MOVIE].read().shape[0]):
        seen.viewer.dims.set_point(0, frame)
        wait(0.3)
        yield Moment("", shown_ms=450)
    yield Moment("tutorial-movie-tracks", shown_ms=2_500)
    with patch.object(QFileDialog, "getExistingDirectory", lambda *_: str(folder)):
        _push(stack.tracks.export)
    wait_until(lambda: not panel.stack.tracks_work.busy)
    with next(folder.glob("*_tracks/tracks.csv")).open() as file:
        rows = list(csv.DictReader(file))
    mothers = [row for row in rows if row["daughters"]]
    _check(len(rows) == 6 and len(mothers) == 1, rows)
    _check(len(mothers[0]["daughters"].split()) == 2, mothers)


def _accept(seen: Window, *places: tuple[float, float], name: str = "") -> Iterator[Moment]:
    """Click on objects and accept each; the last mask is photographed under a name."""
    for left, place in zip(reversed(range(len(places))), places, strict=True):
        yield Moment("", seen.place(*place), 500)
        seen.click(*place)
        yield Moment("" if left else name, seen.place(*place), 700)
        QTest.keyClick(seen.canvas, Qt.Key.Key_N)
        wait_until(lambda: not seen.panel.jobs.busy)
    yield Moment("", shown_ms=800)


def _follow(seen: Window) -> Iterator[Moment]:
    """Follow what is chosen in the tab Stack, with a look at every third mask that comes."""
    stack = seen.panel.stack
    begun = stack.controls.list.slices.sure
    _push(stack.controls.start)
    while stack.work.busy:
        had = stack.controls.list.slices.sure
        wait_until(lambda had=had: had < stack.controls.list.slices.sure or not stack.work.busy)
        if (stack.controls.list.slices.sure - begun) % 3 == 0:
            yield Moment("", shown_ms=250)


def _push(button: QWidget) -> None:
    QTest.mouseClick(button, Qt.MouseButton.LeftButton)
    wait(0.3)


def _check(right: bool, what: object) -> None:
    if not right:
        raise ValueError(f"the page says something else: {what}")
