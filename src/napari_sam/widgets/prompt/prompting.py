"""The prompt tools, the buttons and the status line, over whatever picture is annotated."""

from __future__ import annotations

from collections.abc import Callable

from psygnal import Signal

from napari_sam.errors import NapariSamError
from napari_sam.session import drawing
from napari_sam.session.draft import Draft
from napari_sam.session.overlap import Rule
from napari_sam.session.session import Session
from napari_sam.widgets.annotation.annotation import Annotation
from napari_sam.widgets.annotation.hints import NO_PICTURE, next_step
from napari_sam.widgets.annotation.pending import PendingRunner
from napari_sam.widgets.layers.prompt_layers import Tool
from napari_sam.widgets.prompt.controls import Controls

__all__ = ["Prompting"]

OTHER = {
    Tool.INCLUDE: Tool.EXCLUDE,
    Tool.SCRIBBLE: Tool.SCRIBBLE_OUT,
    Tool.SCRIBBLE_OUT: Tool.SCRIBBLE,
}


class Prompting:
    """Carries presses of buttons and keys to an annotation, and shows how it stands.

    Parameters
    ----------
    controls : Controls
        The widgets.

    Attributes
    ----------
    annotation : Annotation or None
        What is being annotated.
    last_error : Exception or None
        What went wrong last.
    took : str
        How long the model took, and where.
    remarked : psygnal.Signal
        Emitted with what was said.
    asked : psygnal.Signal
        Emitted when a question waits for an answer.
    accepted : psygnal.Signal
        Emitted when a mask that was drawn is in the labels.
    """

    remarked = Signal(str)
    asked = Signal()
    accepted = Signal()

    def __init__(self, controls: Controls) -> None:
        self.annotation: Annotation | None = None
        self.last_error: BaseException | None = None
        self.took = ""
        self._controls = c = controls
        self._in_question: Draft | None = None
        self._catching_up = PendingRunner(self._accept_shown, self.remark)
        for tool, button in c.tools.items():
            button.clicked.connect(lambda _, tool=tool: self.arm(tool))
        c.shape.tool_chosen.connect(self.arm)
        c.thumbnails.chosen.connect(lambda choice: self._step(lambda s: drawing.choose(s, choice)))
        c.cycle.clicked.connect(self.cycle)
        c.accept.clicked.connect(self.accept)
        c.reject.clicked.connect(self.reject)
        c.undo.clicked.connect(self.undo)
        c.redo.clicked.connect(self.redo)
        c.keep.clicked.connect(lambda: self._write(Rule.KEEP))
        c.replace.clicked.connect(lambda: self._write(Rule.REPLACE))
        c.cancel.clicked.connect(self._cancel)

    @property
    def actions(self) -> dict[str, Callable[[], None]]:
        """What can be done by keys."""
        return {
            "accept": self.accept,
            "reject": self.reject,
            "undo": self.undo,
            "redo": self.redo,
            "polarity": self.switch_polarity,
            "box": self.draw_box,
            "cycle": self.cycle,
        }

    def follow(self, annotation: Annotation | None) -> None:
        """Serve this annotation from now on."""
        self.annotation = annotation
        if annotation is not None:
            annotation.changed.connect(self.refresh)
            annotation.remarked.connect(self.remark)
        self.remark("")
        self.refresh()

    def close(self) -> None:
        """Serve none any more."""
        self.follow(None)

    def remark(self, text: str) -> None:
        """Say something that stays until the next change."""
        self._controls.remark.setText(text)
        self._controls.remark.setVisible(bool(text))
        self.remarked.emit(text)

    def warn(self, problem: str | BaseException) -> None:
        """Say what went wrong."""
        if isinstance(problem, BaseException):
            self.last_error = problem
        self.remark(f"⚠ {problem or type(problem).__name__}")

    def arm(self, tool: Tool) -> None:
        """Draw with this tool."""
        if self.annotation is not None:
            self.remark("")
            self.annotation.arm(tool)

    def switch_polarity(self) -> None:
        """Switch between what belongs to the object and what does not, else to Include."""
        if self.annotation is not None:
            self.arm(OTHER.get(self.annotation.tool, Tool.INCLUDE))

    def draw_box(self) -> None:
        """Draw boxes, or what was last chosen beside them."""
        self.arm(self._controls.shape.tool)

    def cycle(self) -> None:
        """Show the next candidate."""
        self._step(drawing.cycle)

    def reject(self) -> None:
        """Throw the object being drawn away."""
        if self.annotation is not None and self.annotation.pending.drop_last():
            self.remark("The prompts of your last object are thrown away.")
        else:
            self._step(drawing.reject)

    def undo(self) -> None:
        """Take the last step back."""
        if self.annotation is None:
            return
        if said := self.annotation.pending.take_back():
            self.remark(said)
        else:
            self.remark("")
            self.annotation.undo()

    def redo(self) -> None:
        """Make the step again."""
        if self.annotation is not None:
            self.remark("")
            self.annotation.redo()

    def accept(self) -> None:
        """Write the mask; if it is still being computed, as soon as it is there."""
        if self.annotation is None:
            return
        session = self.annotation.session
        if session.draft.is_empty:
            self.annotation.accept_proposed()
        elif self.annotation.waiting:
            self.annotation.pending.accept(session.request)
        else:
            self._accept_shown()

    def refresh(self) -> None:
        """Show how the annotation stands."""
        c, annotation = self._controls, self.annotation
        # What goes on beside it, such as following, takes no question away from under the mouse.
        if annotation is None or annotation.session.draft is not self._in_question:
            c.ask_about("")
        for button in (c.accept, c.reject, c.undo, c.redo, *c.tools.values(), c.shape):
            button.setEnabled(annotation is not None)
        if annotation is None:
            c.show_candidates(False)
            c.score.setText(self.took)
            c.status.setText(NO_PICTURE)
            return
        if annotation.target is not None:  # it may be new, or brought back
            c.labels.choose(annotation.target)
        session, prediction = annotation.session, annotation.session.prediction
        if annotation.tool in c.tools:
            c.tools[annotation.tool].setChecked(True)
        else:
            c.shape.show_tool(annotation.tool)
            c.shape.button.setChecked(True)
        something = session.request is not None or session.mask is not None
        c.accept.setEnabled(something or (session.draft.is_empty and bool(annotation.proposed)))
        c.reject.setEnabled(not session.draft.is_empty)
        c.undo.setEnabled(session.can_undo)
        c.redo.setEnabled(session.can_redo)
        c.status.setText(next_step(annotation))
        score = "" if session.score is None else f"Score {session.score:.2f}"
        c.score.setText("   ·   ".join(filter(None, (score, self.took))))
        c.show_candidates(prediction is not None and len(prediction.masks) > 1)
        if prediction is not None and len(prediction.masks) > 1:
            limits = annotation.picture.contrast_limits
            pixels = annotation.planes.of(session.draft.plane).pixels
            c.thumbnails.show_candidates(pixels, limits, prediction, session.choice)
        self._catching_up.go_on(annotation)

    def _step(self, step: Callable[[Session], None]) -> None:
        if self.annotation is not None:
            self.remark("")
            self.annotation.step(step)

    def _accept_shown(self) -> str | None:
        """Accept the mask on show; return why not, "" if it did, None if it asks first."""
        if self.annotation is None:
            return ""
        session, rule = self.annotation.session, self._controls.rule.currentData()
        if rule != "ask":
            return self._write(Rule(rule))
        met = drawing.overlap(session)
        if not met:
            return self._write(Rule.KEEP)
        ids = ", ".join(map(str, met))
        self._in_question = session.draft
        self._controls.ask_about(
            f"The mask shares {sum(met.values()):,} pixels with object {ids}. Who keeps them?"
        )
        self.asked.emit()
        return None

    def _cancel(self) -> None:
        """Take the question away; the object stays open, or is so again after what waits."""
        self._controls.ask_about("")
        if self.annotation is not None:
            self._catching_up.put_aside(self.annotation)

    def _write(self, rule: Rule) -> str:
        """Accept the mask on show; return why not."""
        self._controls.ask_about("")
        if self.annotation is None:
            return ""
        try:
            change = self.annotation.binding.accept(rule)
        except (NapariSamError, MemoryError) as error:
            self.warn(error)
            return self._controls.remark.text()
        if self.annotation.tool in (Tool.EXCLUDE, Tool.SCRIBBLE_OUT):
            self.switch_polarity()
        self.remark(f"Object {change.object_id} is in the labels: {change.pixels:,} pixels.")
        self.accepted.emit()
        return ""
