"""Planes of a stack, embedded ahead of need."""

from __future__ import annotations

import pytest

from napari_sam.errors import InputError
from napari_sam.serving.precompute import embed_stack


class Stack:
    """Nine planes; `order` tells which were embedded, `at` is where the user looks."""

    def __init__(self, at=4):
        self.order, self.at, self.planes = [], (at,), [(z,) for z in range(9)]

    def steps(self, keep=lambda z: 10, **more):
        def note(z):
            self.order.append(z)
            return keep(z)

        return embed_stack(note, lambda plane: plane[0], self.planes, lambda: self.at, **more)


def test_the_nearest_comes_first_and_all_are_counted():
    stack = Stack()
    steps = list(stack.steps())
    assert stack.order == [4, 3, 5, 2, 6, 1, 7, 0, 8]
    assert [(step.done, step.total, step.result.nbytes) for step in steps] == [
        (n, 9, 10 * n) for n in range(10)
    ]
    assert not any(step.result.full for step in steps)
    assert steps[5].seconds_left > steps[-1].seconds_left == 0


def test_it_follows_the_user_and_stays_where_he_looks_elsewhere():
    stack = Stack(at=0)
    steps = stack.steps()
    for _ in range(3):
        next(steps)
    stack.at = (8,)
    next(steps)
    stack.at = None
    next(steps)
    assert stack.order == [0, 1, 8, 7]


def test_nothing_is_done_before_it_is_asked_for():
    stack = Stack()
    steps = stack.steps()
    assert next(steps).done == 0
    assert stack.order == []
    steps.close()


def test_the_last_do_not_push_out_the_first():
    stack = Stack()
    last = list(stack.steps(budget=35))[-1]
    assert stack.order == [4, 3, 5]
    assert (last.done, last.result.full) == (3, True)
    assert [step.result.full for step in Stack().steps(budget=0)] == [True]
    assert not list(Stack().steps(budget=90))[-1].result.full


def test_it_ends_where_nothing_more_can_be_kept():
    stack = Stack()
    last = list(stack.steps(lambda z: 0 if z == 5 else 10))[-1]
    assert (last.done, last.result.full) == (2, True)


def test_a_plane_that_cannot_be_embedded_is_named_and_left_out():
    def keep(z):
        if z == 3:
            raise InputError("no pixel has a finite value")
        return 10

    steps = list(Stack().steps(keep))
    assert [step.result.problem for step in steps if step.result.problem] == [
        "no pixel has a finite value"
    ]
    assert (steps[-1].done, steps[-1].result.nbytes) == (9, 80)


def test_other_errors_end_it():
    def keep(z):
        raise RuntimeError

    steps = Stack().steps(keep)
    next(steps)
    with pytest.raises(RuntimeError):
        next(steps)


def test_axes_of_the_plane_itself_do_not_count():
    order = []
    planes = [(t, None, z, None) for t in range(2) for z in range(3)]
    steps = embed_stack(
        lambda plane: order.append(plane) or 1, lambda plane: plane, planes, lambda: planes[4]
    )
    assert list(steps)[-1].done == 6
    assert order[0] == (1, None, 1, None)
    assert set(order[1:4]) == {(1, None, 0, None), (1, None, 2, None), (0, None, 1, None)}
