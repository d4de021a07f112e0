"""Meaning of an image's axes: from its file, from similar images, or from the user."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import Future
from dataclasses import replace
from pathlib import Path

from qtpy.QtCore import QObject, Signal

from napari_sam.io.scale import spacing_of_array
from napari_sam.io.spacing import Spacing
from napari_sam.session.changed import What
from napari_sam.settings import load_settings, save_settings
from napari_sam.widgets.annotation.annotation import Annotation
from napari_sam.widgets.annotation.queries import Answer, Query
from napari_sam.widgets.common.connections import Connections
from napari_sam.widgets.common.questions import Draw
from napari_sam.widgets.jobs.background import Background
from napari_sam.widgets.layers.channel_mix import finest
from napari_sam.widgets.layers.stack_axes import answer, channel_axis, remember
from napari_sam.widgets.prompt import axes_pictures
from napari_sam.widgets.prompt import axes_wording as wording
from napari_sam.widgets.prompt.channel_controls import ChannelControls
from napari_sam.widgets.prompt.channels import Channels, guess

__all__ = ["Axes"]

KIND = "axes"


class Axes(QObject):
    """Learns the axes and the pixel size of the annotated image; asks what nobody has said.

    Parameters
    ----------
    controls : ChannelControls
        The widgets.
    channels : Channels
        Takes the answers about channels.
    """

    axis_changed = Signal()  # masks have other axes from now on

    def __init__(
        self, controls: ChannelControls, channels: Channels, parent: QObject | None = None
    ) -> None:
        super().__init__(parent)
        self._controls = controls
        self._channels = channels
        self._background = Background("axes", self)
        self._presenter: _AxesPresenter | None = None
        channels.said.connect(lambda: self._do(_AxesPresenter.ask))
        controls.stack.activated.connect(lambda at: self._do(lambda one: one.choose(at)))

    @property
    def busy(self) -> bool:
        """True while a file is read."""
        return self._background.busy

    def follow(self, annotation: Annotation | None) -> None:
        """Switch to this annotation's image; read its file, then ask."""
        if self._presenter is not None:
            self._presenter.close()
        self._presenter = None if annotation is None else _AxesPresenter(self, annotation)

    def close(self) -> None:
        """Stop reading permanently."""
        self.follow(None)
        self._background.close()

    def _do(self, step: Callable[[_AxesPresenter], object]) -> None:
        if self._presenter is not None:
            step(self._presenter)


class _AxesPresenter:
    """Presenter of the axes of one image."""

    def __init__(self, part: Axes, annotation: Annotation) -> None:
        self._part = part
        self._annotation = annotation
        self._picture = annotation.picture
        self._closed = False
        self._connections = Connections()
        self._connections.add(self._picture.changed, self.ask)
        layer = self._picture.layer
        if layer.source.path and "file" not in answer(layer):
            path, shape = Path(layer.source.path), tuple(finest(layer).shape[: layer.ndim])
            part._background.submit(lambda: spacing_of_array(path, shape), self._take)
        else:
            self.ask()

    def close(self) -> None:
        self._closed = True
        self._connections.close()
        self._annotation.queries.withdraw(KIND)
        self._part._controls.show_stack([])

    def ask(self) -> None:
        """Show what the axes are taken for, and ask what is not known."""
        picture, queries = self._picture, self._annotation.queries
        axis = guess(picture.layer)
        if axis is None:
            self._recall()
        names, letters = wording.choices(picture), self._letters
        at = letters.index(self._known) if self._known in letters else -1
        self._part._controls.show_stack(names, at)
        if axis is not None:
            queries.ask(self._about_channels(axis))
        elif picture.axes.unnamed and letters:
            answers = zip(names, wording.TIPS, letters, self._pictures, strict=False)
            queries.ask(
                Query(
                    KIND,
                    wording.question(picture),
                    tuple(
                        Answer(name, self._sayer(said), tip, draw)
                        for name, tip, said, draw in answers
                    ),
                )
            )
        else:
            queries.withdraw(KIND)

    def choose(self, index: int) -> None:
        """Take one of the choices."""
        self.say(self._letters[index])

    def say(self, letters: str) -> None:
        """Store what the leading axes are, here and for similar images."""
        layer = self._picture.layer
        settings = load_settings()
        axes = {**settings.axes, self._kind: letters}
        save_settings(replace(settings, axes=axes))
        remember(layer, axes=self._of_layer(letters))
        self.ask()
        self._annotation.changed.emit(What.VIEW)

    @property
    def _letters(self) -> tuple[str, ...]:
        """What can be said of the leading axes, in the order of the words."""
        return {1: ("z", "t"), 2: ("tz", "zt")}.get(len(self._picture.axes.leading), ())

    @property
    def _pictures(self) -> tuple[Draw | None, ...]:
        """Drawings of the same, where one can tell it."""
        drawn = axes_pictures.depth, axes_pictures.time
        return drawn if len(self._picture.axes.leading) == 1 else (None, None)

    @property
    def _known(self) -> str:
        """What the leading axes are; empty if that is not known."""
        picture = self._picture
        if picture.axes.unnamed:
            return ""
        return "".join(
            "t" if picture.axes.word_of(axis) == "frame" else "z" for axis in picture.axes.leading
        )

    @property
    def _kind(self) -> str:
        """By what a similar picture is known: the ending of its file, and the place of its axes."""
        picture = self._picture
        ending = Path(picture.layer.source.path or "").suffix.lower()
        places = " and ".join(map(str, self._of_layer("  ")))
        return f"{ending or 'no file'}, axis {places} of {picture.layer.ndim}"

    def _of_layer(self, letters: str) -> dict[int, str]:
        """Return the axes of the layer with their letters."""
        shift = int(self._picture.channel_axis == 0)
        axes = [axis + shift for axis in self._picture.axes.leading]
        return dict(zip(axes, letters, strict=False))

    def _sayer(self, letters: str) -> Callable[[], None]:
        return lambda: self.say(letters)

    def _recall(self) -> None:
        """Apply what was said of similar images."""
        if not (self._picture.axes.unnamed and self._letters):
            return
        letters = load_settings().axes.get(self._kind, "")
        if letters in self._letters:
            remember(self._picture.layer, axes=self._of_layer(letters))
            said = wording.choices(self._picture)[self._letters.index(letters)]
            self._annotation.remarked.emit(wording.RECALLED.format(said.lower()))

    def _about_channels(self, axis: int) -> Query:
        """Return the question whether an axis holds channels, or what else it is."""
        picture, say = self._picture, self._part._channels.say
        answers = [
            Answer(wording.COLOURS, lambda: say(axis), wording.COLOURS_TIP, axes_pictures.colours)
        ]
        if picture.axes.leading == [axis]:
            names = wording.choices(picture)
            said = zip(names, wording.TIPS, self._letters, self._pictures, strict=False)
            answers += [
                Answer(name, self._stack_of(one), tip, draw) for name, tip, one, draw in said
            ]
        else:
            answers.append(Answer(wording.NO_COLOURS, lambda: say(None), wording.NO_COLOURS_TIP))
        return Query(KIND, wording.channel_question(picture, axis), tuple(answers))

    def _stack_of(self, letters: str) -> Callable[[], None]:
        def answered() -> None:
            self._part._channels.say(None)
            self.say(letters)

        return answered

    def _take(self, future: Future[Spacing | None]) -> None:
        if self._closed or future.cancelled():
            return
        layer, annotation = self._picture.layer, self._annotation
        known = None if future.exception() else future.result()
        remember(layer, file=known)
        if known is not None and any(known.known[:-2]) and answer(layer).get("recalled"):
            answer(layer).pop("channel_axis")  # the file knows better than what was said of others
            remember(layer, recalled=False)
        session, axis = annotation.session, self._picture.channel_axis
        if channel_axis(layer) == axis:
            self.ask()
        elif session.objects or not session.draft.is_empty:  # they lie in the axes as they are
            remember(layer, channel_axis=axis)
            self.ask()
        else:
            self._part.axis_changed.emit()
        if known is not None and (said := wording.from_file(layer, known)):
            now = self._part._presenter  # another one, if the axes have changed
            if now is not None:
                now._annotation.remarked.emit(said)
                now._annotation.changed.emit(What.VIEW)
