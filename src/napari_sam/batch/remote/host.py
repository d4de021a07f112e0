"""Models by device: on this machine, or with the images on a cluster. Loads torch late."""

from __future__ import annotations

from functools import partial

from napari_sam.inference.store.store import EmbeddingStore, open_store
from napari_sam.serving.host import ModelHost
from napari_sam.serving.segmenter import Report, StoredSegmenter, load_segmenter
from napari_sam.zoo.catalogue import entries, fetch

__all__ = ["is_address", "load_anywhere", "open_host"]


def is_address(device: str) -> bool:
    """Return whether a device is the address of a scheduler.

    Examples
    --------
    >>> is_address("tcp://10.0.0.5:8786"), is_address("cuda:1")
    (True, False)
    """
    return "://" in device


def open_host() -> ModelHost:
    """Return a host of models on any device, with the store that the user's settings describe."""
    store = open_store()
    return ModelHost(partial(load_anywhere, store=store), store)


def load_anywhere(name: str, device: str, report: Report, store: EmbeddingStore) -> StoredSegmenter:
    """Do as `load_segmenter`; a device that is the address of a scheduler borrows its workers."""
    if not is_address(device):
        return load_segmenter(name, device, report, store)
    if name in entries():
        fetch(name, lambda done, total: report(f"Downloading {name}", done, total))
    report(f"Loading {name}", 0, 0)
    from napari_sam.batch.remote.predictor import load_remote

    return load_remote(name, device, report, store)
