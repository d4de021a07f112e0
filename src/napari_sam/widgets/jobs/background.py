"""Work off the window's thread; whoever asked for it is called in the window's thread."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from threading import Event
from typing import TypeVar

from qtpy.QtCore import QObject, Qt, Signal

__all__ = ["Background", "Watcher"]

Result = TypeVar("Result")
Then = Callable[[Future[Result]], object]


class Watcher(QObject):
    """The way back to the window's thread from where somebody else works, such as a model's thread.

    Parameters
    ----------
    parent : QObject, optional
        Qt's owner; nobody is called any more when it is gone.
    """

    _ended = Signal(object, object)  # then, Future

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._closed = Event()
        self._open = 0
        self.destroyed.connect(self._closed.set)
        # Never at once, also where the work was done before somebody began to wait for it: whoever
        # submits has the future in hand when `then` is called.
        self._ended.connect(self._call, Qt.ConnectionType.QueuedConnection)

    @property
    def busy(self) -> bool:
        """True while something is awaited."""
        return self._open > 0

    @property
    def closed(self) -> bool:
        """True after `close`, or when Qt has deleted this; in whatever thread it is asked."""
        return self._closed.is_set()

    def watch(self, future: Future[Result], then: Then[Result]) -> Future[Result]:
        """Call `then` with a future when it has ended, also by an error or cancelled."""
        self._open += 1
        future.add_done_callback(lambda done: self._tell(then, done))
        return future

    def close(self) -> None:
        """Call nobody any more."""
        self._closed.set()

    def _tell(self, then: Then[Result], future: Future[Result]) -> None:
        if not self.closed:  # in whatever thread the work was done
            self._ended.emit(then, future)

    def _call(self, then: Then[Result], future: Future[Result]) -> None:
        self._open -= 1
        if not self.closed:
            then(future)


class Background(Watcher):
    """One thread for slow work on files and arrays, and the way back from it.

    Parameters
    ----------
    name : str
        Of the thread, for whoever looks at a process that hangs.
    parent : QObject, optional
        Qt's owner.
    """

    def __init__(self, name: str, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._thread = ThreadPoolExecutor(1, thread_name_prefix=f"napari-sam {name}")

    def submit(self, work: Callable[[], Result], then: Then[Result]) -> Future[Result]:
        """Do this work in the thread, after what was submitted before.

        Parameters
        ----------
        work : callable
            Touches no layers and no widgets.
        then : callable
            Called in the window's thread with the future when it has ended, also by an error or
            cancelled; not after `close`, from when on no work is begun either.
        """
        if self.closed:
            never: Future[Result] = Future()
            never.cancel()
            return never
        return self.watch(self._thread.submit(work), then)

    def close(self, finish: bool = False) -> None:
        """Call nobody any more; what is under way ends, what waits does not begin.

        Parameters
        ----------
        finish : bool
            Do what waits all the same: what somebody has asked to be written is not lost.
        """
        super().close()
        self._thread.shutdown(wait=False, cancel_futures=not finish)
