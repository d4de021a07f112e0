"""Two annotations, of a stack and of a flat picture: their steps, and all that there is of them."""

from __future__ import annotations

import json
import zlib

import numpy as np

from napari_sam.masks import CroppedMask
from napari_sam.session import drawing
from napari_sam.session.adopt import adopt
from napari_sam.session.batch import Batch, NewMask
from napari_sam.session.changes import Kind
from napari_sam.session.draft import Draft
from napari_sam.session.edit import curation
from napari_sam.session.objects import Origin, Source, Status
from napari_sam.session.overlap import Rule
from napari_sam.session.paint import paint
from napari_sam.session.session import Session
from tests.fakes import ArrayTarget, FakeSegmenter

PLANE = 24, 32
SHAPES = {"stack": (3, *PLANE), "flat": PLANE}
VIEW = {"zoom": 2.5, "point": [1, 0, 0], "tab": "Stack", "model": "cells_tiny"}


def at(z):
    return z, None, None


def square(row, column, side=5):
    mask = np.zeros(PLANE, bool)
    mask[row : row + side, column : column + side] = True
    return mask


def answer(session):
    session.receive(session.request, session.request.run(FakeSegmenter(radius=3), PLANE))


def accept(session, plane, *points, rule=Rule.KEEP, **more):
    drawing.draw(session, plane, points, [1] * len(points), **more)
    answer(session)
    return drawing.accept(session, rule).object_id


def brush(session, labels, plane, value, row, column):
    """Paint a square, as a brush of the viewer does."""
    rows, columns = np.nonzero(square(row, column, 4))
    there = labels[tuple(slice(None) if axis is None else axis for axis in plane)]
    before = there[rows, columns].copy()
    there[rows, columns] = value
    paint(session, plane, rows, columns, before, np.full_like(before, value))


def begun(kind):
    """Return a session without steps over labels, and the labels; some are there already."""
    labels, session = np.zeros(SHAPES[kind], np.uint16), Session()
    if kind == "stack":
        labels[2, 2:6, 2:6] = 40
    session.labels.write_to(ArrayTarget(labels))
    return session, labels


def before_snapshot(session, labels):
    """Do everything to the stack that a person can do."""
    session.configure(classes={1: "cell", 2: "nucleus"})
    drawing.draw(session, at(0), [(6, 8)], [1])
    answer(session)
    drawing.choose(session, 1)
    first = drawing.accept(session).object_id
    session.configure(new_class=2)
    drawing.draw(session, at(1), [(12, 20)], [1], (6, 14, 19, 28))
    answer(session)
    drawing.draw(session, at(1), [(12, 20), (14, 22.5)], [1, 0], (6, 14, 19, 28))
    answer(session)
    second = drawing.accept(session).object_id
    third = accept(session, at(2), box=(8, 10, 18, 22), mask=CroppedMask.of(square(10, 12, 6)))
    adopt(session, at(2))
    propagated = Origin(Source.PROPAGATED, at(0))
    with Batch(session, Kind.PROPAGATED) as batch:
        mask = square(4, 5)
        batch.add(at(1), [NewMask(mask, first, 0.75, propagated, Status.UNCLEAR)])
        batch.add(at(2), [NewMask(None, first, None, propagated, Status.UNCLEAR)])
    with Batch(session, Kind.AUTOMATIC, Rule.REPLACE, {**session.classes, 3: "rest"}) as batch:
        asked = Draft(at(0), ((20.0, 5.0),), (1,))
        many = [NewMask(square(18, 3), score=0.9, prompts=asked, class_id=3)]
        many += [NewMask(square(18, column), score=0.5) for column in (8, 15, 22)]
        found = batch.add(at(0), many)
    curation.merge(session, found[:2])
    brush(session, labels, at(0), 0, 18, 15)
    curation.delete(session, found[3:])
    session.undo()
    curation.set_class(session, [third], 1)
    curation.set_status(session, [first], Status.ACCEPTED, at(1))
    drawing.continue_object(session, first)
    accept(session, at(0), (6, 8), (9, 20))
    curation.split(session, first)
    curation.lock(session, [second])
    curation.delete(session, found[3:])
    session.keep_view({"zoom": 1.0})


def after_snapshot(session, labels):
    """Go on, so that the journal holds lines of every kind; leave a draft and a step to redo."""
    accept(session, at(1), (20, 4))
    session.undo()
    session.redo()
    session.configure(classes={**session.classes, 4: "späte Zelle"}, new_class=4)
    with Batch(session, Kind.REFINED, Rule.REPLACE) as batch:
        refined = Origin(Source.AUTOMATIC)
        for z in range(3):
            batch.add(at(z), [NewMask(square(0, 24 + z), score=0.25, origin=refined)])
    brush(session, labels, at(2), 30, 19, 27)
    labels[1, 0:3, 0:3] = 50
    adopt(session, at(1))
    drawing.reopen(session, 1, at(0))
    drawing.reject(session)
    session.keep_view(VIEW)
    drawing.draw(session, at(2), [(5, 24)], [1])
    answer(session)
    drawing.draw(session, at(2), [(5, 24), (7.25, 26)], [1, 0])
    drawing.draw(session, at(2), [(5, 24)], [1])
    drawing.draw(session, at(2), [(5, 24), (7.25, 26)], [1, 0])
    drawing.draw(session, at(2), [(5, 24), (7.25, 26)], [1, 0], (1, 18, 12, 30))
    drawing.draw(session, at(2), [(5, 24), (7.25, 26)], [1, 0], (1, 18, 11, 30))
    session.undo()


def flat(session, labels):
    """Draw classes on a flat picture; an object is open at the end."""
    plane = None, None
    session.configure(semantic=True, classes={1: "cell", 2: "gap"})
    accept(session, plane, (6, 8))
    session.configure(new_class=2)
    accept(session, plane, (8, 9), rule=Rule.REPLACE)
    brush(session, labels, plane, 1, 15, 20)
    drawing.reopen(session, 1, plane)
    points = [*session.draft.points, (6, 3)]
    drawing.draw(session, plane, points, [1] * len(points))


def everything(session):
    """Return all that must not be lost, as JSON."""
    objects = {
        number: {
            "class": held.class_id,
            "locked": held.locked,
            "sections": [[plane, _section(one)] for plane, one in held.sections.items()],
        }
        for number, held in session.objects.items()
    }
    stacks = session.history.done, session.history.undone
    said = {
        "objects": objects,
        "draft": _draft(session.draft),
        "history": [[[step.number, step.kind.value] for step in steps] for steps in stacks],
        "semantic": session.semantic,
        "classes": dict(session.classes),
        "new_class": session.new_class,
        "view": dict(session.view),
    }
    return json.loads(json.dumps(said))


def _section(section):
    return {
        "mask": _mask(section.mask),
        "score": section.score,
        "source": section.origin.source.value,
        "from": section.origin.plane,
        "status": section.status.value,
        "prompts": None if section.prompts is None else _draft(section.prompts),
    }


def _draft(draft):
    return {
        "plane": draft.plane,
        "points": draft.points,
        "labels": draft.labels,
        "box": draft.box,
        "mask": _mask(draft.mask),
        "choice": draft.choice,
        "object": draft.object_id,
        "held": _mask(draft.held),
        "touched": draft.touched,
    }


def _mask(mask):
    """Return a mask's size and a checksum of all its pixels."""
    if mask is None:
        return None
    full = mask.full()
    return [*full.shape, int(full.sum()), zlib.crc32(np.packbits(full))]


def walk(session, labels):
    """Take every step back, then make all again; return the labels after each."""
    frames = []
    for can, go in (("can_undo", session.undo), ("can_redo", session.redo)):
        while getattr(session, can):
            go()
            frames.append(labels.copy())
    return np.stack(frames)
