"""The rest of a queue is filled in and rated in the background; what is begun stays as it is."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import tifffile

from napari_sam.progress import Progress
from napari_sam.results import Proposal, SearchResult
from napari_sam.session.objects import Status
from napari_sam.session.queue.queue import State
from napari_sam.session.queue.table import TABLE, read_table
from napari_sam.widgets.search.work import Kind


@pytest.fixture
def model(model):
    """Finds two squares in every picture, less sure of one where the picture begins darker."""

    def find(image, settings, where, contrast, pause, seeds=None, kept=None):
        found = []
        for place, score in ((5, 0.95), (30, int(image[0, 0]) / 512)):
            mask = np.zeros(image.shape, bool)
            mask[5:15, place : place + 10] = True
            found.append(Proposal.of(mask, image, score=score, stability=1, point=(10, place + 5)))
        yield Progress(1, 1, SearchResult(found, found))

    model.find = find
    model.has_instances = True
    return model


def test_the_rest_is_filled_in_and_comes_up_for_review(folder, opened, rest):
    _, panel = opened(folder)
    panel.queue.strip.actions_of["fill"].trigger()
    rest(panel)
    assert not panel.annotation.session.objects  # somebody works on that one
    assert not [one.note for one in read(folder) if one.note]
    states = {one.path.stem: (one.state, one.objects, one.to_review) for one in read(folder)}
    assert states["a"] == (State.TODO, 0, 0)
    assert states["b"] == states["c"] == (State.FILLED, 2, 1)
    panel.queue.step(1)
    rest(panel)
    assert panel.controls.remark.text().startswith("A search has filled this in: 2 objects.")
    objects = panel.annotation.session.objects
    assert sorted(one.status.value for one in objects.values()) == ["accepted", "unclear"]
    assert panel.annotation.target.data.any()
    assert {s.status for o in objects.values() for s in o.sections.values()} != {Status.PROPOSED}
    panel.annotation.undo()
    assert not panel.annotation.session.objects


def test_only_what_is_like_the_examples_is_kept_and_waits(folder, opened, rest):
    _, panel = opened(folder)
    said = []
    panel.queue.remarked.connect(said.append)
    panel.queue.strip.actions_of["alike"].trigger()
    assert "Find more like these" in said[-1]
    assert not panel.queue.search.busy

    def keep(segmenter, pixels, contrast, found, pause):
        return [one for one in found if one.score > 0.9]

    panel.queue.tools = replace(panel.queue.tools, kind=lambda: Kind("rod", keep))
    panel.queue.strip.actions_of["alike"].trigger()
    rest(panel)
    states = [(one.state, one.objects, one.to_review) for one in read(folder)]
    assert states == [(State.TODO, 0, 0), (State.FILLED, 1, 1), (State.FILLED, 1, 1)]
    panel.queue.step(1)
    rest(panel)
    session = panel.annotation.session
    assert [session.classes[one.class_id] for one in session.objects.values()] == ["rod"]


def test_a_stack_is_filled_in_slice_by_slice(folder, opened, rest):
    pixels = tifffile.imread(folder / "c.tif")
    tifffile.imwrite(folder / "c.tif", np.stack([pixels] * 3), photometric="minisblack")
    _, panel = opened(folder)
    panel.queue.strip.actions_of["fill"].trigger()
    rest(panel)
    states = {one.path.stem: (one.state, one.objects) for one in read(folder)}
    assert states["c"] == states["b"] == (State.FILLED, 2)
    panel.queue.go(2)
    rest(panel)
    objects = panel.annotation.session.objects
    assert {len(one.sections) for one in objects.values()} == {3}


def test_worst_first_rates_what_is_not_known_and_orders_by_it(folder, opened, rest):
    _, panel = opened(folder)
    panel.queue.strip.actions_of["worst"].trigger()
    rest(panel)
    queue = panel.queue.queue
    expected = [one.expected for one in queue.entries]
    assert expected == sorted(expected, reverse=True)
    assert queue.current.path.stem == "a"
    assert not any(one.objects for one in queue.entries)
    panel.queue.strip.actions_of["name"].trigger()
    assert [one.path.stem for one in queue.entries] == ["a", "b", "c"]
    rest(panel)


def read(folder):
    return read_table(folder / TABLE)


def test_what_cannot_be_searched_is_named(folder, opened, rest):
    (folder / "b.tif").write_bytes(b"nothing")
    _, panel = opened(folder)
    said = []
    panel.queue.remarked.connect(said.append)
    panel.queue.strip.actions_of["fill"].trigger()
    rest(panel)
    assert "1 picture could not be searched, b.tif first" in said[-1]
    states = {one.path.stem: one.state for one in read(folder)}
    assert states == {"a": State.TODO, "b": State.TODO, "c": State.FILLED}
