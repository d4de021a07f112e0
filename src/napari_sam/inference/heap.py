"""Memory that was freed, back to the system."""

from __future__ import annotations

import ctypes
from functools import cache
from typing import Any

__all__ = ["give_back"]


def give_back() -> None:
    """Return to the system what the C library keeps of memory that was freed.

    glibc keeps hundreds of megabytes once an image encoder has run. A few milliseconds, without
    Python's lock; other C libraries return large blocks by themselves, and there this does nothing.
    """
    if (trim := _trim()) is not None:
        trim(0)


@cache
def _trim() -> Any:
    try:
        return ctypes.CDLL(None).malloc_trim
    except (OSError, TypeError, AttributeError):  # TypeError: Windows wants a name
        return None
