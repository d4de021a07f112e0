"""Background work whose callbacks run in the GUI thread."""

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
    """Calls callbacks in the GUI thread when futures of other threads have ended.

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
        """True while a future is pending."""
        return self._open > 0

    @property
    def closed(self) -> bool:
        """True after `close`, or when Qt has deleted this object; thread-safe."""
        return self._closed.is_set()

    def watch(self, future: Future[Result], then: Then[Result]) -> Future[Result]:
        """Call `then` with the future when it has finished, failed or been cancelled."""
        self._open += 1
        future.add_done_callback(lambda done: self._tell(then, done))
        return future

    def close(self) -> None:
        """Call no callback any more."""
        self._closed.set()

    def _tell(self, then: Then[Result], future: Future[Result]) -> None:
        if not self.closed:  # in whatever thread the work was done
            self._ended.emit(then, future)

    def _call(self, then: Then[Result], future: Future[Result]) -> None:
        self._open -= 1
        if not self.closed:
            then(future)


class Background(Watcher):
    """A single background thread for files and arrays, with callbacks in the GUI thread.

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
        """Queue work for the thread, in order of submission.

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
        """Call no callback any more; running work finishes, queued work is dropped.

        Parameters
        ----------
        finish : bool
            Do what waits all the same: what somebody has asked to be written is not lost.
        """
        super().close()
        self._thread.shutdown(wait=False, cancel_futures=not finish)
