"""Batches that fit the device's memory: halved when it runs out."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Iterator
from typing import TypeVar

import torch

from napari_sam.errors import DeviceError

__all__ = ["batches", "in_batches"]

Item = TypeVar("Item")
Result = TypeVar("Result")
BATCH = {"cpu": 4}  # larger ones miss the processor's cache and are slower per object
GPU_BATCH = 64


def in_batches(
    work: Callable[[list[Item]], list[Result]], items: list[Item], device: torch.device
) -> list[Result]:
    """Return ``work(items)``, computed in batches as `batches` does."""
    return [result for some in batches(work, items, device) for result in some]


def batches(
    work: Callable[[list[Item]], list[Result]], items: list[Item], device: torch.device
) -> Iterator[list[Result]]:
    """Yield ``work(items)`` batch by batch; halve the batch size if out of memory, with a warning.

    Raises
    ------
    DeviceError
        If not even one item fits.
    """
    size, done = BATCH.get(device.type, GPU_BATCH), 0
    while done < len(items):
        try:
            results = work(items[done : done + size])
        except torch.OutOfMemoryError as error:
            if size == 1:
                raise DeviceError(
                    f"{device} ran out of memory for a single object; choose a smaller model or "
                    "the device 'cpu'"
                ) from error
            size //= 2
            warnings.warn(
                f"{device} ran out of memory; going on in batches of {size}", stacklevel=2
            )
        else:
            done += len(results)
            yield results
