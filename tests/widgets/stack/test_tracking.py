"""Tracks in the panel: linked, listed by doubt, edited, undone, shown as a layer, exported."""

from __future__ import annotations

import numpy as np
import pytest
from napari.components import ViewerModel
from napari.layers import Tracks as NapariTracks

from napari_sam.io.tracks.read import read_tracks
from napari_sam.widgets.panel import Panel
from tests.tracking.drawn import dividing, fill, renumbered
from tests.widgets.conftest import close_at_end


class Bench:
    """A panel over a movie whose objects are others on each frame, with the drawer open."""

    def __init__(self, qtbot, host, labels):
        self.qtbot, self.viewer = qtbot, ViewerModel()
        axes = {"axis_labels": ("t", "y", "x")}
        self.viewer.add_image(np.uint8(40 * (labels > 0)), name="a movie", **axes)
        self.panel = Panel(self.viewer, host)
        close_at_end(qtbot, self.panel)
        self.panel.precompute.switch(False)
        self.panel.show()
        self.panel.annotation.binding.ensure_target()
        fill(self.session, labels)
        self.controls = self.panel.stack.controls.tracks

    @property
    def session(self):
        return self.panel.annotation.session

    def wait(self):
        self.qtbot.waitUntil(lambda: not self.panel.stack.tracks_work.busy, timeout=10_000)

    def link(self):
        self.controls.link.click()
        self.wait()

    def lines(self):
        return [self.controls.list.item(i).text() for i in range(self.controls.list.count())]

    def choose(self, *numbers):
        for place, line in enumerate(self.lines()):
            number = int(line.split(" ")[0])
            self.controls.list.item(place).setSelected(number in numbers)

    def layers(self):
        return [one for one in self.viewer.layers if isinstance(one, NapariTracks)]


@pytest.fixture
def movie(qtbot, host):
    """A movie with a division, linked."""
    bench = Bench(qtbot, host, dividing())
    bench.controls.opened.emit()
    bench.link()
    return bench


def test_objects_become_tracks_with_a_lineage_beside_them(qtbot, host):
    bench = Bench(qtbot, host, renumbered(dividing()))
    bench.controls.opened.emit()
    assert len(bench.lines()) == 20
    before = bench.panel.annotation.target.data.copy()
    bench.link()
    assert len(bench.lines()) == 4
    assert "4 tracks, 1 division" in bench.controls.status.text()
    assert "divides into" in "".join(bench.lines())
    [layer] = bench.layers()
    assert [len(parents) for parents in layer.graph.values()] == [1, 1]
    assert len(layer.data) == 20
    bench.panel.annotation.undo()
    np.testing.assert_array_equal(bench.panel.annotation.target.data, before)
    qtbot.waitUntil(lambda: len(bench.lines()) == 20)
    assert len(np.unique(layer.data[:, 0])) == 20
    bench.controls.shown.setChecked(False)
    assert bench.layers() == []


def test_edits_of_selected_tracks_and_what_they_need(movie):
    by_text = {line: int(line.split(" ")[0]) for line in movie.lines()}
    mother = next(n for line, n in by_text.items() if "divides" in line)
    daughter = next(n for line, n in by_text.items() if "from" in line)
    movie.choose(mother, daughter)
    enabled = {name for name, button in movie.controls.buttons.items() if button.isEnabled()}
    assert enabled == {"join", "divide", "swap"}
    movie.controls.buttons["join"].click()
    assert not any("divides" in line for line in movie.lines())
    movie.viewer.dims.set_point(0, 2)
    movie.choose(mother)
    movie.controls.buttons["break"].click()
    assert len(movie.lines()) == 4
    assert any(line.startswith(f"{mother} · frames 0 to 1") for line in movie.lines())
    movie.panel.annotation.undo()
    movie.panel.annotation.undo()
    movie.qtbot.waitUntil(lambda: any("divides" in line for line in movie.lines()))


def test_what_cannot_be_done_is_said_and_changes_nothing(movie):
    passer = next(int(line.split(" ")[0]) for line in movie.lines() if "0 to 7" in line)
    mother = next(int(line.split(" ")[0]) for line in movie.lines() if "divides" in line)
    before = movie.lines()
    said = []
    movie.panel.annotation.remarked.connect(said.append)
    movie.choose(passer, mother)
    movie.controls.buttons["join"].click()
    assert "break one of them first" in said[-1]
    assert movie.lines() == before


def test_the_most_doubtful_track_leads_to_its_frame(qtbot, host):
    frames = dividing()
    frames[5:][frames[5:] == 4] = 0  # the one that passes by is lost
    bench = Bench(qtbot, host, frames)
    bench.controls.opened.emit()
    bench.link()
    assert "ends in mid-picture" in bench.lines()[0]
    bench.controls.list.itemClicked.emit(bench.controls.list.item(0))
    assert bench.panel.annotation.seen == (4, None, None)
    assert bench.panel.annotation.selected == int(bench.lines()[0].split(" ")[0])


def test_short_tracks_are_deleted_and_the_rest_exported(qtbot, host, tmp_path):
    frames = dividing()
    frames[2, 2:6, 70:76] = 9
    bench = Bench(qtbot, host, frames)
    bench.controls.opened.emit()
    bench.link()
    assert len(bench.lines()) == 5
    bench.controls.delete_short.click()
    bench.panel.stack._tracking.write(tmp_path)
    bench.wait()
    series = read_tracks(tmp_path / "a_movie_tracks")
    assert sorted(len(some) for some in series.tracks.members.values()) == [4, 4, 4, 8]
    assert len(set(series.tracks.parents.values())) == 1


def test_a_cancelled_link_changes_nothing(qtbot, host):
    bench = Bench(qtbot, host, renumbered(dividing()))
    bench.controls.opened.emit()
    bench.controls.link.click()
    bench.controls.cancel.click()
    assert not bench.panel.stack.tracks_work.busy
    qtbot.wait(50)
    assert len(bench.lines()) == 20
    assert "nothing has changed" in bench.controls.status.text()


def test_only_time_has_tracks(qtbot, host):
    viewer = ViewerModel()
    viewer.add_image(np.zeros((4, 20, 30), np.uint8), axis_labels=("z", "y", "x"))
    panel = Panel(viewer, host)
    close_at_end(qtbot, panel)
    assert panel.stack.controls.more_tracks.isHidden()
    viewer.layers.clear()
    viewer.add_image(np.zeros((4, 20, 30), np.uint8), axis_labels=("t", "y", "x"))
    assert not panel.stack.controls.more_tracks.isHidden()
