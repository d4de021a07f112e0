"""Shows the open question of the current annotation in every tab."""

from __future__ import annotations

from collections.abc import Iterable
from functools import partial

from napari_sam.widgets.annotation.annotation import Annotation
from napari_sam.widgets.annotation.queries import Queries, Query
from napari_sam.widgets.common.questions import QueryRow

__all__ = ["QueryDisplay"]


class QueryDisplay:
    """Keeps rows at the question that is on show.

    Parameters
    ----------
    prompt : QueryRow
        That of the tab Prompt.
    others : iterable of QueryRow
        One of each other tab.

    Attributes
    ----------
    idle : Queries
        On show while there is no annotation.
    """

    def __init__(self, prompt: QueryRow, others: Iterable[QueryRow]) -> None:
        self._prompt, self._others = prompt, tuple(others)
        self.idle = self._queries = Queries()
        self._queries.changed.connect(self._show)

    def follow(self, annotation: Annotation | None) -> None:
        """Show the questions of this annotation; of none, those of an idle panel."""
        self._queries.changed.disconnect(self._show)
        self._queries = self.idle if annotation is None else annotation.queries
        self._queries.changed.connect(self._show)
        self._show()

    def close(self) -> None:
        """Release the annotation."""
        self.follow(None)

    def _show(self) -> None:
        self._show_in(self._prompt, self._queries.current)
        for row in self._others:
            self._show_in(row, self._queries.elsewhere)

    def _show_in(self, row: QueryRow, query: Query | None) -> None:
        if query is None:
            row.show_query("")
            return
        answer = self._queries.answer
        row.show_query(
            query.text,
            [(one.text, one.tip, partial(answer, query, one), one.draw) for one in query.answers],
        )
