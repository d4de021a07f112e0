"""Prompt tools, buttons and status line for the current annotation."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress

from psygnal import Signal

from napari_sam.errors import NapariSamError
from napari_sam.session import drawing
from napari_sam.session.draft import Draft
from napari_sam.session.overlap import Rule
from napari_sam.session.session import Session
from napari_sam.widgets.annotation.annotation import Annotation
from napari_sam.widgets.annotation.hints import NO_PICTURE, next_step
from napari_sam.widgets.annotation.pending import PendingRunner
from napari_sam.widgets.annotation.queries import REMAINDER, Query
from napari_sam.widgets.layers.prompt_layers import Tool
from napari_sam.widgets.prompt.controls import Controls
from napari_sam.widgets.prompt.overlap_query import accepted, across_query, overlap_query

__all__ = ["Prompting"]

OTHER = {
    Tool.INCLUDE: Tool.EXCLUDE,
    Tool.SCRIBBLE: Tool.SCRIBBLE_OUT,
    Tool.SCRIBBLE_OUT: Tool.SCRIBBLE,
}


class Prompting:
    """Forwards buttons and shortcuts to the annotation, and shows its state.

    Parameters
    ----------
    controls : Controls
        The widgets.

    Attributes
    ----------
    actions : dict of str to callable
        What can be done by keys as well, by their names.
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
        self.last_error: BaseException | None = None
        self.took = ""
        self._controls = c = controls
        self._presenter: _PromptPresenter | None = None
        self.actions: dict[str, Callable[[], None]] = {
            "accept": self.accept,
            "reject": self.reject,
            "undo": self.undo,
            "redo": self.redo,
            "polarity": self.switch_polarity,
            "box": self.draw_box,
            "cycle": self.cycle,
        }
        for tool, button in c.tools.items():
            button.clicked.connect(lambda _, tool=tool: self.arm(tool))
        c.shape.tool_chosen.connect(self.arm)
        c.thumbnails.chosen.connect(lambda choice: self._do(lambda one: one.choose(choice)))
        for name in ("accept", "reject", "undo", "redo", "cycle"):
            getattr(c, name).clicked.connect(self.actions[name])

    def follow(self, annotation: Annotation | None) -> None:
        """Switch to this annotation, or to none."""
        if self._presenter is not None:
            self._presenter.close()
        self._presenter = (
            None if annotation is None else _PromptPresenter(annotation, self, self._controls)
        )
        self.remark("")
        self.refresh()

    def close(self) -> None:
        """Release the annotation."""
        self.follow(None)

    def remark(self, text: str) -> None:
        """Show a remark until the next change."""
        self._controls.area.show_remark(text)
        self.remarked.emit(text)

    def warn(self, problem: str | BaseException) -> None:
        """Show an error or a warning."""
        if isinstance(problem, BaseException):
            self.last_error = problem
        self.remark(f"⚠ {problem or type(problem).__name__}")

    def accept(self) -> None:
        """Accept the current mask and write it to the labels."""
        self._do(_PromptPresenter.accept)

    def reject(self) -> None:
        """Discard the open draft."""
        self._do(_PromptPresenter.reject)

    def undo(self) -> None:
        """Undo the last step."""
        self._do(_PromptPresenter.undo)

    def redo(self) -> None:
        """Redo the last undone step."""
        self._do(_PromptPresenter.redo)

    def cycle(self) -> None:
        """Show the next candidate mask."""
        self._do(_PromptPresenter.cycle)

    def switch_polarity(self) -> None:
        """Switch between Include and Exclude."""
        self._do(_PromptPresenter.switch_polarity)

    def draw_box(self) -> None:
        """Activate the box tool."""
        self._do(_PromptPresenter.draw_box)

    def arm(self, tool: Tool) -> None:
        """Activate a drawing tool."""
        self._do(lambda one: one.arm(tool))

    def refresh(self) -> None:
        """Update the widgets from the annotation."""
        c = self._controls
        for button in (c.accept, c.reject, c.undo, c.redo, *c.tools.values(), c.shape):
            button.setEnabled(self._presenter is not None)
        if self._presenter is not None:
            self._presenter.refresh()
            return
        c.show_candidates(False)
        c.score.setText(self.took)
        c.status.setText(NO_PICTURE)

    def _do(self, step: Callable[[_PromptPresenter], object]) -> None:
        if self._presenter is not None:
            step(self._presenter)


class _PromptPresenter:
    """Presenter of the buttons and shortcuts for one annotation."""

    def __init__(self, annotation: Annotation, part: Prompting, controls: Controls) -> None:
        self._annotation = annotation
        self._part = part
        self._controls = controls
        self._in_question: Draft | None = None
        self._pending = PendingRunner(self._accept_queued, part.remark)
        annotation.changed.connect(self.refresh)
        annotation.remarked.connect(part.remark)

    def close(self) -> None:
        self._annotation.changed.disconnect(self.refresh)
        self._annotation.remarked.disconnect(self._part.remark)

    def arm(self, tool: Tool) -> None:
        self._part.remark("")
        self._annotation.arm(tool)

    def switch_polarity(self) -> None:
        """Switch between Include and Exclude (or their scribbles); from other tools to Include.

        While clicks go to a tool of napari's, only bring them back.
        """
        tool = self._annotation.tool
        lit = self._annotation.own_layers.prompts.lit.on
        self.arm(OTHER.get(tool, Tool.INCLUDE) if lit else tool)

    def draw_box(self) -> None:
        """Activate the tool of the shape button, a box by default."""
        self.arm(self._controls.shape.tool)

    def choose(self, choice: int) -> None:
        self._step(lambda session: drawing.choose(session, choice))

    def cycle(self) -> None:
        self._step(drawing.cycle)

    def reject(self) -> None:
        if self._annotation.edit is not None:
            self._annotation.edit.reject()
        elif self._annotation.pending.drop_last():
            self._part.remark("The prompts of your last object are thrown away.")
        else:
            self._step(drawing.reject)
        self._click_again()

    def undo(self) -> None:
        said = self._annotation.pending.take_back()
        self._part.remark(said)
        if not said:
            self._annotation.undo()

    def redo(self) -> None:
        self._part.remark("")
        self._annotation.redo()

    def accept(self) -> None:
        """Accept the current mask; if its prediction is pending, as soon as it arrives."""
        annotation, session = self._annotation, self._annotation.session
        if annotation.edit is not None:
            annotation.edit.accept()
        elif session.draft.is_empty:
            annotation.accept_proposed()
        elif annotation.waiting:
            annotation.pending.accept(session.request)
        else:
            self._accept_shown()

    def refresh(self) -> None:
        c, annotation = self._controls, self._annotation
        session, prediction = annotation.session, annotation.session.prediction
        # What goes on beside it, such as following, takes no question away from under the mouse.
        if session.draft is not self._in_question:
            annotation.queries.withdraw(REMAINDER)
        if annotation.target is not None:  # it may be new, or brought back
            c.labels.choose(annotation.target)
        self._light_tool()
        edit = annotation.edit is not None
        something = edit or session.request is not None or session.mask is not None
        c.accept.setEnabled(something or (session.draft.is_empty and bool(annotation.proposed)))
        c.reject.setEnabled(edit or not session.draft.is_empty)
        c.undo.setEnabled(session.can_undo)
        c.redo.setEnabled(session.can_redo)
        c.status.setText(next_step(annotation))
        score = "" if session.score is None else f"Quality {session.score:.2f}"
        c.score.setText("\n".join(filter(None, (score, self._part.took))))
        many = prediction is not None and len(prediction.masks) > 1
        c.show_candidates(many)
        if many and prediction is not None:
            limits = annotation.picture.contrast_limits
            pixels = annotation.planes.of(session.draft.plane).below(prediction)
            c.thumbnails.show_candidates(pixels, limits, prediction, session.choice)
        self._pending.go_on(annotation)

    def write(self, rule: Rule, rest: bool = False, across: Rule = Rule.KEEP) -> str:
        """Accept the current mask; return the error message, empty on success."""
        self._annotation.queries.withdraw(REMAINDER)
        try:
            change = self._annotation.binding.accept(rule, rest, across)
        except (NapariSamError, MemoryError) as error:
            self._part.warn(error)
            return self._controls.remark.text()
        self._click_again()
        if (tool := self._annotation.tool) in (Tool.EXCLUDE, Tool.SCRIBBLE_OUT):
            self._annotation.arm(OTHER.get(tool, Tool.INCLUDE))
        self._part.remark(accepted(change))
        self._part.accepted.emit()
        return ""

    def _light_tool(self) -> None:
        """Press the button of the tool that clicks go to, and none while they go to napari's."""
        c, annotation = self._controls, self._annotation
        button = c.tools.get(annotation.tool, c.shape.button)
        if annotation.tool not in c.tools:
            c.shape.show_tool(annotation.tool)
        group = button.group()
        prompts = annotation.own_layers.prompts
        lit = prompts.lit.on and not prompts.resting
        if group is not None and not lit:
            group.setExclusive(False)  # else one stays pressed
            for one in group.buttons():
                one.setChecked(False)
            group.setExclusive(True)
        elif lit:
            button.setChecked(True)

    def _click_again(self) -> None:
        """After an object take clicks for the next one, where they went to prompts of the last."""
        prompts = self._annotation.own_layers.prompts
        if prompts.lit.taker in prompts.both:
            self._annotation.arm(self._annotation.tool)

    def _step(self, step: Callable[[Session], None]) -> None:
        self._part.remark("")
        self._annotation.step(step)

    def _accept_queued(self) -> str | None:
        """Accept a mask on its arrival; a question waits until nothing more is queued."""
        return self._accept_shown(asks=not self._annotation.pending.later)

    def _accept_shown(self, asks: bool = True, across: Rule | None = None) -> str | None:
        """Accept the mask on show; return why not, "" if it did, None if there is a question."""
        annotation, chosen = self._annotation, self._controls.choices["rule"].value
        differs = drawing.disagreed(annotation.session)
        if across is None and not differs.is_small:
            if asks:
                self._ask(
                    across_query(annotation, differs, lambda one: self._accept_shown(across=one))
                )
            return None
        rule = Rule.REPLACE if chosen == Rule.REPLACE.value else Rule.KEEP
        across, claim = across or Rule.KEEP, None
        with suppress(NapariSamError):  # which is said when it is written
            claim = drawing.claimed(annotation.session, rule, across)
        if claim is None or not (claim.is_remainder or (chosen == "ask" and claim.met)):
            return self.write(rule, across=across)
        if asks:
            query = overlap_query(
                annotation,
                claim,
                lambda rule: self.write(rule, rest=True, across=across),
                lambda: self._accept_shown(across=across),
            )
            self._ask(query)
        return None

    def _ask(self, query: Query) -> None:
        """Ask about the mask on show."""
        annotation = self._annotation
        self._part.remark("")
        self._in_question = annotation.session.draft
        annotation.queries.ask(query)
        self._controls.status.setText(next_step(annotation))
        self._part.asked.emit()
        if self._controls.query.buttons:
            self._controls.query.buttons[0].setFocus()
