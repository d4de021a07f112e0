"""What the tab for words looks like: its widgets, their names, hints and order. No logic."""

from __future__ import annotations

import re
from collections.abc import Sequence
from html import escape

from qtpy.QtCore import Qt
from qtpy.QtWidgets import (
    QCompleter,
    QFrame,
    QLineEdit,
    QProgressBar,
    QSpinBox,
    QVBoxLayout,
    QWidget,
)
from superqt import QLabeledDoubleSlider

from napari_sam.results import Proposal
from napari_sam.text.vocabulary import vocabulary
from napari_sam.widgets.common.forms import (
    ASIDE,
    add_row,
    in_a_row,
    new_button,
    new_choice,
    new_fold,
    new_form,
    new_label,
    new_status,
)
from napari_sam.widgets.common.wording import count
from napari_sam.widgets.search.found import COLOURS
from napari_sam.widgets.search.wording import ELSEWHERE

__all__ = [
    "COMPARING",
    "NO_PICTURE",
    "NO_WORDS",
    "TextControls",
    "found_areas",
    "found_objects",
    "legend",
    "ready",
]

WAYS = {"objects": "Every object that fits", "area": "One area of everything that fits"}
EXAMPLE = "for example: bright round nuclei, bacteria"
KNOWN = {"What": "kind", "How it looks": "trait", "How it was taken": "method", "Where": "origin"}
LAST_WORD = re.compile(r"[^\s,]*$")
MOST = 100_000


class TextControls(QWidget):
    """All widgets of the tab, top to bottom in the order of use."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.words = QLineEdit()
        self.words.setPlaceholderText(EXAMPLE)
        self.words.setToolTip("Each kind of object in a few words; commas between several kinds")
        self.words.setCompleter(LastWord(self))
        self.way = new_choice(WAYS, "Objects one by one, or one area in which they may touch")
        self.known = new_label("Words it knows")
        self.known.setText(known())
        self.known.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
        self.start = new_button("Find", "On the slice in view; nothing is written yet")
        self.start.setStyleSheet("QPushButton:enabled { font-weight: bold; padding: 7px; }")
        self.bar = QProgressBar()
        self.bar.setTextVisible(False)
        self.bar.setFixedHeight(6)
        self.bar.setAccessibleName("How far the search is")
        self.cancel = new_button("Cancel", "Stop here")
        self.status = new_status(lines=4)
        self.unknown = new_label("Unknown words")
        self.unknown.setTextFormat(Qt.TextFormat.PlainText)
        self.unknown.setStyleSheet(ASIDE)
        self.remark = new_label("Remark")
        self.remark.setTextFormat(Qt.TextFormat.PlainText)
        self.legend = new_label("Colours of the words")
        self.legend.setTextFormat(Qt.TextFormat.RichText)
        self.similarity = QLabeledDoubleSlider(Qt.Orientation.Horizontal)
        self.similarity.setRange(0, 1)
        self.similarity.setToolTip("How well an object has to fit the words: 1 is certain")
        self.most = QSpinBox()
        self.most.setRange(0, MOST)
        self.most.setSpecialValueText("All that fit")
        self.most.setSuffix(" of each kind")
        self.most.setToolTip("Only those that fit best")
        self.propose = new_button(
            "Put into the list to review", "As proposals of these classes; one undo takes it back"
        )
        self.propose.setStyleSheet("QPushButton:enabled { font-weight: bold; }")
        self.accept = new_button(
            "Accept all", "Write all that is kept into the labels, as one step"
        )
        self.forget = new_button("Forget these", "Take the preview away; no label changes")
        self.undo = new_button("Take all of it back", "Undo this step, all objects at once")
        self._lay_out()
        self.show_work(False)
        self.show_remark("")
        self.show_unknown(())

    @property
    def said(self) -> tuple[str, ...]:
        """What to look for: a text for each kind, each once."""
        texts = (" ".join(text.split()) for text in self.words.text().split(","))
        return tuple(dict.fromkeys(text for text in texts if text))

    @property
    def whole(self) -> bool:
        """Whether one area of each kind is wanted, not objects."""
        return bool(self.way.currentData() == "area")

    def show_work(self, busy: bool) -> None:
        """Show what belongs to a search under way, or what does not."""
        self.bar.setVisible(busy)
        self.cancel.setVisible(busy)
        self.start.setVisible(not busy)
        self.way.setEnabled(not busy)
        self.words.setReadOnly(busy)

    def show_remark(self, text: str) -> None:
        """Say what came of a key; empty takes it away."""
        self.remark.setText(text)
        self.remark.setVisible(bool(text))

    def show_unknown(self, remarks: Sequence[str]) -> None:
        """Say which words are not known."""
        self.unknown.setText("\n".join(f"⚠ {text}." for text in remarks))
        self.unknown.setVisible(bool(remarks))

    def show_found(self, words: Sequence[str], found: Sequence[str], areas: bool) -> None:
        """Say what is kept of each kind, and in which colour; `areas`: there is nothing to sort."""
        self.legend.setText("<br>".join(map(_line, range(len(words)), words, found)))
        for field in (self.similarity, self.most):
            self.form.setRowVisible(field, not areas)

    def _lay_out(self) -> None:
        layout = QVBoxLayout(self)
        layout.setContentsMargins(6, 6, 6, 6)
        layout.setSpacing(8)
        form = new_form()
        add_row(form, "&What", self.words)
        add_row(form, "&As", self.way)
        layout.addLayout(form)
        layout.addWidget(new_fold("Words it knows", self.known))
        layout.addWidget(self.known)
        layout.addWidget(self.unknown)
        layout.addWidget(self.start)
        layout.addLayout(in_a_row(self.bar, self.cancel))
        layout.addWidget(self.status)
        layout.addWidget(self.remark)
        self.tuning = self._tuning()
        layout.addWidget(self.tuning)
        layout.addWidget(self.undo)
        layout.addStretch()
        for widget in (self.tuning, self.undo):
            widget.hide()

    def _tuning(self) -> QFrame:
        frame = QFrame()
        column = QVBoxLayout(frame)
        column.setContentsMargins(0, 0, 0, 0)
        column.addWidget(self.legend)
        self.form = new_form()
        add_row(self.form, "&Similarity", self.similarity)
        add_row(self.form, "At &most", self.most)
        column.addLayout(self.form)
        for button in (self.propose, self.accept, self.forget):
            column.addWidget(button)
        return frame


class LastWord(QCompleter):
    """Completes the word that is being typed; those before it stay."""

    def __init__(self, field: QWidget) -> None:
        said = vocabulary()
        facts = [*said.of_role("kind"), *said.of_role("trait")]
        words = {word for fact in facts for phrase in said.phrases[fact] for word in phrase.split()}
        super().__init__(sorted(word for word in words if len(word) > 2), field)
        self.setCaseSensitivity(Qt.CaseSensitivity.CaseInsensitive)
        self._before = ""

    def splitPath(self, path: str | None) -> list[str]:
        """Return the word that is looked up."""
        text = path or ""
        start = LAST_WORD.search(text).start()  # type: ignore[union-attr] # it always matches
        self._before = text[:start]
        return [text[start:] or "\0"]

    def pathFromIndex(self, index: object) -> str:
        """Return the whole text with the word completed."""
        return self._before + str(super().pathFromIndex(index))  # type: ignore[arg-type]


def known() -> str:
    """Return the words that the built-in encoder was taught, as rich text."""
    said = vocabulary()
    lines = [
        f"<b>{title}</b>: " + ", ".join(said.phrases[fact][0] for fact in said.of_role(role))
        for title, role in KNOWN.items()
    ]
    return "<br>".join([*lines, "and what means the same."])


def _line(number: int, word: str, found: str) -> str:
    colour = COLOURS[number % len(COLOURS)]
    return f'<span style="color: {colour}">■</span> {escape(word)}: <b>{found}</b>'


NO_PICTURE = "Choose a picture in the tab Prompt; then say here what to find in it."
NO_WORDS = "Say what to find; commas between several kinds. Each kind becomes a class."
COMPARING = "Comparing with your words… (the first time it takes some seconds longer)"


def ready(whole: bool) -> str:
    """Return what a press of the button does."""
    if whole:
        return "Ready: one area of each kind; objects in it are not told apart."
    return (
        "Ready: everything in the slice is found, as the tab Auto is set, and compared with your "
        "words. Other words afterwards are a matter of moments."
    )


def found_objects(kept: int, new: int, known: int, best: float, elsewhere: bool) -> str:
    """Return what can be done with objects that were found.

    Parameters
    ----------
    kept : int
        Objects that fit well enough.
    new : int
        Objects that were compared, but for settled ones.
    known : int
        Found again, though they are settled.
    best : float
        The highest similarity.
    elsewhere : bool
        Whether they lie on another slice than the one in view.

    Examples
    --------
    >>> found_objects(0, 8, 0, 0.31, False)
    'None of 8 objects fits so well; the best one has 0.31. Lower the similarity to see it.'
    """
    again = f" {count(known)} found again are left out: they are there already." if known else ""
    if not new:
        text = "Nothing new was found to compare. Try a finer grid in the tab Auto."
    elif not kept:
        text = (
            f"None of {count(new)} fits so well; the best one has {best:.2f}. Lower the similarity "
            "to see it."
        )
    else:
        text = (
            f"{kept:,} of {count(new)} fit. Move the slider until they are right, then put them "
            "into the list, or accept all."
        )
    return text + again + (ELSEWHERE if elsewhere else "")


def legend(found: Sequence[Proposal], areas: bool) -> str:
    """Return what is kept of one kind: how many objects, or how good the area is."""
    if not areas:
        return f"{len(found):,}"
    return f"predicted IoU {found[0].score:.2f}" if found else "nothing"


def found_areas(areas: int, elsewhere: bool) -> str:
    """Return what can be done with so many areas."""
    if not areas:
        return "Nothing in the slice fits these words."
    text = (
        f"{count(areas, 'area')} found. Put it into the list, or accept all. For labels with a "
        "number per class see More options in the tab Prompt."
    )
    return text + (ELSEWHERE if elsewhere else "")
