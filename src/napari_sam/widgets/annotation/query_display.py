"""Shows the open question of the current annotation in every tab."""

from __future__ import annotations

from collections.abc import Iterable
from functools import partial

from napari_sam.widgets.annotation.annotation import Annotation
from napari_sam.widgets.annotation.queries import Queries
from napari_sam.widgets.common.questions import QueryRow

__all__ = ["QueryDisplay"]


class QueryDisplay:
    """Keeps rows at the question that is on show.

    Parameters
    ----------
    rows : iterable of QueryRow
        One of each tab.

    Attributes
    ----------
    idle : Queries
        On show while there is no annotation.
    """

    def __init__(self, rows: Iterable[QueryRow]) -> None:
        self._rows = tuple(rows)
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
        queries = self._queries
        if (query := queries.current) is None:
            for row in self._rows:
                row.show_query("")
            return
        answers = [(a.text, a.tip, partial(queries.answer, query, a)) for a in query.answers]
        for row in self._rows:
            row.show_query(query.text, answers)
