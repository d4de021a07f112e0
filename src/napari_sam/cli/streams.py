"""Output streams that tolerate closed pipes and any encoding, and JSON without NaN."""

from __future__ import annotations

import contextlib
import errno
import json
import math
import os
import sys
from collections.abc import Iterator
from io import StringIO
from typing import Any, TextIO

__all__ = ["TolerantStream", "print_json", "tolerant_streams"]

GONE = (errno.EPIPE, errno.EIO)  # who read it has ended; the terminal is closed


class TolerantStream:
    """Text stream that accepts every character, and ignores closed pipes.

    Parameters
    ----------
    stream : text stream
        Where to write; None is nowhere.
    wanted : bool
        Whether it is an error if a file that it goes to cannot be written.
    """

    def __init__(self, stream: TextIO | None, wanted: bool) -> None:
        self._stream, self._wanted = stream, wanted

    def __getattr__(self, name: str) -> Any:
        return getattr(self._stream, name)

    def write(self, text: str) -> int:
        """Write a text; characters outside the encoding are escaped."""
        with self._alive() as stream:
            try:
                stream.write(text)
            except UnicodeEncodeError:
                kind = stream.encoding
                stream.write(text.encode(kind, "backslashreplace").decode(kind))
        return len(text)

    def flush(self) -> None:
        """Flush the stream."""
        with self._alive() as stream:
            stream.flush()

    @contextlib.contextmanager
    def _alive(self) -> Iterator[TextIO]:
        stream = self._stream or StringIO()
        try:
            yield stream
        except OSError as error:
            # What is left in its buffer would be an error once more when Python ends.
            nowhere = os.open(os.devnull, os.O_WRONLY)
            os.dup2(nowhere, stream.fileno())
            os.close(nowhere)
            if self._wanted and error.errno not in GONE:
                raise


@contextlib.contextmanager
def tolerant_streams() -> Iterator[None]:
    """Context in which stdout and stderr are tolerant streams."""
    out, err = TolerantStream(sys.stdout, wanted=True), TolerantStream(sys.stderr, wanted=False)
    try:
        with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
            yield
    finally:
        with contextlib.suppress(OSError):  # told before, where it matters
            out.flush()
            err.flush()


def print_json(said: object, indent: int | None = 2) -> None:
    """Print JSON; NaN and infinity become null.

    Examples
    --------
    >>> print_json({"IoU": float("nan"), "objects": (1, 2)}, None)
    {"IoU": null, "objects": [1, 2]}
    """
    print(json.dumps(_finite(said), indent=indent, allow_nan=False))


def _finite(said: object) -> object:
    if isinstance(said, dict):
        return {key: _finite(value) for key, value in said.items()}
    if isinstance(said, list | tuple):
        return [_finite(value) for value in said]
    return None if isinstance(said, float) and not math.isfinite(said) else said
