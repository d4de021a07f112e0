"""Base class of the presenters of the tabs Auto and Text."""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from collections.abc import Collection, Mapping

from napari_sam.errors import NapariSamError
from napari_sam.results import Proposal
from napari_sam.session.autofill import Chosen
from napari_sam.widgets.annotation.annotation import Annotation
from napari_sam.widgets.annotation.queries import Answer, Query
from napari_sam.widgets.common.connections import Connections
from napari_sam.widgets.common.timers import new_timer
from napari_sam.widgets.common.wording import count
from napari_sam.widgets.search.controls import SearchControls
from napari_sam.widgets.search.findings import Findings
from napari_sam.widgets.search.wording import filled

__all__ = ["SearchPresenter"]

REST_MS = 30  # a slider tells of every pixel it moves
ANOTHER = "the picture or the model is another one now"
GONE = "⚠ What was found is let go of: the picture does not have its slice any more. Find again."


class SearchPresenter(ABC):
    """Handles a tab's buttons for one annotation.

    Parameters
    ----------
    annotation : Annotation
        Whose picture is searched.
    findings : Findings
        Where what is found goes.
    controls : SearchControls
        The tab's widgets.
    """

    where = ""  # title of the tab

    def __init__(
        self, annotation: Annotation, findings: Findings, controls: SearchControls
    ) -> None:
        self.annotation, self.findings = annotation, findings
        self._chosen: Chosen | None = None  # by the sliders
        self._said = ""  # in place of what can be done
        self._in_front = True  # the tab
        self._named = ""  # what waits, as the question says it
        self._show_tab = controls.show_wanted.emit
        self._soon = new_timer(REST_MS, self.filter)
        self._connections = Connections()
        connect, c = self._connections.add, controls
        connect(c.start.clicked, lambda: c.show_remark(""))  # what was said of steps before
        connect(c.start.clicked, self.start)
        connect(c.propose.clicked, lambda: self.put(math.inf))
        connect(c.accept.clicked, lambda: self.put(-math.inf))
        connect(c.forget.clicked, self._throw_away)
        connect(c.undo.clicked, self._take_back)
        connect(annotation.changed, self.refresh)
        connect(annotation.began_afresh, self._begin_afresh)
        self._show_remark = c.show_remark

    def close(self) -> None:
        """Disconnect; discard the proposals, keep the objects in the session."""
        self.stop("")
        self.forget()
        self._name_waiting()
        self._connections.close()
        self.findings.close()

    @property
    @abstractmethod
    def busy(self) -> bool:
        """True while the model runs for the tab."""

    @abstractmethod
    def start(self) -> None:
        """Start a search of the slice in view."""

    @abstractmethod
    def stop(self, why: str) -> None:
        """Stop the running search, if any."""

    @abstractmethod
    def filter(self) -> None:
        """Apply the filters to the proposals and show the result, without a model call."""

    @abstractmethod
    def refresh(self, what: object = None) -> None:
        """Update the widgets; `what` has changed, a `What`, or None for anything."""

    def present(self, in_front: bool) -> None:
        """Show the proposals while the tab is in front; while it is not, a question names them."""
        self._in_front = in_front
        self.findings.present(in_front)
        self._name_waiting()

    def forget(self) -> None:
        """Discard the proposals; no label changes."""
        self._chosen = None
        self._said = ""
        self._soon.stop()
        self.findings.forget()

    def put(self, certain: float) -> None:
        """Add the kept proposals to the session: accepted above a score, else for review."""
        self._choose()  # a slider may have moved just now
        if self._chosen is None or self.busy:
            return
        try:
            done = self.findings.put(self._chosen, certain, self._classes())
        except NapariSamError as error:
            self.say(f"⚠ {error}")
            return
        self._soon.stop()
        self._choose()
        self.findings.hide()
        self.say(filled(done))

    def say(self, text: str) -> None:
        """Show a message until the next event."""
        self._said = text
        self._show_remark("")
        self.refresh()

    @abstractmethod
    def _choose(self) -> None:
        """Sort what was found into what is settled, kept and left out."""

    def _classes(self) -> Mapping[str, Collection[Proposal]] | None:
        """Return what is kept of each class; None if there are none."""
        return None

    @property
    def _kept(self) -> list[Proposal]:
        return [] if self._chosen is None else self._chosen.kept

    def _name_waiting(self) -> None:
        """Ask what to do with proposals that are out of sight, until they are settled."""
        queries, kind = self.annotation.queries, f"found in {self.where}"
        waiting = len(self._kept) if self.findings.offered else 0
        if self._in_front or self.busy or not waiting:
            self._named = ""
            queries.withdraw(kind)
            return
        wait = "waits" if waiting == 1 else "wait"
        text = f"{count(waiting, 'found object')} {wait} in {self.where}."
        if text != self._named:
            self._named = text
            answers = (
                Answer("Show them", self._show_tab, f"Go to the tab {self.where}"),
                Answer("Later", lambda: None, f"They stay in the tab {self.where}"),
                Answer("Discard", self._throw_away, "Nothing of it is written; no label changes"),
            )
            queries.ask(Query(kind, text, answers, prompt_only=True))

    def _filter_anew(self) -> None:
        self._said = ""
        self._show_remark("")
        self._filter_soon()

    def _filter_soon(self, milliseconds: int = REST_MS) -> None:
        if self.findings.found is not None and not self._soon.isActive():
            self._soon.start(milliseconds)

    def _begin_afresh(self) -> None:
        """Let go of what is of no use any more: the picture or the model has changed."""
        gone = self.findings.gone
        if gone:
            self.forget()
        self.stop(ANOTHER)
        if gone:
            self._said = GONE
        self.refresh()

    def _take_back(self) -> None:
        self.findings.take_back()
        self._said = ""
        self.filter()
        self.refresh()

    def _throw_away(self) -> None:
        self.forget()
        self.refresh()
