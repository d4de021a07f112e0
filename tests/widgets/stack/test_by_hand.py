"""Objects slice by slice with keys, what is missing on a slice, and review by halves."""

from __future__ import annotations

import numpy as np
import pytest

from napari_sam.session.edit import halves
from napari_sam.session.objects import Source, Status
from tests.widgets.stack.test_tab import DISCS, START, Bench, draw


@pytest.fixture
def bench(qtbot, host):
    """A stack with object 1 on all slices and 2 on the first eight, both accepted on slice 4."""
    bench = Bench(qtbot, host, draw(DISCS))
    bench.see(0, START)
    bench.accept(START, 14, 20)
    bench.accept(START, 14, 42)
    bench.said = []
    bench.panel.annotation.remarked.connect(bench.said.append)
    return bench


def select(bench, number):
    bench.panel.review.refresh()
    bench.panel.controls.objects.select(number)


def do(bench, *names):
    for name in names:
        bench.tab.actions[name]()


def missing(bench):
    strip = bench.controls.strip
    return [strip.item(row).text() for row in range(strip.count())]


def status(bench, number, index):
    section = bench.session.objects.section(number, (index, None, None))
    return None if section is None else (section.status, section.mask is not None)


def test_copies_fills_and_ends_are_single_steps(bench):
    select(bench, 1)
    do(bench, "copy_next")
    assert bench.viewer.dims.current_step[0] == START + 1
    section = bench.session.objects[1].sections[START + 1, None, None]
    assert section.origin.source is Source.COPIED
    do(bench, "copy_next")
    bench.panel.review.actions["accept_slice"]()
    bench.session.undo()  # the acceptance alone
    assert bench.slices(1) == [4, 5, 6]
    bench.see(0, START + 1)
    do(bench, "ends")
    assert status(bench, 1, START + 2) == (Status.ACCEPTED, False)
    bench.session.undo()
    do(bench, "absent")
    assert status(bench, 1, START + 1) == (Status.ACCEPTED, False)
    do(bench, "interpolate")
    assert "no gap" in bench.said[-1]


def test_what_is_missing_is_copied_followed_or_ends_by_one_key_each(bench):
    assert bench.lines()  # drawn a moment after the objects changed, and the strip with them
    assert bench.controls.strip.isVisibleTo(bench.controls)
    assert missing(bench) == []
    bench.see(0, START + 1)
    assert missing(bench) == ["1", "2"]
    do(bench, "missing_copy")
    assert missing(bench) == ["2"]
    do(bench, "missing_ends")
    assert missing(bench) == []
    assert status(bench, 2, START + 1) == (Status.ACCEPTED, False)
    bench.see(0, START + 2)
    assert missing(bench) == ["1"]
    do(bench, "missing_follow")  # from the copy, which nobody has accepted
    bench.finish()
    assert bench.slices(1) == list(range(START, 10))
    bench.panel.annotation.undo()
    assert bench.slices(1) == [START, START + 1]


def test_following_heeds_what_is_not_there(bench):
    bench.see(0, START + 2)
    select(bench, 1)
    do(bench, "ends")
    bench.see(0, START)
    bench.follow()
    assert status(bench, 1, START + 2) == (Status.ACCEPTED, False)
    assert bench.slices(1) == [*range(START + 2), START + 2]
    labels = bench.panel.annotation.target.data
    assert np.flatnonzero((labels == 1).any(axis=(1, 2))).tolist() == list(range(START + 2))


def test_review_by_halves_accepts_and_only_a_half_is_followed_again(bench, model, monkeypatch):
    monkeypatch.setattr(halves, "LEAST", 0.2)  # these masks are all but certain
    bench.follow()
    select(bench, 2)
    do(bench, "halves")
    first = bench.viewer.dims.current_step[0]
    assert status(bench, 2, first) != (Status.ACCEPTED, True)
    do(bench, "halves")
    assert status(bench, 2, first)[0] is Status.ACCEPTED
    assert "Look at object" in bench.said[-1] or "closely enough" in bench.said[-1]
    bench.session.undo()
    assert status(bench, 2, first) is None or status(bench, 2, first)[0] is not Status.ACCEPTED
    for index in (2, 6):
        bench.see(0, index)
        select(bench, 1)
        bench.panel.review.actions["accept_slice"]()
    bench.see(0, START)
    select(bench, 1)
    model.followed.clear()
    do(bench, "follow")
    bench.finish()
    assert set(model.followed) <= set(range(2, 7))
