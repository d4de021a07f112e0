"""What our modules call and others are about to take away fails a test, wherever it is called."""

from __future__ import annotations

import warnings
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from types import ModuleType

import pytest
from qtpy.QtWidgets import QPushButton

from tests.widgets.conftest import no_deprecations

KINDS = DeprecationWarning, FutureWarning, PendingDeprecationWarning


def call(kind):
    """Call something deprecated from a module of ours."""
    ours = ModuleType("napari_sam.widgets.drawn")
    ours.warn = warnings.warn
    exec(f"warn('old', {kind.__name__}, stacklevel=1)", vars(ours))


def in_a_slot(kind):
    button = QPushButton()
    button.clicked.connect(lambda: call(kind))
    button.click()


def in_a_thread_that_nobody_asks(kind):
    with ThreadPoolExecutor(1) as thread:
        thread.submit(call, kind)


def where_all_is_caught(kind):
    with suppress(Exception):
        call(kind)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize(
    "anywhere", [call, in_a_slot, in_a_thread_that_nobody_asks, where_all_is_caught]
)
def test_a_deprecated_call_of_ours_is_noted(anywhere, kind, qapp):
    with pytest.raises(AssertionError, match="old"), no_deprecations():
        anywhere(kind)


def test_what_others_call_among_themselves_is_an_error_as_elsewhere():
    with no_deprecations(), pytest.raises(FutureWarning, match="theirs"):
        warnings.warn("theirs", FutureWarning, stacklevel=1)
