"""Checkpoints of a training, which hold Python objects: their weights, and nothing else.

torch_em's and micro-sam's ``best.pt`` pickle the trainer beside the weights. Unpickling it here
imports and calls nothing but what stands in this file: tensors become notes of where their values
lie, whatever else is named becomes an inert stand-in, and of the notes only those asked for are
then read.
"""

from __future__ import annotations

import pickle
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple
from zipfile import ZipFile

import torch
from torch import Tensor

__all__ = ["read_parts"]

KINDS = {
    "DoubleStorage": torch.float64,
    "FloatStorage": torch.float32,
    "HalfStorage": torch.float16,
    "BFloat16Storage": torch.bfloat16,
    "LongStorage": torch.int64,
    "IntStorage": torch.int32,
    "BoolStorage": torch.bool,
}


def read_parts(path: Path, names: Sequence[str]) -> dict[str, dict[object, object]]:
    """Return those entries that are tables, with their tensors; {} if there are none.

    Parameters
    ----------
    path : Path
        A zip archive of torch whose parts and pickle have been checked.
    names : sequence of str
        Keys of the outermost table.

    Raises
    ------
    Exception
        Of any kind, for a file that is not as torch writes it.
    """
    with ZipFile(path) as file:
        [index] = [name for name in file.namelist() if name.endswith("/data.pkl")]
        archive = _Archive(file, index.removesuffix("data.pkl"))
        with file.open(index) as content:
            root = _Unpickler(content).load()
        found = root if isinstance(root, Mapping) else {}
        return {
            name: {key: archive.read(value) for key, value in found[name].items()}
            for name in names
            if isinstance(found.get(name), Mapping)
        }


class _Note(NamedTuple):
    """Where a tensor's values lie, as `torch._utils._rebuild_tensor_v2` is told it."""

    storage: tuple[str, torch.dtype, str, str, int]  # of which the third is the part's name
    offset: int
    size: tuple[int, ...]
    stride: tuple[int, ...]


class _Archive:
    """The parts of an archive that hold values, each read once."""

    def __init__(self, file: ZipFile, folder: str) -> None:
        self._file, self._folder = file, folder
        order = f"{folder}byteorder"
        if order in file.namelist() and file.read(order) != b"little":
            raise ValueError("its numbers are in another byte order")
        self._values: dict[tuple[str, torch.dtype], Tensor] = {}

    def read(self, value: object) -> object:
        """Return the tensor of a note; anything else as it is."""
        if not isinstance(value, _Note):
            return value
        _, dtype, name, _, _ = value.storage
        if (name, dtype) not in self._values:
            part = self._file.read(f"{self._folder}data/{name}")
            empty = torch.empty(0, dtype=dtype)
            flat = torch.frombuffer(bytearray(part), dtype=dtype) if part else empty
            self._values[name, dtype] = flat
        return self._values[name, dtype].as_strided(value.size, value.stride, value.offset)


class _Unpickler(pickle.Unpickler):
    """Unpickler that knows plain containers and tensors, and stand-ins for all the rest."""

    def find_class(self, module: str, name: str) -> Any:
        if module == "torch" and name in KINDS:
            return KINDS[name]
        return KNOWN.get((module, name), _StandIn)

    def persistent_load(self, pid: Any) -> Any:
        return pid  # ("storage", dtype, name, device, count)


class _Table(dict[object, object]):
    """An OrderedDict; what was set on it besides its entries is left out."""

    def __setstate__(self, state: object) -> None:
        pass


class _StandIn:
    """Stands for any class, function or object that a pickle names, and does nothing."""

    def __new__(cls, *_: object, **__: object) -> _StandIn:
        return super().__new__(cls)

    def __init__(self, *_: object, **__: object) -> None:
        pass

    def __call__(self, *_: object, **__: object) -> _StandIn:
        return self

    def __setstate__(self, state: object) -> None:
        pass

    def __setitem__(self, key: object, value: object) -> None:
        pass

    def append(self, item: object) -> None:
        """Leave out an item of a list."""

    def extend(self, items: object) -> None:
        """Leave out the items of a list."""

    def add(self, item: object) -> None:
        """Leave out an item of a set."""


def _note(storage: Any, offset: Any, size: Any, stride: Any, *_: object) -> _Note:
    return _Note(storage, offset, size, stride)


def _parameter(data: object, *_: object) -> object:
    return data


KNOWN: dict[tuple[str, str], Any] = {
    ("collections", "OrderedDict"): _Table,
    ("torch._utils", "_rebuild_tensor_v2"): _note,
    ("torch._utils", "_rebuild_parameter"): _parameter,
}
