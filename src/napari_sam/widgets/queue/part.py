"""The queue of pictures of a panel: opens it, goes from picture to picture, keeps its table."""

from __future__ import annotations

import gc
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from weakref import WeakSet

from napari.components import ViewerModel
from napari.layers import Image, Labels, Layer
from qtpy.QtCore import QObject, Signal
from qtpy.QtWidgets import QFileDialog, QWidget

from napari_sam.serving.host import HostedModel
from napari_sam.session.disk.library import sessions_folder
from napari_sam.session.effort.effort import effort_of
from napari_sam.session.queue.fill import FillRules
from napari_sam.session.queue.pictures import named_queue
from napari_sam.session.queue.progress import Carried, latest_work, with_progress
from napari_sam.session.queue.queue import Entry, Queue, State
from napari_sam.session.queue.table import write_table
from napari_sam.widgets.annotation.annotation import Annotation
from napari_sam.widgets.common.layer_choice import LayerChoice
from napari_sam.widgets.common.wording import count
from napari_sam.widgets.jobs.background import Background
from napari_sam.widgets.layers.image_stack import OURS
from napari_sam.widgets.queue.carrying import Carrying
from napari_sam.widgets.queue.prepared import Prepared
from napari_sam.widgets.queue.searching import QueueSearch
from napari_sam.widgets.queue.strip import FINISHED, QueueStrip
from napari_sam.widgets.saved.resuming import Resuming
from napari_sam.widgets.search.work import Kind, Ways

__all__ = ["PictureQueue", "QueueTools"]

AHEAD = 2  # pictures that are prepared
NO_QUEUE = "No queue is open: a folder of pictures is opened as one from the empty panel."
NO_TABLE = "⚠ The table of the queue could not be written: {}"


@dataclass(frozen=True, eq=False)
class QueueTools:
    """What the queue needs of the panel.

    Parameters
    ----------
    pictures : LayerChoice
        Where the picture that is annotated is chosen.
    resuming : Resuming
        Brings saved work back.
    prepare : callable
        Called with a layer before it is looked at.
    model : callable
        Returns the model in use, or None.
    use_model : callable
        Takes the name of a model to use.
    ways : callable
        Returns how Auto searches a plane (H, W).
    rules : callable
        Returns what of a search Auto puts into a session.
    kind : callable
        Returns the kind of object that examples are of, or None without any.
    """

    pictures: LayerChoice
    resuming: Resuming
    prepare: Callable[[Image], None]
    model: Callable[[], HostedModel | None]
    use_model: Callable[[str], None]
    ways: Callable[[tuple[int, int]], Ways]
    rules: Callable[[], FillRules]
    kind: Callable[[], Kind | None]


@dataclass(frozen=True, eq=False)
class _Opened:
    """A queue as it was found on disk."""

    table: Path
    entries: Sequence[Entry]
    carried: Carried


class PictureQueue(QObject):
    """Goes through pictures one by one; each has a session of its own, saved like any other.

    Classes and model go along; the pictures that come next are read and embedded ahead; what is
    done is written to a table. It is a part of the panel (see `CurrentAnnotation`).

    Parameters
    ----------
    viewer : ViewerModel
        The viewer.
    tools : QueueTools
        What it needs of the panel.
    parent : QWidget
        The panel.

    Attributes
    ----------
    strip : QueueStrip
        To be shown above the tabs.
    queue : Queue or None
        The queue that is open.
    wanted : Path or None
        A picture that is about to be opened.
    carrying : Carrying
        The classes, and whether the model goes along.
    search : QueueSearch
        Of the pictures that nobody has opened.
    """

    remarked = Signal(str)
    methods_wanted = Signal()

    def __init__(self, viewer: ViewerModel, tools: QueueTools, parent: QWidget) -> None:
        super().__init__(parent)
        self.queue: Queue | None = None
        self.strip = QueueStrip()
        self.tools = tools
        self._viewer, self._panel = viewer, parent
        self._table = Path()
        self._own: WeakSet[Layer] = WeakSet()  # Labels layers of pictures of the queue
        self._annotation: Annotation | None = None  # of the open picture
        self.wanted: Path | None = None  # a picture that is being read
        self._layer: Image | None = None  # of the open picture
        self._background = Background("queue table", self)
        self._prepared = Prepared(tools.prepare, self)
        self.carrying = Carrying(tools.resuming)
        self.search = QueueSearch(self)
        self._connect()

    @property
    def busy(self) -> bool:
        """True while pictures are read, prepared or searched, or the table is written."""
        working = self._background.busy or self._prepared.busy or self.search.busy
        return working or self.wanted is not None

    @property
    def actions(self) -> dict[str, Callable[[], None]]:
        """What its keys do, by the names in `KEYS`."""
        return {
            "picture_next": lambda: self.step(1),
            "picture_previous": lambda: self.step(-1),
            "picture_done": self.finish,
        }

    def ask(self) -> None:
        """Ask for a folder, and open it as a queue."""
        title = "Open a folder of pictures as a queue"
        if folder := QFileDialog.getExistingDirectory(self._panel, title):
            self.open([Path(folder)])

    def open(self, named: Sequence[Path]) -> None:
        """Open pictures, folders, patterns or a table as a queue; they are found in a thread."""
        self.remarked.emit("Looking for pictures…")

        def find() -> _Opened:
            table, entries = named_queue(named)
            folder = sessions_folder()
            entries = with_progress(entries, folder)
            return _Opened(table, entries, latest_work(entries, folder))

        self._background.submit(find, self._begin)

    def step(self, by: int) -> None:
        """Go to the next picture, or to the one before."""
        if self.queue is None:
            self.remarked.emit(NO_QUEUE)
        elif 0 <= self.queue.at + by < len(self.queue):
            self.go(self.queue.at + by)

    def finish(self) -> None:
        """Mark the open picture as done and go on with the next that is not; or take it back."""
        queue = self.queue
        if queue is None:
            self.remarked.emit(NO_QUEUE)
            return
        self._note()
        was_done = queue.current.state is State.DONE
        queue.finish(not was_done)
        self.write()
        following = queue.following()
        if not was_done and following is not None:
            self.go(following)
            return
        self.strip.show_queue(queue)
        if following is None and not was_done:
            self.remarked.emit(FINISHED.format(len(queue)))

    def go(self, place: int) -> None:
        """Open the picture at a place, once it is read; the one that is open is saved."""
        if self.queue is None:
            return
        path = self.wanted = self.queue.entries[place].path
        self.strip.say(f"Reading {path.name}…")
        self._prepared.get(path, lambda layer, why: self._show(path, layer, why))

    def leave(self) -> None:
        """Close the queue; the open picture stays in the viewer, and all is saved."""
        if self.queue is not None:
            self._note()
            self.write()
        self.search.stop()
        self._prepared.ahead([], None)
        self.queue, self._layer, self._annotation = None, None, None
        self.carrying.end()
        self.strip.hide()

    def follow(self, annotation: Annotation | None) -> None:
        """Note what was done with the picture that is left; take up the one that comes."""
        self._note()
        ours = annotation is not None and annotation.picture.layer is self._layer
        self._annotation = annotation if ours else None
        self.carrying.follow(self._annotation)

    def close(self) -> None:
        """Write the table and stop permanently."""
        self._note()
        self.write()
        self.search.close()
        self._prepared.close()
        self._background.close(finish=True)
        self.queue = None

    def _connect(self) -> None:
        strip, resuming = self.strip, self.tools.resuming
        strip.previous.clicked.connect(lambda: self.step(-1))
        strip.next.clicked.connect(lambda: self.step(1))
        strip.done.clicked.connect(self.finish)
        menu = strip.actions_of
        menu["methods"].triggered.connect(self.methods_wanted)
        menu["close"].triggered.connect(self.leave)
        resuming.at_once = lambda layer: self.queue is not None and layer is self._layer

    def _begin(self, future: Future[_Opened]) -> None:
        if error := future.exception():
            self.remarked.emit(f"⚠ {error}")
            return
        opened = future.result()
        if self.queue is not None:
            self.leave()
        self.queue, self._table = Queue(opened.entries), opened.table
        carried = opened.carried
        self.carrying.begin(carried)
        if carried.model:
            self.tools.use_model(carried.model)
        last = None if carried.path is None else self.queue.place(carried.path)
        if last is not None and self.queue.entries[last].state is not State.DONE:
            self.queue.at = last
        self.search.begin()
        self.strip.show_queue(self.queue)
        self.remarked.emit(f"{count(len(self.queue), 'picture')}; progress is in {self._table}.")
        self.go(self.queue.at)

    def _show(self, path: Path, layer: Image | None, why: str) -> None:
        queue = self.queue
        place = None if queue is None else queue.place(path)
        if queue is None or place is None or path != self.wanted:
            return
        self.wanted = None
        if layer is None:
            queue.put(replace(queue.entries[place], note=why))
            self.write()
            self.remarked.emit(f"⚠ {why}")
        with _nothing_collected():
            self._leave_picture()
            queue.at, self._layer = place, layer
            if layer is not None:
                self._viewer.add_layer(layer)
                self.tools.pictures.choose(layer)
                self._viewer.reset_view()
        self.strip.show_queue(queue)
        self.prepare_next()

    def _leave_picture(self) -> None:
        """Save what was done with the open picture, and take it and its objects away."""
        if self._annotation is not None:
            self._annotation.binding.compare()  # what was painted just now
            if self._annotation.target is not None:
                self._own.add(self._annotation.target)
        layer, layers = self._layer, self._viewer.layers
        self.tools.pictures.choose(None)
        self._layer = None
        for one in list(layers):
            if one is layer or (_holds_objects(one) and one in self._own):
                layers.remove(one)

    def prepare_next(self) -> None:
        """Read and embed the pictures that come next."""
        queue = self.queue
        if queue is not None:
            paths = [queue.entries[place].path for place in queue.coming(AHEAD)]
            self._prepared.ahead(paths, self.tools.model())

    def _note(self) -> None:
        """Keep in the queue what the open picture has cost so far."""
        annotation, queue = self._annotation, self.queue
        if annotation is None or queue is None:
            return
        before, session = queue.current, annotation.session
        self.carrying.look()
        if annotation.saved_in is not None:
            queue.put(before.worked(effort_of(session)))
        if queue.current != before:
            self.strip.show_queue(queue)
            self.write()

    def write(self) -> None:
        """Write the table, in a thread."""
        if self.queue is None:
            return
        table, entries = self._table, tuple(self.queue.entries)
        self._background.submit(lambda: write_table(table, entries), self._tell_written)

    def _tell_written(self, future: Future[None]) -> None:
        if error := future.exception():
            self.remarked.emit(NO_TABLE.format(error))


@contextmanager
def _nothing_collected() -> Iterator[None]:
    """Context in which a collection of garbage costs nothing: napari makes one for each layer."""
    gc.freeze()
    try:
        yield
    finally:
        gc.unfreeze()  # Python collects by itself later


def _holds_objects(layer: Layer) -> bool:
    return isinstance(layer, Labels) and bool(layer.metadata.get(OURS) == "objects")
