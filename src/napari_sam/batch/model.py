"""Model of each worker process, loaded once."""

from __future__ import annotations

import os
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING

import napari_sam
from napari_sam.errors import ClusterError
from napari_sam.settings import default_threads, load_settings

if TYPE_CHECKING:
    from napari_sam.inference.predictor import Predictor

__all__ = ["WorkersModel", "load_predictor", "workers_model"]


@dataclass(frozen=True)
class WorkersModel:
    """Specification of the model that all workers load.

    Parameters
    ----------
    name : str
        A name of the zoo, or a file that the workers see, too.
    digest : str
        As `Entry.digest`: what its weights must be.
    device : str
        ``"auto"`` (cuda, then mps, then cpu), ``"cpu"``, ``"cuda"``, ``"cuda:1"``, ``"mps"``.
    threads : int
        Processor threads of the model. Results are equal to the last bit only with as many.
    version : str
        Of napari-sam; by default what is installed here.
    decoder : str
        As `Entry.decoder`, where instances are found with it; else empty, and any will do.
    """

    name: str
    digest: str
    device: str = "auto"
    threads: int = 1
    version: str = field(default_factory=lambda: napari_sam.__version__)
    decoder: str = ""


def workers_model(name: str, device: str = "auto", decoder: str = "") -> WorkersModel:
    """Return the model specification for workers: weights and number of threads of this machine.

    Without a setting, or ``OMP_NUM_THREADS``, it is one thread: many workers do more that way.
    """
    from napari_sam.model.load import digests, unknown_model

    path = Path(name).expanduser()
    if path.is_file():
        name = str(path.resolve())
    known = digests(name)
    if not known:
        raise unknown_model(name)
    asked = os.environ.get("OMP_NUM_THREADS", "")
    threads = load_settings().threads or (default_threads() if asked else 1)
    return WorkersModel(name, known[0], device, threads, decoder=decoder)


@lru_cache(maxsize=1)
def load_predictor(model: WorkersModel) -> Predictor:
    """Return the predictor of a model; each process caches the last one.

    Raises
    ------
    ClusterError
        If napari-sam, or the weights of that name, or their instance decoder, are others here.
    InputError, CheckpointError, DownloadError, DeviceError
        As `load_model`.
    """
    here = napari_sam.__version__
    if here != model.version:
        raise ClusterError(f"napari-sam is {here}, but {model.version} where the run was started")
    predictor = napari_sam.Predictor(napari_sam.load_model(model.name, model.device))
    found = predictor.model.entry.digest
    if found != model.digest:
        raise ClusterError(f"its weights are {found}, but {model.digest} where the run was started")
    decoder = predictor.model.entry.decoder
    if model.decoder and decoder != model.decoder:
        raise ClusterError(
            f"its instance decoder is {decoder or 'missing'}, but {model.decoder} where the run "
            "was started"
        )
    return predictor
