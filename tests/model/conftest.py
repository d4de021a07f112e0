"""Fixtures of the parity tests."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
import torch
from torch import Tensor


class Differences:
    """Checks differences against a tolerance and remembers the largest of each kind."""

    def __init__(self, largest: dict[str, float]) -> None:
        self.largest = largest

    def check(self, kind: str, ours: Tensor, theirs: Tensor, tolerance: float) -> None:
        assert ours.shape == theirs.shape, kind
        difference = (ours - theirs).abs().max().item()
        assert difference <= tolerance, f"{kind}: {difference:.2e} is more than {tolerance:.0e}"
        self.largest[kind] = max(self.largest.get(kind, 0.0), difference)


@pytest.fixture(scope="session")
def differences(largest_differences: dict[str, float]) -> Differences:
    """Largest differences of the session, shown at its end."""
    return Differences(largest_differences)


@pytest.fixture(autouse=True, scope="session")
def _quiet_threads() -> Iterator[None]:
    """Two threads beside another busy process are slower than one."""
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(threads)
