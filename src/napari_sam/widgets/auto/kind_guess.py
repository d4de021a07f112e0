"""Kind of picture for the tab Auto: chosen by hand for a picture, or else guessed from it."""

from __future__ import annotations

from concurrent.futures import Future
from dataclasses import dataclass, replace
from functools import partial
from typing import Any
from weakref import WeakKeyDictionary

import numpy as np
from napari.layers import Image
from psygnal import Signal
from qtpy.QtCore import QObject

from napari_sam.inference.automatic.kinds import GENERAL, SIDE, guess_kind
from napari_sam.inference.automatic.presets import presets
from napari_sam.inference.channels import in_image
from napari_sam.settings import load_settings, save_settings
from napari_sam.widgets.annotation.annotation import Annotation
from napari_sam.widgets.auto.choices import AutoChoices
from napari_sam.widgets.jobs.background import Background
from napari_sam.widgets.layers.channel_mix import Read, finest

__all__ = ["KindGuess"]


@dataclass(frozen=True)
class _Settled:
    """What is set for a picture, and whether its kind was guessed."""

    look: str
    guessed: bool
    channel_axis: int | None
    values: dict[str, Any]
    tuning: dict[str, Any]
    ranges: dict[str, Any]


class KindGuess(QObject):
    """Sets the kind of each picture once; a choice by hand is kept for the picture.

    What somebody chose by hand where this was guessed is chosen for the next picture that looks
    alike, and remembered.

    Parameters
    ----------
    choices : AutoChoices
        The options of the tab.

    Attributes
    ----------
    settled : psygnal.Signal
        Emitted when a kind was guessed.
    """

    settled = Signal()

    def __init__(self, choices: AutoChoices, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._choices = choices
        self._background = Background("kind of picture", self)
        self._known: WeakKeyDictionary[Image, _Settled] = WeakKeyDictionary()
        self._layer: Image | None = None
        self._channel_axis: int | None = None
        self._look = ""  # of the picture; empty until it was looked at
        self._guessed = False
        choices.changed.connect(self._take)

    @property
    def busy(self) -> bool:
        """True while a picture is looked at."""
        return self._background.busy

    def follow(self, annotation: Annotation | None) -> None:
        """Turn to the picture of this annotation, or to none; keep what was set for the last."""
        self._leave()
        if annotation is None:
            return
        self._layer = layer = annotation.picture.layer
        self._channel_axis = annotation.picture.channel_axis
        before = self._known.get(layer)
        if before is None or (before.guessed and before.channel_axis != self._channel_axis):
            self._background.submit(_look(annotation), partial(self._settle, layer))
            return
        self._look, self._guessed = before.look, before.guessed
        self._choices.put(before.values)
        self._choices.tuning.put(before.tuning)
        for name, row in self._choices.ranges.items():
            row.set_range(before.ranges[name])
        self._choices.mark_guessed(before.guessed)

    def hold(self) -> None:
        """Keep what is set for this picture: a guess that is still to come changes nothing."""
        self._look = self._look or GENERAL

    def close(self) -> None:
        """Look at no picture any more."""
        self._background.close()
        self._choices.changed.disconnect(self._take)

    def _leave(self) -> None:
        if self._layer is not None and self._look:
            values, rows = self._choices.values, self._choices.ranges
            ranges = {name: row.range for name, row in rows.items()}
            self._known[self._layer] = _Settled(
                self._look,
                self._guessed,
                self._channel_axis,
                values,
                self._choices.tuning.values,
                ranges,
            )
        self._layer, self._look, self._guessed = None, "", False
        self._choices.mark_guessed(False)

    def _take(self, name: str) -> None:
        """Take over what was chosen by hand."""
        if self._layer is None:
            return
        if name == "preset":
            self._guessed = False
            self._choices.mark_guessed(False)
            self._learn()
        self.hold()

    def _learn(self) -> None:
        """Remember what a picture of this look is to this user."""
        if self._look:
            settings = load_settings()
            kinds = settings.kinds | {self._look: self._choices["preset"].value}
            save_settings(replace(settings, kinds=kinds))

    def _settle(self, layer: Image, future: Future[str]) -> None:
        if layer is not self._layer or self._look:  # another picture, or chosen by hand meanwhile
            return
        if future.cancelled() or future.exception() is not None:
            return  # who clicks on the picture is told what is wrong with it
        self._look, self._guessed = future.result(), True
        learned = load_settings().kinds.get(self._look)
        self._choices.take_kind(learned if learned in presets() else self._look)
        self._choices.mark_guessed(True)
        self.settled.emit()


def _look(annotation: Annotation) -> partial[str]:
    """Return what guesses the kind from the middle of the slice in view, in any thread."""
    picture = annotation.picture
    channel = next(one for one in picture.mix.channels if one is not None)
    plane = annotation.seen or (*(size // 2 for size in picture.shape[:-2]), None, None)
    data = finest(channel.layer)
    at = in_image(plane, channel.axis, channel.index)
    middle = tuple(
        _middle(size) if i is None else i for i, size in zip(at, data.shape, strict=False)
    )
    return partial(_guess, lambda: np.asarray(data[middle]))


def _guess(read: Read) -> str:
    return guess_kind(read())


def _middle(size: int) -> slice:
    start = max(0, (size - SIDE) // 2)
    return slice(start, start + SIDE)
