"""The cut that is drawn: shown in pieces, moved by the model, written when it is accepted."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from concurrent.futures import Future
from dataclasses import dataclass, field

from qtpy.QtCore import QObject

from napari_sam.inference.edit.cut import Pieces
from napari_sam.planes import Plane
from napari_sam.serving.segmenter import StoredSegmenter
from napari_sam.session.changed import What
from napari_sam.session.edit.cut import CutTask, cut
from napari_sam.widgets.annotation.annotation import Annotation
from napari_sam.widgets.annotation.queries import Answer, Query
from napari_sam.widgets.common.keys import KEYS
from napari_sam.widgets.edit.strokes import Path
from napari_sam.widgets.jobs.background import Background
from napari_sam.widgets.jobs.piecework import Piece, Piecework
from napari_sam.widgets.jobs.plane import EmbeddedPlane
from napari_sam.widgets.layers.preview import Preview
from napari_sam.widgets.layers.prompt_layers import Tool

__all__ = ["Cutting"]

CUT = "cut"
COLOURS = "#ff6b6b", "#4dabf7", "#69db7c", "#ffd43b", "#da77f2", "#ff922b", "#38d9a9", "#f783ac"


@dataclass
class _Drawn:
    """What is drawn on one object, and its pieces on that plane."""

    object_id: int
    plane: Plane
    strokes: list[Path] = field(default_factory=list)
    clicks: list[tuple[float, float]] = field(default_factory=list)
    exact: bool = False  # the strokes are the border, whatever the model says
    through: bool = False  # all slices
    task: CutTask | None = None
    pieces: Pieces | None = None
    followed: bool = False


class Cutting:
    """Collects strokes and clicks on one object, shows its pieces, and writes them.

    Parameters
    ----------
    annotation : Annotation
        Whose objects.
    parent : QObject
        Owner of what works in other threads.
    """

    def __init__(self, annotation: Annotation, parent: QObject) -> None:
        self._annotation = annotation
        self._drawn: _Drawn | None = None
        self._accepting = False
        self._found: dict[Plane, Pieces] = {}
        self._preview: Preview | None = None
        self._work = Piecework(later=False, parent=parent)
        self._work.stepped.connect(self._take)
        self._work.failed.connect(self._model_failed)
        self._work.ended.connect(self._ended)
        self._alone = Background("cut", parent)
        annotation.changed.connect(self._follow)

    @property
    def busy(self) -> bool:
        """True while the model, or the thread for all slices, works on it."""
        return self._work.busy or self._alone.busy

    @property
    def object_id(self) -> int | None:
        """The object that is being cut, or None."""
        return None if self._drawn is None else self._drawn.object_id

    def draw(self, object_id: int, plane: Plane, path: Path) -> None:
        """Add a stroke across an object, or a click on one of its parts."""
        drawn = self._drawn
        if drawn is None or (drawn.object_id, drawn.plane) != (object_id, plane):
            self.reject()
            self._drawn = drawn = _Drawn(object_id, plane)
        if self._accepting:
            return
        if len(path) == 1 and drawn.strokes:
            self._say("Clicks and strokes do not mix: draw another stroke.")
            return
        before = list(drawn.strokes), list(drawn.clicks)
        if len(path) == 1:
            drawn.clicks.append(path[0])
        else:
            drawn.strokes.append(path)
        if not drawn.strokes and len(drawn.clicks) < 2:
            self._wait_for_clicks(drawn)
            return
        if not self._annotation.step(lambda _: self._renew(drawn)):
            drawn.strokes, drawn.clicks = before
            if not (drawn.strokes or drawn.clicks):
                self.reject()

    def accept(self) -> None:
        """Write the pieces; first, with all slices, cut those."""
        drawn = self._drawn
        if drawn is None or drawn.task is None or drawn.pieces is None:
            self._say("Nothing is cut yet: draw across the object, or click in each of its parts.")
        elif self._accepting:
            return
        elif drawn.through:
            self._accepting = True
            self._annotation.step(lambda _: self._cut_all(drawn))
        elif self._work.busy:
            self._accepting = True  # as soon as the model has answered
            self._say("One moment: the model looks for the border.")
        else:
            self._write(drawn.task, {drawn.plane: drawn.pieces})

    def reject(self) -> None:
        """Leave the object as it is."""
        self._work.cancel()
        self._drawn, self._accepting, self._found = None, False, {}
        if self._preview is not None:
            self._preview.show(None, ())
        self._annotation.queries.withdraw(CUT)
        if self._annotation.edit is self:
            self._annotation.edit = None
            self._annotation.changed.emit(What.VIEW)

    def close(self) -> None:
        """Let go of the annotation."""
        self._annotation.changed.disconnect(self._follow)
        self.reject()
        self._alone.close()
        if self._preview is not None:
            self._preview.close()

    def _renew(self, drawn: _Drawn) -> None:
        """Cut this plane anew, show it, and ask the model for the border."""
        session = self._annotation.session
        task = CutTask.of(
            session.objects, drawn.object_id, drawn.plane, drawn.strokes, drawn.clicks
        )
        drawn.task, (_, drawn.pieces) = task, next(task.pieces())
        drawn.followed = False
        self._annotation.edit = self
        self._work.cancel()
        if self._annotation.model is not None and not drawn.exact:
            planes = {drawn.plane: self._annotation.planes.of(drawn.plane)}
            self._work.start(self._annotation.model, _pieces(task, planes))
        self._show(drawn)

    def _show(self, drawn: _Drawn) -> None:
        assert drawn.task is not None
        assert drawn.pieces is not None
        if self._preview is None:
            annotation = self._annotation
            self._preview = Preview(
                annotation.viewer, annotation.picture, "napari-sam pieces", COLOURS, 0.7, "pieces"
            )
        shown = drawn.task.shown(drawn.pieces)
        shown[shown > 0] = (shown[shown > 0] - 1) % len(COLOURS) + 1
        self._preview.show(shown, drawn.plane)
        self._ask(drawn)
        self._annotation.changed.emit(What.VIEW)

    def _ask(self, drawn: _Drawn) -> None:
        held = self._annotation.session.objects[drawn.object_id]
        count = 0 if drawn.pieces is None else int(drawn.pieces.max())
        slices = len([one for one in held.sections.values() if one.mask is not None])
        where = f", on all its {slices} slices" if drawn.through else ""
        how = "as drawn" if not drawn.followed else "at the border that the model sees"
        cut_it = Answer("Cut", self.accept, f"{KEYS['accept']}; Undo makes it one again")
        every = (
            Answer("This slice only", lambda: self._switch(drawn, through=False))
            if drawn.through
            else Answer(
                "On all slices",
                lambda: self._switch(drawn, through=True),
                "The strokes cut every slice of the object, from this one on outwards",
            )
        )
        exact = (
            Answer("By the model", lambda: self._switch(drawn, exact=False))
            if drawn.exact
            else Answer(
                "As drawn",
                lambda: self._switch(drawn, exact=True),
                "Your strokes are the border, whatever the model sees",
            )
        )
        leave = Answer("Leave it", self.reject, f"{KEYS['reject']}; the object stays as it is")
        answers = (cut_it, *([every] if slices > 1 else []), exact, leave)
        text = f"Object {drawn.object_id} in {count} pieces{where}, {how}."
        self._annotation.queries.ask(Query(CUT, text, answers, prompt_only=True))

    def _wait_for_clicks(self, drawn: _Drawn) -> None:
        leave = Answer("Leave it", self.reject, "The object stays as it is")
        text = f"Object {drawn.object_id}: click in each of its other parts, too."
        self._annotation.queries.ask(Query(CUT, text, (leave,), prompt_only=True))

    def _switch(self, drawn: _Drawn, **how: bool) -> None:
        for name, value in how.items():
            setattr(drawn, name, value)
        if drawn is self._drawn:
            self._annotation.step(lambda _: self._renew(drawn))

    def _cut_all(self, drawn: _Drawn) -> None:
        """Cut all slices, in the thread of the model or in one of its own."""
        annotation = self._annotation
        task = CutTask.of(
            annotation.session.objects,
            drawn.object_id,
            drawn.plane,
            drawn.strokes,
            drawn.clicks,
            through=True,
        )
        drawn.task, self._found = task, {}
        self._tell_progress(drawn)
        self._work.cancel()
        if annotation.model is None or drawn.exact:

            def done(future: Future[dict[Plane, Pieces]]) -> None:
                if drawn is self._drawn and self._accepting:
                    self._annotation.step(lambda _: self._write(task, future.result()))

            self._alone.submit(lambda: dict(task.pieces()), done)
        else:
            planes = {plane: annotation.planes.of(plane) for plane in task.masks}
            self._work.start(annotation.model, _pieces(task, planes))

    def _tell_progress(self, drawn: _Drawn) -> None:
        assert drawn.task is not None
        stop = Answer("Stop", self.reject, "Nothing is cut")
        done, count = len(self._found), len(drawn.task.masks)
        text = f"Cutting object {drawn.object_id}: {done} of {count} slices."
        self._annotation.queries.ask(Query(CUT, text, (stop,)))

    def _take(self, answer: tuple[CutTask, Plane, Pieces, bool]) -> None:
        task, plane, pieces, followed = answer
        drawn = self._drawn
        if drawn is None or drawn.task is not task:
            return
        if self._accepting and drawn.through:
            self._found[plane] = pieces
            self._tell_progress(drawn)
            return
        drawn.pieces, drawn.followed = pieces, followed
        self._show(drawn)

    def _ended(self) -> None:
        drawn = self._drawn
        if drawn is None or not self._accepting or drawn.task is None or drawn.pieces is None:
            return
        self._write(drawn.task, self._found or {drawn.plane: drawn.pieces})

    def _model_failed(self, error: BaseException) -> None:
        """Go on with the strokes alone."""
        drawn, accepting = self._drawn, self._accepting
        if drawn is None:
            return
        self._say(f"⚠ {error} The border is as you drew it.")
        drawn.exact, self._accepting = True, False
        self._annotation.step(lambda _: self._renew(drawn))
        if accepting:
            self.accept()

    def _write(self, task: CutTask, pieces: dict[Plane, Pieces]) -> None:
        new: list[int] = []
        self._drawn = None  # what follows is no change by somebody else
        if self._annotation.step(lambda session: new.extend(cut(session, task, pieces))):
            names = ", ".join(map(str, new))
            self._say(f"Object {task.object_id} is cut; new: {names}. {KEYS['undo']} undoes it.")
        self.reject()

    def _say(self, text: str) -> None:
        self._annotation.remarked.emit(text)

    def _follow(self, what: What) -> None:
        """Let go of it when another tool is taken up, or the object is not what it was."""
        drawn = self._drawn
        if drawn is None:
            return
        held = self._annotation.session.objects.get(drawn.object_id)
        section = None if held is None or held.locked else held.sections.get(drawn.plane)
        mask = None if drawn.task is None else drawn.task.masks[drawn.plane]
        same = section is not None and (mask is None or section.mask == mask)
        if not same or self._annotation.tool is not Tool.CUT:
            self.reject()


def _pieces(task: CutTask, planes: dict[Plane, EmbeddedPlane]) -> Iterator[Piece]:
    """Yield a piece of work for each plane: cut by strokes, then moved by the model."""
    cuts = task.pieces()

    def piece(
        segmenter: StoredSegmenter, pause: Callable[[], None]
    ) -> tuple[CutTask, Plane, Pieces, bool]:
        plane, pieces = next(cuts)
        embedded = planes.pop(plane)  # what it holds is large
        asked = task.prompts(pieces)
        if len(asked) < 2:
            return task, plane, pieces, False
        embedding = embedded.embedding(segmenter, lambda *_: None, pause)
        moved, followed = task.moved(pieces, segmenter.predict_batch(embedding, asked, pause))
        embedded.check()
        return task, plane, moved, followed

    return (piece for _ in task.masks)
