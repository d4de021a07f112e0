"""The largest differences from the references, told at the end, whichever process found them."""

from __future__ import annotations

from typing import Any

import pytest

FOUND = pytest.StashKey[dict[str, float]]()


def pytest_configure(config: pytest.Config) -> None:
    config.stash[FOUND] = {}


@pytest.fixture(scope="session")
def largest_differences(request: pytest.FixtureRequest) -> dict[str, float]:
    """The largest difference of each kind so far."""
    return request.config.stash[FOUND]


def pytest_sessionfinish(session: pytest.Session) -> None:
    if hasattr(session.config, "workeroutput"):  # a worker of pytest-xdist tells the main process
        session.config.workeroutput["differences"] = session.config.stash[FOUND]


@pytest.hookimpl(optionalhook=True)
def pytest_testnodedown(node: Any) -> None:
    largest = node.config.stash[FOUND]
    for kind, value in getattr(node, "workeroutput", {}).get("differences", {}).items():
        largest[kind] = max(largest.get(kind, 0.0), value)


def pytest_terminal_summary(
    terminalreporter: pytest.TerminalReporter, config: pytest.Config
) -> None:
    for kind, value in sorted(config.stash[FOUND].items()):
        terminalreporter.write_line(f"largest difference, {kind}: {value:.1e}")
