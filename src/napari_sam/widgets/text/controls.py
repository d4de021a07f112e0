"""View of the tab Text: widgets, names, tooltips and order. No logic."""

from __future__ import annotations

import re
from collections.abc import Sequence

from qtpy.QtCore import Qt
from qtpy.QtWidgets import QCompleter, QLineEdit, QWidget

from napari_sam.results import Proposal
from napari_sam.text.vocabulary import vocabulary
from napari_sam.widgets.common.choices import Choice, Choices
from napari_sam.widgets.common.drawer import Drawer
from napari_sam.widgets.common.forms import ASIDE, new_form, new_label
from napari_sam.widgets.search.controls import SearchControls
from napari_sam.widgets.text.wording import known_words, legend

__all__ = ["TextControls"]

WAYS = {"objects": "Every object that fits", "area": "One area of everything that fits"}
EXAMPLE = "for example: bright round nuclei, bacteria"
LAST_WORD = re.compile(r"[^\s,]*$")

# Tips.
WHAT = "Each kind of object in a few words; commas between several kinds"
AS = "Objects one by one, or one area in which they may touch"
SIMILARITY = "How well an object has to fit the words: 1 is certain"

ASKED = (
    Choice("words", "&What", WHAT, ""),
    Choice("way", "&As", AS, entries=WAYS),
)
FILTERS = (
    Choice("similarity", "&Similarity", SIMILARITY, 0.0, slider=True),
    Choice(
        *("most", "At &most", "Only those that fit best", 0),
        limits=(0, 100_000),
        unit=" of each kind",
        lowest="All that fit",
    ),
)


class TextControls(SearchControls):
    """All widgets of the tab, top to bottom in the order of use.

    Attributes
    ----------
    tuned : bool
        Whether somebody has moved the slider.
    """

    def __init__(self) -> None:
        super().__init__(
            "Find", "Stop here", "As proposals of these classes; one undo takes it back"
        )
        self.choices, self.filters = Choices(ASKED, "text"), Choices(FILTERS)
        self.choices.recall()
        self.tuned = False
        self.filters.changed.connect(self._take_filter)
        self.words: QLineEdit = self.choices["words"].native
        self.words.setPlaceholderText(EXAMPLE)
        self.words.setCompleter(LastWord(self))
        self.known = new_label("Words it knows")
        self.known.setText(known_words())
        self.known.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
        self.unknown = new_label("Unknown words")
        self.unknown.setTextFormat(Qt.TextFormat.PlainText)
        self.unknown.setStyleSheet(ASIDE)
        self.legend = new_label("Colours of the words")
        self.legend.setTextFormat(Qt.TextFormat.RichText)
        self._lay_out()
        self.show_work(False)
        self.show_remark("")
        self.show_unknown(())

    @property
    def said(self) -> tuple[str, ...]:
        """The text prompts, one per class, without duplicates."""
        texts = (" ".join(text.split()) for text in self.words.text().split(","))
        return tuple(dict.fromkeys(text for text in texts if text))

    @property
    def whole(self) -> bool:
        """True for one area per class (semantic), False for separate objects."""
        return bool(self.choices["way"].value == "area")

    def show_work(self, busy: bool) -> None:
        """Switch between the widgets of a running search and the idle ones."""
        super().show_work(busy)
        self.choices.enable(not busy, "way")
        self.words.setReadOnly(busy)

    def show_unknown(self, remarks: Sequence[str]) -> None:
        """Show which words are unknown to the text encoder."""
        self.unknown.setText("\n".join(f"⚠ {text}." for text in remarks))
        self.unknown.setVisible(bool(remarks))

    def show_found(
        self, texts: Sequence[str], kept: Sequence[Sequence[Proposal]], areas: bool
    ) -> None:
        """Show the legend of kept proposals per class; for `areas` hide the filters."""
        self.legend.setText(legend(texts, kept, areas))
        for name in ("similarity", "most"):
            self.form.setRowVisible(self.filters[name].native, not areas)

    def _take_filter(self, name: str) -> None:
        self.tuned = self.tuned or name == "similarity"

    def _lay_out(self) -> None:
        form, self.form = new_form(), new_form()
        self.choices.add_to(form)
        self.body.addLayout(form)
        self.body.addWidget(Drawer("Words it knows", self.known, self).button)
        self.add_search()
        self.area.add_line(self.unknown)
        self.column.addWidget(self.legend)
        self.filters.add_to(self.form)
        self.column.addLayout(self.form)
        for button in (self.propose, self.accept, self.forget):
            self.column.addWidget(button)
        self.add_outcome()


class LastWord(QCompleter):
    """Completer for the last word of the text."""

    def __init__(self, field: QWidget) -> None:
        said = vocabulary()
        facts = [*said.of_role("kind"), *said.of_role("trait")]
        words = {word for fact in facts for phrase in said.phrases[fact] for word in phrase.split()}
        super().__init__(sorted(word for word in words if len(word) > 2), field)
        self.setCaseSensitivity(Qt.CaseSensitivity.CaseInsensitive)
        self._before = ""

    def splitPath(self, path: str | None) -> list[str]:
        """Return the word to complete."""
        text = path or ""
        start = LAST_WORD.search(text).start()  # type: ignore[union-attr] # it always matches
        self._before = text[:start]
        return [text[start:] or "\0"]

    def pathFromIndex(self, index: object) -> str:
        """Return the whole text with its last word completed."""
        return self._before + str(super().pathFromIndex(index))  # type: ignore[arg-type]
