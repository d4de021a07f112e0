"""Somebody who works at random, and always the same for a given seed.

As a program (``python -m tests.session.player``) it reads lines with a folder and a seed, forks a
child that works in that folder, tells its process id, and waits for its end. The child tells of
every step that the session has taken.
"""

from __future__ import annotations

import contextlib
import json
import os
import sys
from pathlib import Path

import numpy as np

from napari_sam.errors import InputError
from napari_sam.session import drawing
from napari_sam.session.batch import Batch, NewMask
from napari_sam.session.changes import Kind, SectionEdit
from napari_sam.session.disk import folder as folder_module
from napari_sam.session.disk.codec import Codec, InlineMasks
from napari_sam.session.disk.fingerprint import Fingerprint
from napari_sam.session.disk.folder import SessionFolder, restore
from napari_sam.session.disk.manifest import Manifest
from napari_sam.session.edit import curation
from napari_sam.session.objects import Origin, Source, Status
from napari_sam.session.overlap import Rule
from napari_sam.session.paint import paint
from napari_sam.session.session import Session
from tests.fakes import ArrayTarget, FakeSegmenter

SHAPE = 3, 24, 32
HISTORY = 60_000  # bytes, so that old steps are dropped now and then
MODEL = FakeSegmenter(radius=3)
PICTURE = Fingerprint.of(SHAPE, np.zeros(SHAPE, np.uint8))


class Player:
    """Does one thing after the other to a session over its own labels."""

    def __init__(self, session: Session, seed: int) -> None:
        self.session = session
        self.rng = np.random.default_rng(seed)
        self.labels = np.zeros(SHAPE, np.uint16)
        session.labels.write_to(ArrayTarget(self.labels))

    def step(self) -> None:
        """Do something; what the session refuses is no step."""
        doings = [self.click] * 4 + [self.accept] * 3 + [self.paint, self.propose, self.review]
        doings += [self.undo, self.redo, self.regroup, self.reopen]
        with contextlib.suppress(InputError):
            self.pick(doings)()

    def pick(self, things):
        return things[int(self.rng.integers(len(things)))]

    def plane(self):
        return int(self.rng.integers(SHAPE[0])), None, None

    def spot(self):
        return int(self.rng.integers(SHAPE[1])), int(self.rng.integers(SHAPE[2]))

    def some(self):
        return self.pick(list(self.session.objects)) if self.session.objects else 1

    def answer(self):
        request = self.session.request
        if request is not None:
            self.session.receive(request, request.run(MODEL, SHAPE[1:]))

    def click(self):
        draft = self.session.draft
        points, labels = [*draft.points, self.spot()], [*draft.labels, self.pick([1, 1, 0])]
        drawing.draw(self.session, draft.plane or self.plane(), points, labels, draft.box)
        self.answer()
        drawing.choose(self.session, int(self.rng.integers(3)))

    def accept(self):
        self.answer()
        drawing.accept(self.session, self.pick(list(Rule)))

    def undo(self):
        for _ in range(int(self.rng.integers(6))):
            self.session.undo()

    def redo(self):
        for _ in range(int(self.rng.integers(6))):
            self.session.redo()

    def paint(self):
        plane, (row, column) = self.plane(), self.spot()
        value = self.pick([0, 1, 2] if self.session.semantic else [0, self.some(), 30])
        rows, columns = (
            a.ravel() for a in np.mgrid[row : min(row + 4, 24), column : min(column + 4, 32)]
        )
        before = self.labels[plane[0], rows, columns]
        self.labels[plane[0], rows, columns] = value
        paint(self.session, plane, rows, columns, before, np.full_like(before, value))

    def propose(self):
        start = self.plane()
        with Batch(self.session, Kind.PROPAGATED, self.pick(list(Rule))) as batch:
            for index in range(SHAPE[0]):
                masks = []
                for _ in range(2):
                    mask = np.zeros(SHAPE[1:], bool)
                    row, column = self.spot()
                    mask[row : row + 5, column : column + 5] = True
                    origin = Origin(Source.PROPAGATED, start)
                    masks.append(
                        NewMask(
                            mask if self.rng.random() < 0.9 else None,
                            self.pick([None, self.some()]),
                            float(self.rng.random()),
                            origin,
                            self.pick([Status.PROPOSED, Status.UNCLEAR]),
                        )
                    )
                batch.add((index, None, None), masks)

    def review(self):
        ids = [self.some()]
        self.pick(
            [
                lambda: curation.set_status(self.session, ids, self.pick(list(Status))),
                lambda: curation.lock(self.session, ids, bool(self.rng.random() < 0.3)),
                lambda: curation.set_class(self.session, ids, self.pick([1, 2])),
                lambda: self.session.configure(semantic=bool(self.rng.integers(2))),
                lambda: curation.discard(self.session, ids[0]),
                lambda: self.session.keep_view({"zoom": float(self.rng.random())}),
            ]
        )()

    def regroup(self):
        self.pick(
            [
                lambda: curation.merge(self.session, [self.some(), self.some()]),
                lambda: curation.split(self.session, self.some()),
                lambda: curation.delete(self.session, [self.some()]),
            ]
        )()

    def reopen(self):
        number = self.some()
        if self.rng.random() < 0.3:
            drawing.continue_object(self.session, number)
        elif number in self.session.objects:
            drawing.reopen(self.session, number, self.pick(self.session.objects[number].planes))


def new_session(log=None) -> Session:
    session = Session(log, HISTORY)
    session.configure(classes={1: "cell", 2: "nucleus"})
    return session


def image_of(session: Session) -> str:
    """Return all that must survive, as text."""
    codec = Codec(InlineMasks())
    objects = [
        [held.id, codec.traits(held.traits), codec.edits([SectionEdit(held.id, plane, None, s)])]
        for held in sorted(session.objects.values(), key=lambda held: held.id)
        for plane, s in sorted(held.sections.items(), key=str)
    ]
    stacks = [
        [c.kind.name for c in stack] for stack in (session.history.done, session.history.undone)
    ]
    state = [objects, codec.draft(session.draft), stacks, session.semantic, dict(session.view)]
    return json.dumps(state)


def work(path: Path, seed: int) -> None:
    """Go on with the session in a folder, and tell of every step that is taken."""
    folder_module.LONG_JOURNAL = 30_000
    if path.exists():
        session = restore(path, HISTORY).session
    else:
        session = Session(history_bytes=HISTORY)
        SessionFolder.create(path, Manifest(PICTURE)).serve(session)
        session.configure(classes={1: "cell", 2: "nucleus"})
    player = Player(session, seed)
    os.write(1, b"ready\n")
    while True:
        player.step()
        os.write(1, b"step\n")


def main() -> None:
    import zarr  # noqa: F401 once, not in every child

    for line in sys.stdin:
        path, seed = line.split()
        child = os.fork()
        if child == 0:
            try:
                work(Path(path), int(seed))
            finally:
                os._exit(1)
        os.write(1, b"child %d\n" % child)
        os.waitpid(child, 0)
        os.write(1, b"end\n")


if __name__ == "__main__":
    main()
