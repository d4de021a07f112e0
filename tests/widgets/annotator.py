"""A person at work in a real window, until done or killed: ``python -m tests.widgets.annotator``.

Five cells are clicked on and accepted on the first slice, one is taken back and made again, one is
opened again and corrected, all are followed through the stack, and every slice of every cell is
looked at and accepted. What was saved before is continued. Only mouse and keys are used.

Before anything that may change what was accepted, a line ``open`` says so; after each step a line
``told`` says what is accepted, as the panel shows it.
"""

from __future__ import annotations

import argparse
import json
import sys
import zlib
from pathlib import Path

import napari
from qtpy.QtCore import Qt

from napari_sam.errors import DISTRIBUTION
from napari_sam.session.adopt import object_at
from napari_sam.session.objects import Source, Status
from tests.widgets.hands import SHIFT, Hands

KEY = Qt.Key


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("picture")
    parser.add_argument("--cells", nargs="+", help="row,column of each")
    parser.add_argument("--slice", type=int, default=0, help="the one to begin with")
    parser.add_argument("--pictures", type=Path, help="folder for screenshots")
    parser.add_argument("--size", nargs=2, type=int, default=(1360, 800))
    args = parser.parse_args()
    viewer = napari.Viewer(show_welcome_screen=False)
    viewer.window._qt_window.resize(*args.size)
    viewer.open(args.picture, plugin="napari")
    _, panel = viewer.window.add_plugin_dock_widget(DISTRIBUTION, "Click to segment")
    cells = [tuple(map(int, cell.split(","))) for cell in args.cells]
    person = Person(viewer, panel, cells, args.slice, args.pictures)
    person.work()
    person.tell()
    say("done")
    person.wait(3600)


def say(word, value=None):
    sys.stdout.write(f"{word} {json.dumps(value)}\n")
    sys.stdout.flush()


class Person(Hands):
    """Knows where the cells are."""

    def __init__(self, viewer, panel, cells, begin, pictures):
        super().__init__(viewer, panel)
        self.cells, self.begin, self.pictures = cells, begin, pictures
        self.wait_until(lambda: self.window.isVisible() and not panel.jobs.busy)
        self.wait_until(lambda: not panel.resuming.busy)
        self.focus()
        self.wait(0.2)

    @property
    def objects(self):
        return self.panel.annotation.session.objects

    def work(self):
        self.go_on()
        self.start()
        self.correct()
        self.follow()
        self.review()

    def go_on(self):
        question = self.panel.controls.go_on
        if question.isVisible():
            self.photograph("session-question")
            self.push(question.answers[0])
            self.wait_until(lambda: not self.panel.resuming.busy)
            self.settle()
            self.photograph("session-restored")
        draft = self.panel.annotation.session.draft
        if not draft.is_empty:  # whatever was being drawn is begun anew
            self.press(KEY.Key_N, SHIFT)
        self.tell("restored")

    def start(self):
        """Click on every cell and accept it; take the last back, and not."""
        self.turn(self.begin)
        for cell in self.cells:
            if self.number(cell) is None:
                self.click(self.begin, *cell)
                self.press(KEY.Key_N)
                self.tell()
                if cell == self.cells[-1]:
                    say("open", [[self.number(cell), self.begin]])
                    self.press(KEY.Key_U)
                    self.press(KEY.Key_U, SHIFT)
                    self.tell()

    def correct(self):
        """Open the first cell again, click once more, accept it."""
        row, column = self.cells[0]
        number = self.number((row, column))
        section = self.objects[number].sections[self.begin, None, None]
        if section.prompts is None or len(section.prompts.points) > 1:
            return
        self.turn(self.begin)
        self.point_at(self.begin, row, column)
        self.press(KEY.Key_J, SHIFT)
        self.press(KEY.Key_O, SHIFT)
        say("open", [[number, self.begin]])
        self.click(self.begin, row + 4, column + 3)
        self.photograph("session-reopened")
        self.press(KEY.Key_N)
        self.tell()

    def follow(self):
        last = self.panel.annotation.picture.shape[0] - 1, None, None
        ends = (held.sections.get(last) for held in self.objects.values())
        if any(end is not None and end.origin.source is Source.PROPAGATED for end in ends):
            return  # else it was killed on the way there, if it was begun
        self.turn(self.begin)
        self.turn_to("Stack")
        self.push(self.panel.stack.controls.start)
        self.wait_until(lambda: not self.panel.stack.work.busy)
        self.turn(self.begin + 2)
        self.wait(1.5)  # how the view stands is written down a moment after it moved
        self.tell("followed")
        self.turn_to("Prompt")

    def review(self):
        """Accept every cell on every slice where it was found: K accepts and goes to the next."""
        self.focus()
        self.press(KEY.Key_J)
        while (left := self.doubtful) > 0:
            self.press(KEY.Key_K)
            self.tell()
            if self.doubtful == left:
                self.press(KEY.Key_J)

    @property
    def doubtful(self):
        """How many masks nobody has accepted."""
        sections = (s for held in self.objects.values() for s in held.sections.values())
        return sum(s.status is not Status.ACCEPTED for s in sections)

    def turn(self, z):
        """Press the arrow keys until a slice is in view."""
        self.focus()
        while (seen := self.panel.annotation.seen[0]) != z:
            self.press(KEY.Key_Right if seen < z else KEY.Key_Left)

    def number(self, cell):
        return object_at(self.panel.annotation.session, (self.begin, None, None), *cell)

    def tell(self, word="told"):
        accepted = [
            [number, plane[0], zlib.crc32(section.mask.full().tobytes())]
            for number, held in self.objects.items()
            for plane, section in held.sections.items()
            if section.status is Status.ACCEPTED and section.mask is not None
        ]
        say(word, accepted)

    def photograph(self, name):
        if self.pictures is not None:
            self.wait(0.5)
            self.window.grab().save(str(self.pictures / f"{name}.png"))


if __name__ == "__main__":
    main()
