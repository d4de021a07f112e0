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


FOUND = pytest.StashKey[Differences]()


@pytest.fixture(scope="session")
def differences(request: pytest.FixtureRequest) -> Differences:
    """Largest differences of the session, shown at its end."""
    return request.config.stash.setdefault(FOUND, Differences())


def pytest_terminal_summary(
    terminalreporter: pytest.TerminalReporter, config: pytest.Config
) -> None:
    for kind, value in sorted(config.stash.get(FOUND, Differences()).largest.items()):
        terminalreporter.write_line(f"largest difference, {kind}: {value:.1e}")


@pytest.fixture(autouse=True, scope="session")
def _quiet_threads() -> Iterator[None]:
    """Two threads beside another busy process are slower than one."""
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(threads)
