"""Loaded models, shared by all who hold the same host; each works in one thread of its own."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any, TypeVar
from weakref import WeakValueDictionary

from napari_sam.inference.segmenter import Report, Segmenter, load_segmenter

__all__ = ["HostedModel", "ModelHost"]

Result = TypeVar("Result")
Load = Callable[[str, str, Report], Any]


class HostedModel:
    """One model on one device: loaded when first used, never used by two threads at once.

    Parameters
    ----------
    name, device : str
        As in `load_model`.
    load : callable
        Makes the segmenter from name, device and a `Report`.
    """

    def __init__(self, name: str, device: str, load: Load) -> None:
        self.name = name
        self.device = device
        self._load = load
        self._segmenter: Segmenter | None = None
        self._thread = ThreadPoolExecutor(1, thread_name_prefix=f"napari-sam {name}")

    @property
    def loaded(self) -> bool:
        """True once the model is in memory."""
        return self._segmenter is not None

    def submit(self, job: Callable[[Any], Result], report: Report) -> Future[Result]:
        """Queue a job that takes the segmenter; the first one loads it, with `report`."""
        return self._thread.submit(self._run, job, report)

    def _run(self, job: Callable[[Any], Result], report: Report) -> Result:
        if self._segmenter is None:
            self._segmenter = self._load(self.name, self.device, report)
        return job(self._segmenter)


class ModelHost:
    """Gives out models by name and device, each at most once in memory.

    The host holds them weakly: a model leaves memory, and its thread ends, when the last one who
    asked for it lets go.

    Parameters
    ----------
    load : callable
        Makes a segmenter from name, device and a `Report`.
    """

    def __init__(self, load: Load = load_segmenter) -> None:
        self._load = load
        self._models: WeakValueDictionary[tuple[str, str], HostedModel] = WeakValueDictionary()

    def model(self, name: str, device: str = "auto") -> HostedModel:
        """Return the model; it is loaded by its first job."""
        model = self._models.get((name, device))
        if model is None:
            model = self._models[name, device] = HostedModel(name, device, self._load)
        return model
