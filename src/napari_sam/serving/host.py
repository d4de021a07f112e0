"""Model host: loaded models, shared by all their users, with one worker thread each."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from functools import partial
from typing import TypeVar
from weakref import WeakValueDictionary

from napari_sam.inference.store.store import EmbeddingStore, open_store
from napari_sam.serving.segmenter import Report, StoredSegmenter, load_segmenter

__all__ = ["HostedModel", "ModelHost"]

Result = TypeVar("Result")
Load = Callable[[str, str, Report], StoredSegmenter]


class HostedModel:
    """Model on one device: loaded lazily, used by one worker thread only.

    Parameters
    ----------
    name, device : str
        ``"auto"`` (cuda, then mps, then cpu), ``"cpu"``, ``"cuda"``, ``"cuda:1"``, ``"mps"``.
    load : callable
        Makes the segmenter from name, device and a `Report`.
    """

    def __init__(self, name: str, device: str, load: Load) -> None:
        self.name = name
        self.device = device
        self._load = load
        self._segmenter: StoredSegmenter | None = None
        self._thread = ThreadPoolExecutor(1, thread_name_prefix=f"napari-sam {name}")
        self._urgent: deque[Callable[[], None]] = deque()
        self._glances: deque[Callable[[], None]] = deque()
        self._later: deque[Callable[[], None]] = deque()
        self._gives_way = False

    @property
    def loaded(self) -> bool:
        """Whether the model is loaded."""
        return self._segmenter is not None

    @property
    def has_instances(self) -> bool | None:
        """Whether the model has an instance decoder; None until it is loaded."""
        return None if self._segmenter is None else self._segmenter.has_instances

    def submit(
        self,
        job: Callable[[StoredSegmenter], Result],
        report: Report,
        later: bool = False,
        glance: bool = False,
    ) -> Future[Result]:
        """Queue a job that takes the segmenter; the first one loads it, with `report`.

        Parameters
        ----------
        later : bool
            Whether the job lets all others go first, also those that come after it.
        glance : bool
            Whether it lets all go first but those that are done later: it is short, and nobody
            waits for it.
        """
        future: Future[Result] = Future()
        queue = self._later if later else self._glances if glance else self._urgent
        queue.append(partial(self._run, future, job, report))
        self._thread.submit(self._next)
        return future

    def give_way(self) -> None:
        """Run urgent jobs and glances now; called by jobs done later, in the model's thread."""
        if self._gives_way:  # what is urgent is not held up itself
            return
        self._gives_way = True
        try:
            while queue := self._urgent or self._glances:
                queue.popleft()()
        finally:
            self._gives_way = False

    def _next(self) -> None:
        queue = self._urgent or self._glances or self._later
        if queue:  # else it was done while another gave way
            queue.popleft()()

    def _run(
        self, future: Future[Result], job: Callable[[StoredSegmenter], Result], report: Report
    ) -> None:
        if not future.set_running_or_notify_cancel():
            return
        try:
            if self._segmenter is None:
                self._segmenter = self._load(self.name, self.device, report)
            future.set_result(job(self._segmenter))
        except BaseException as error:
            future.set_exception(error)
            del future  # the error's traceback holds this frame: it would hold itself


class ModelHost:
    """Registry of models by name and device, each at most once in memory.

    The host holds them weakly: a model leaves memory, and its thread ends, when the last one who
    asked for it lets go.

    Parameters
    ----------
    load : callable, optional
        Makes a segmenter from name, device and a `Report`.
    store : EmbeddingStore, optional
        Where the embeddings of all models are kept; by default as the user's settings want it.
    """

    def __init__(self, load: Load | None = None, store: EmbeddingStore | None = None) -> None:
        self.store = store or open_store()
        self._load = load or partial(load_segmenter, store=self.store)
        self._models: WeakValueDictionary[tuple[str, str], HostedModel] = WeakValueDictionary()

    def model(self, name: str, device: str = "auto") -> HostedModel:
        """Return the model of a name and device; its first job loads it."""
        model = self._models.get((name, device))
        if model is None:
            model = self._models[name, device] = HostedModel(name, device, self._load)
        return model
