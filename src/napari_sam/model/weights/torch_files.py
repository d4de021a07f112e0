"""Files of `torch.save`: checked first, and read without running anything in them."""

from __future__ import annotations

import pickle
import pickletools
from collections.abc import Sequence
from pathlib import Path
from typing import IO
from zipfile import ZIP_STORED, BadZipFile, ZipFile, is_zipfile

import torch

from napari_sam.errors import CheckpointError
from napari_sam.model.weights.trainer_files import read_parts

__all__ = ["damaged", "first_bytes", "read_torch"]

ZIP = b"PK\x03\x04"
LEGACY = 5  # pickles in a file of torch before 1.6, the values behind them
MOST_STEPS = 5_000_000  # of a pickle; the largest SAM takes 30,000
MOST_TUPLES = 50_000  # one in the other they would overflow the stack when they are hashed


def read_torch(path: Path, parts: Sequence[str] = ()) -> object:
    """Return the tensors and plain containers of a file.

    Files of torch since 1.6 are zip archives: their checksums are verified, and their tensors stay
    in the file; copy those that are kept.

    Parameters
    ----------
    path : Path
    parts : sequence of str
        Of a checkpoint that holds Python objects, too, only these tables are returned, and the
        objects stay unread.

    Raises
    ------
    CheckpointError
        For a file that cannot be read, is damaged, or holds more than tensors and plain containers
        and none of the parts.
    """
    head = first_bytes(path)
    if head.lstrip().startswith(b"<"):
        raise CheckpointError(f"{path} is a web page, not weights; download the file itself")
    zipped = head.startswith(ZIP)
    try:
        _check_zip(path) if zipped else _check_legacy(path)
        return torch.load(str(path), map_location="cpu", weights_only=True, mmap=zipped)
    except pickle.UnpicklingError as error:
        if found := _read_parts(path, parts) if zipped else None:
            return found
        raise CheckpointError(
            f"{path} holds Python objects in place of weights, or in the format of torch before "
            "1.6; loading them could run any code, so it is refused. If you trust its origin, save "
            "the bare weights where it was made: "
            "`torch.save(torch.load(file, weights_only=False)['model_state'], 'weights.pt')`"
        ) from error
    except Exception as error:  # at damaged files torch raises whatever it stumbles over
        raise damaged(path, error) from error


def _read_parts(path: Path, parts: Sequence[str]) -> object:
    try:
        return read_parts(path, parts)
    except Exception as error:
        raise damaged(path, error) from error


def first_bytes(path: Path) -> bytes:
    """Return the first bytes of a weights file, which tell its format.

    Raises
    ------
    CheckpointError
        For a file that cannot be read.
    """
    try:
        with path.open("rb") as file:
            return file.read(9)
    except OSError as error:
        raise CheckpointError(f"cannot read the weights {path}: {error.strerror}") from error


def damaged(path: Path, reason: object) -> CheckpointError:
    """Return the error for a file that is not what its writer wrote."""
    first = str(reason).splitlines()[0] if str(reason) else type(reason).__name__
    return CheckpointError(
        f"{path} ({path.stat().st_size} bytes) is damaged, incomplete or no weights file: "
        f"{first[:200]}. Download or copy it again"
    )


def _check_zip(path: Path) -> None:
    """Check that the archive is as torch writes it: nothing packed, nothing twice, nothing else."""
    if not is_zipfile(path):
        raise ValueError("its end is missing")
    try:
        with ZipFile(path) as file:
            _check_parts(file, path.stat().st_size)
    except BadZipFile as error:
        raise ValueError("its archive is broken") from error


def _check_parts(file: ZipFile, size: int) -> None:
    parts = file.infolist()
    if any(part.compress_type != ZIP_STORED for part in parts):
        raise ValueError("its parts are compressed, which torch never does")
    if len({part.filename for part in parts}) < len(parts):
        raise ValueError("two of its parts have the same name")
    if sum(part.file_size for part in parts) > size:
        raise ValueError("its parts are said to be larger than the file")
    broken = file.testzip()
    if broken is not None:
        raise ValueError(f"the checksum of its part {broken} is wrong")
    for part in parts:
        if part.filename.endswith(".pkl"):
            with file.open(part) as content:
                _check_pickle(content)


def _check_legacy(path: Path) -> None:
    with path.open("rb") as file:
        if file.peek(1)[:1] != pickle.PROTO:
            raise ValueError("it does not start as one")
        for _ in range(LEGACY):
            _check_pickle(file)


def _check_pickle(file: IO[bytes]) -> None:
    """Raise for a pickle of too many containers, without executing it."""
    tuples = 0
    try:
        for steps, (code, _, _) in enumerate(pickletools.genops(file)):
            tuples += code.name.startswith("TUPLE")
            if tuples > MOST_TUPLES or steps > MOST_STEPS:
                raise OverflowError("it has more containers than weights can have")
    except ValueError as error:
        raise ValueError("its list of contents cannot be read") from error
