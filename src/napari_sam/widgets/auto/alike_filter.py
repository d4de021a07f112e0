"""Filter of proposals by examples: a live slider, a count, and the class of what is kept."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING

from qtpy.QtWidgets import QFrame, QVBoxLayout

from napari_sam.results import Proposal
from napari_sam.widgets.annotation.annotation import Annotation
from napari_sam.widgets.auto.alike import (
    AlikeRule,
    AlikeWorker,
    Rated,
    RatingRequest,
    Sought,
    sought,
)
from napari_sam.widgets.auto.wording import counted, examples
from napari_sam.widgets.common.choices import Choice, Choices
from napari_sam.widgets.common.connections import Connections
from napari_sam.widgets.common.forms import new_button, new_form, new_label
from napari_sam.widgets.search.slice_proposals import SliceProposals

if TYPE_CHECKING:
    from napari_sam.inference.similar.rating import Likeness

__all__ = ["AlikeControls", "AlikeFilter"]

TIP = "How like the examples an object has to be: 1 is certain. No model runs"
TABLE = (Choice("similarity", "Similarit&y", TIP, 0.5, slider=True),)


class AlikeControls(QFrame):
    """Slider of the similarity, what the examples are, and a way back; hidden at first."""

    def __init__(self) -> None:
        super().__init__()
        self.choices = Choices(TABLE)
        self.about = new_label("Examples")
        self.anything = new_button("Any kind again", "Keep what was found, of whatever kind it is")
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.addWidget(self.about)
        form = new_form()
        self.choices.add_to(form)
        column.addLayout(form)
        column.addWidget(self.anything)
        self.hide()

    @property
    def similarity(self) -> float:
        """Where the slider stands."""
        return float(self.choices["similarity"].value)

    def show_sought(self, what: Sought | None) -> None:
        """Show what the examples are; hide all of it for None."""
        self.setVisible(what is not None)
        if what is not None:
            self.about.setText(examples(what.ids, what.name))


class AlikeFilter:
    """Keeps of the proposals of one annotation those that are like examples.

    Parameters
    ----------
    annotation : Annotation
        Whose objects are the examples.
    worker : AlikeWorker
        Rates proposals.
    controls : AlikeControls
        The slider.
    changed : callable
        Called when other proposals are kept.
    """

    def __init__(
        self,
        annotation: Annotation,
        worker: AlikeWorker,
        controls: AlikeControls,
        changed: Callable[[], None],
    ) -> None:
        self._annotation, self._work, self._controls = annotation, worker, controls
        self._changed = changed
        self.sought: Sought | None = None
        self.likeness: Likeness | None = None
        self._similarity: dict[Proposal, float] = {}
        self._found: SliceProposals | None = None  # that are being rated
        self._connections = Connections()
        self._connections.add(controls.choices.changed, lambda _: changed())
        self._connections.add(controls.anything.clicked, self.drop)
        self._connections.add(worker.rated, self._take)
        controls.show_sought(None)

    def close(self) -> None:
        """Let go of the annotation."""
        self._work.close()
        self._connections.close()
        self._controls.show_sought(None)

    @property
    def busy(self) -> bool:
        """True while proposals are rated."""
        return self._work.busy

    @property
    def similarity(self) -> float:
        """From which similarity on a proposal is kept."""
        return self._controls.similarity

    @property
    def rule(self) -> AlikeRule | None:
        """What is kept on other slices; None: objects of any kind."""
        if self.sought is None or self.likeness is None:
            return None
        return AlikeRule(self.sought, self.likeness, self.similarity)

    def seek(self, ids: Sequence[int]) -> None:
        """Take these objects as examples.

        Raises
        ------
        InputError
            As `sought`.
        """
        self.sought = sought(self._annotation.session, ids, self._annotation.seen)
        self.forget()
        self.likeness = None
        self._controls.show_sought(self.sought)

    def drop(self) -> None:
        """Keep objects of any kind again."""
        if self.sought is not None:
            self.stop()
            self.sought = self.likeness = None
            self.forget()
            self._controls.show_sought(None)
            self._changed()

    def stop(self) -> None:
        """Rate no further proposals."""
        self._work.close()

    def forget(self) -> None:
        """Drop what is known of proposals."""
        self._similarity, self._found = {}, None

    def rate(self, found: SliceProposals) -> bool:
        """Start to rate the proposals that are not yet, if any, and to look for what is missing."""
        model = self._annotation.model
        new = [one for one in found.new if one not in self._similarity]
        if self.sought is None or model is None or (self._similarity and not new):
            return False
        self._found = found
        request = RatingRequest(
            self._annotation, self.sought, found.plane, new, self.likeness, found.settled
        )
        self._work.start(model, request)
        return True

    def among(self, found: SliceProposals) -> list[Proposal] | None:
        """Return the proposals that are similar enough; None for all, of whatever kind."""
        if self.sought is None:
            return None
        least = self.similarity
        return [one for one in found.new if self._similarity.get(one, -1.0) >= least]

    def classes(self, kept: Sequence[Proposal]) -> Mapping[str, Sequence[Proposal]] | None:
        """Return what is kept as of the examples' class; None where no class is sought."""
        return None if self.sought is None else {self.sought.name: kept}

    def said(self, kept: int) -> str:
        """Return how many there are, in words; empty where nothing is sought or rated."""
        if self.sought is None or not self._similarity:
            return ""
        from napari_sam.inference.similar.rating import count

        return counted(kept, count(list(self._similarity.values())))

    def _take(self, rated: Rated) -> None:
        self.likeness = rated.likeness
        self._similarity |= rated.similarity
        if self._found is not None:
            self._found.add(rated.more)
        self._changed()
