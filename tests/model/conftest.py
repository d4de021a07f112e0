"""Fixtures of the parity tests."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
import torch
from torch import Tensor


class Differences:
    """Checks differences against a tolerance and remembers the largest of each kind."""

    def __init__(self) -> None:
        self.largest: dict[str, float] = {}

    def check(self, kind: str, ours: Tensor, theirs: Tensor, tolerance: float) -> None:
        assert ours.shape == theirs.shape, kind
        difference = (ours - theirs).abs().max().item()
        assert difference <= tolerance, f"{kind}: {difference:.2e} is more than {tolerance:.0e}"
        self.largest[kind] = max(self.largest.get(kind, 0.0), difference)


@pytest.fixture(scope="session")
def differences(request: pytest.FixtureRequest) -> Iterator[Differences]:
    """Largest differences of the session, shown at its end."""
    found = Differences()
    yield found
    terminal = request.config.pluginmanager.get_plugin("terminalreporter")
    terminal.write_line("")
    for kind, value in sorted(found.largest.items()):
        terminal.write_line(f"largest difference, {kind}: {value:.1e}")


@pytest.fixture(autouse=True, scope="session")
def _quiet_threads() -> Iterator[None]:
    """Two threads beside another busy process are slower than one."""
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(threads)
