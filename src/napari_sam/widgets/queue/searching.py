"""Search of a queue: its order by expected corrections, and the rest filled in."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from napari_sam.progress import Progress
from napari_sam.session.queue.progress import Carried
from napari_sam.session.queue.queue import Entry, State
from napari_sam.widgets.common.wording import count, time_left
from napari_sam.widgets.queue.filling import FillRequest, FillWorker

if TYPE_CHECKING:
    from napari_sam.widgets.queue.part import PictureQueue
    from napari_sam.widgets.search.work import Kind

__all__ = ["QueueSearch"]

NO_MODEL = "⚠ No model is in use: choose one in Options, then search the queue."
NOTHING = "Nothing is left to search: every picture is open, started, filled in or done."
NO_KIND = (
    "⚠ Nothing says yet what to look for: select one or a few objects of this picture, choose "
    "More > Find more like these, and set the similarity; then look in the rest."
)
FAILED = "⚠ {} could not be searched, {} first: {}"
EARLY = "The search of the queue ended early: {}. What was found stays."


class QueueSearch:
    """Searches pictures of a queue while others are worked on.

    Parameters
    ----------
    part : PictureQueue
        Whose queue, strip and tools.
    """

    def __init__(self, part: PictureQueue) -> None:
        self._part, self._strip = part, part.strip
        self._worst_first = False
        self._failed: list[Entry] = []
        self._work = FillWorker(part.tools.prepare, part)
        self._work.progressed.connect(self._take)
        self._work.ended.connect(self._end)
        part.strip.cancel.clicked.connect(lambda: self._work.stop("it was cancelled"))
        menu = part.strip.actions_of
        menu["name"].triggered.connect(lambda: self.order(False))
        menu["worst"].triggered.connect(lambda: self.order(True))
        menu["fill"].triggered.connect(self.fill)
        menu["alike"].triggered.connect(self.fill_alike)

    @property
    def busy(self) -> bool:
        """True while pictures are searched."""
        return self._work.busy

    def begin(self) -> None:
        """Begin with another queue, ordered by name."""
        self._worst_first = False
        self._strip.show_order(False)

    def order(self, worst_first: bool) -> None:
        """Go through the pictures by name, or by the corrections that are expected.

        What nothing is known of yet is searched in the background.
        """
        self._worst_first = worst_first
        self._strip.show_order(worst_first)
        self._sort()
        queue = self._part.queue
        if worst_first and queue is not None:
            left = [one for one in queue.entries if one.state is not State.DONE]
            self._start([one for one in left if one.expected is None], save=False)

    def fill(self) -> None:
        """Search all pictures that nobody has begun, and save what is found in their sessions."""
        self._fill(None)

    def fill_alike(self) -> None:
        """Do as `fill`, but keep only what is like the examples in the open picture, for review."""
        kind = self._part.tools.kind()
        if kind is None:
            self._part.remarked.emit(NO_KIND)
        else:
            self._fill(kind)

    def stop(self) -> None:
        """Stop; what was found stays."""
        self._work.stop()

    def close(self) -> None:
        """Stop without a word."""
        self._work.close()

    def _fill(self, kind: Kind | None) -> None:
        queue = self._part.queue
        left = [] if queue is None else [one for one in queue.entries if self._is_unopened(one)]
        if left:
            self._start(left, True, kind)
        else:
            self._part.remarked.emit(NOTHING)

    def _start(self, entries: Sequence[Entry], save: bool, kind: Kind | None = None) -> None:
        part = self._part
        model = part.tools.model()
        if not entries:
            return
        if model is None:
            part.remarked.emit(NO_MODEL)
            return
        part.carrying.look()
        carried = Carried(part.carrying.scheme, model.name)
        rules = replace(part.tools.rules(), carried=carried)
        if kind is not None:  # a sure mask may be of another kind
            rules = replace(rules, certain=math.inf, word=kind.name)
        wanted = self._is_unopened if save else lambda entry: True
        self._failed = []
        self._work.start(model, FillRequest(entries, part.tools.ways, rules, save, wanted, kind))
        self._strip.show_work(f"Searching {count(len(entries), 'picture')}…")

    def _is_unopened(self, entry: Entry) -> bool:
        """Tell whether nobody has opened a picture yet, nor is about to."""
        queue = self._part.queue
        place = None if queue is None else queue.place(entry.path)
        if queue is None or place is None or entry.path == self._part.wanted:
            return False
        return place != queue.at and queue.entries[place].state is State.TODO

    def _take(self, progress: Progress[Entry | None]) -> None:
        queue, found = self._part.queue, progress.result
        text = f"{int(progress.done)} of {progress.total} searched{time_left(progress)}"
        self._strip.show_work(text)
        if found is None:
            return
        place = None if queue is None else queue.place(found.path)
        if queue is None or place is None:
            return
        if found.note:
            self._failed.append(found)
        now = queue.entries[place]
        if now.state is State.TODO and place != queue.at:
            queue.put(found)
        else:
            queue.put(replace(now, expected=found.expected, note=found.note))
        self._part.write()

    def _end(self, why: str) -> None:
        self._strip.show_work("")
        self._sort()
        if why:
            self._part.remarked.emit(EARLY.format(why))
        elif self._failed:
            first, some = self._failed[0], count(len(self._failed), "picture")
            self._part.remarked.emit(FAILED.format(some, first.path.name, first.note))

    def _sort(self) -> None:
        queue = self._part.queue
        if queue is not None:
            queue.order(self._worst_first)
            self._strip.show_queue(queue)
            self._part.prepare_next()
