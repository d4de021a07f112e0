"""Standalone napari window, as opened by the command line."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from pathlib import Path
from threading import Thread
from typing import TYPE_CHECKING

import napari
from napari.layers import Layer

from napari_sam.errors import DISTRIBUTION, InputError
from napari_sam.samples import SAMPLES, sample_layer
from napari_sam.serving.segmenter import preload

if TYPE_CHECKING:
    from napari_sam.widgets.panel import Panel

__all__ = ["open_window"]

ROOM = 1360, 860  # pixels in which picture and panel can be seen whole, if the screen has them
FIT_MS = 100  # after which the dock has its place and the canvas its size
STORY = (
    "{} slices: click on a nucleus and keep it with {}, then a few more. "
    "The tab Stack follows them through the rest."
)


def open_window(
    sample: str | None = None, path: Path | None = None, queue: Sequence[Path] = ()
) -> None:
    """Open napari with a sample or a file and the panel; return when it is closed.

    Parameters
    ----------
    sample : str, optional
        A name in `napari_sam.samples.SAMPLES`.
    path : Path, optional
        What napari can open.
    queue : sequence of Path
        Pictures, folders, patterns or a table to go through one by one.

    Raises
    ------
    InputError
        When no Qt binding is installed, or no reader can open the file.
    """
    try:
        import qtpy  # noqa: F401
    except ImportError as error:
        raise InputError(
            f"a window needs a Qt binding and none is installed: pip install '{DISTRIBUTION}[all]'"
        ) from error
    from qtpy.QtCore import QTimer

    Thread(target=preload, name="napari-sam preload", daemon=True).start()
    viewer = napari.Viewer()
    _enlarge(viewer)
    if sample is not None:
        viewer.add_layer(Layer.create(*sample_layer(sample)))
    if path is not None:
        _open(viewer, path)
    _, panel = viewer.window.add_plugin_dock_widget(DISTRIBUTION)
    QTimer.singleShot(FIT_MS, viewer.reset_view)  # the dock has narrowed the canvas since
    if sample is not None:
        _tell(panel, sample)
    if queue:
        panel.queue.open(queue)
    napari.run()


def _enlarge(viewer: napari.Viewer) -> None:
    """Give a window that is smaller the room that the panel takes, within the screen."""
    window = viewer.window._qt_window
    screen = window.screen().availableGeometry()
    wide, high = min(ROOM[0], screen.width()), min(ROOM[1], screen.height())
    if not window.isMaximized():
        window.resize(max(wide, window.width()), max(high, window.height()))


def _tell(panel: Panel, sample: str) -> None:
    """Say what can be done with a stack, and offer the tab for it."""
    from napari_sam.widgets.annotation.queries import Answer, Query
    from napari_sam.widgets.common.keys import KEYS

    annotation, slices = panel.annotation, len(SAMPLES[sample].axes) > 2
    if annotation is None or not slices:
        return
    text = STORY.format(annotation.picture.shape[0], KEYS["accept"])
    turn = partial(panel.tabs.setCurrentWidget, panel.stack.controls)
    annotation.queries.ask(Query("story", text, (Answer("Go to Stack", turn),)))
    panel.tabs.currentChanged.connect(partial(_end_story, panel))


def _end_story(panel: Panel, *_: int) -> None:
    """Say no more what can be done once somebody goes there: it would hide what the tab says."""
    if panel.annotation is not None:
        panel.annotation.queries.withdraw("story")


def _open(viewer: napari.Viewer, path: Path) -> None:
    try:
        viewer.open(path)
    except Exception as error:  # readers are plugins: they may raise anything
        viewer.close()
        raise InputError(f"napari cannot open {path}: {error}") from error
