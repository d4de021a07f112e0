"""Classes suggested by examples: objects are compared in the model's thread, then it is asked."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import TYPE_CHECKING

from napari_sam.masks import CroppedMask
from napari_sam.planes import Plane
from napari_sam.progress import Pause
from napari_sam.session.edit import curation
from napari_sam.session.review import class_examples
from napari_sam.session.session import Session
from napari_sam.text.reader import Reader
from napari_sam.widgets.annotation.annotation import Annotation
from napari_sam.widgets.annotation.queries import Answer, Query
from napari_sam.widgets.common.keys import KEYS
from napari_sam.widgets.common.wording import count
from napari_sam.widgets.jobs.piecework import Piece, Piecework
from napari_sam.widgets.layers.channel_mix import Read

if TYPE_CHECKING:
    from napari_sam.inference.similar.features import Described
    from napari_sam.serving.segmenter import StoredSegmenter

__all__ = ["Suggesting"]

KIND = "suggested classes"
SURE = 0.8  # certainty from which on a suggestion needs no look
FEW = (
    "Name a few objects of each class first: select them in the list, then More, Class. Examples "
    "of at least two classes are needed."
)
Suggested = Mapping[int, tuple[int, float]]


class Suggesting:
    """Suggests the class of objects of one annotation that nobody has named.

    Parameters
    ----------
    annotation : Annotation
        Whose objects.
    reader : Reader
        Describes objects.
    go_on : callable
        Shows the object to look at next.
    """

    def __init__(self, annotation: Annotation, reader: Reader, go_on: Callable[[], object]) -> None:
        self._annotation, self._reader, self._go_on = annotation, reader, go_on
        self._pieces = Piecework(later=True)
        self._pieces.stepped.connect(self._take)
        self._pieces.failed.connect(self._fail)

    def close(self) -> None:
        """Stop, and take the question back."""
        self._pieces.cancel()
        self._annotation.queries.withdraw(KIND)

    def start(self) -> None:
        """Compare all objects with the examples, then ask whether to take what is suggested."""
        annotation = self._annotation
        session, model = annotation.session, annotation.model
        examples = class_examples(session.objects)
        if len(examples) < 2 or model is None:
            annotation.remarked.emit(FEW if model else "Choose a model in the tab Prompt first.")
            return
        comparison = _Comparison(annotation, self._reader, examples)
        problems = map(annotation.picture.too_large, comparison.planes)
        if problem := next(filter(None, problems), ""):
            annotation.remarked.emit(f"⚠ {problem}")
            return
        self._tell(comparison)
        self._pieces.start(model, comparison.pieces())

    def _tell(self, comparison: _Comparison) -> None:
        done, total = comparison.done, comparison.total
        text = f"Comparing objects with the examples: {done:,} of {count(total)}…"
        cancel = Answer("Cancel", self._pieces.cancel, "Stop; no class changes")
        self._annotation.queries.ask(Query(KIND, text, (cancel,)))

    def _take(self, result: _Comparison | Suggested) -> None:
        if isinstance(result, _Comparison):
            self._tell(result)
        else:
            self._ask(result)

    def _fail(self, error: BaseException) -> None:
        self.close()
        self._annotation.remarked.emit(f"⚠ No classes were suggested: {error}.")

    def _ask(self, found: Suggested) -> None:
        """Ask whether to take the suggestions."""
        queries, session = self._annotation.queries, self._annotation.session
        if not found:
            self.close()
            self._annotation.remarked.emit("Nobody needs a suggestion: every object is named.")
            return
        sure = {number: one for number, one in found.items() if one[1] >= SURE}
        answers = [
            Answer("Take all", lambda: self._put(found), "As one step; Undo takes it back"),
            Answer("Discard", lambda: None, "No class changes"),
        ]
        if 0 < len(sure) < len(found):
            tip = f"Those of {SURE:.0%} and more, as one step; the others stay as they are"
            answers.insert(1, Answer("Take the sure ones", lambda: self._put(sure), tip))
        text = _said(session, found, len(sure))
        queries.ask(Query(KIND, text, tuple(answers)))

    def _put(self, found: Suggested) -> None:
        annotation = self._annotation
        if annotation.step(lambda s: curation.suggest_classes(s, found)):
            self._go_on()
            annotation.remarked.emit(
                f"Least certain first: {KEYS['next_unsure']} goes to the next, "
                f"{KEYS['accept_slice']} confirms its class."
            )


def _said(session: Session, found: Suggested, sure: int) -> str:
    """Return how many of each class are suggested, and how many are doubtful."""
    counts = Counter(class_id for class_id, _ in found.values())
    names = ", ".join(f"{n:,} {session.classes[k]}" for k, n in counts.most_common())
    doubtful = len(found) - sure
    rest = f" {doubtful:,} of them are doubtful." if doubtful else " All of them are quite certain."
    return f"Suggested: {names}.{rest}"


@dataclass(eq=False)
class _Comparison:
    """State of one comparison; the pieces run in the model's thread, one slice each."""

    annotation: Annotation
    reader: Reader
    examples: Mapping[int, Sequence[int]]
    done: int = 0
    ids: list[int] = field(default_factory=list)
    known: Described | None = None

    def __post_init__(self) -> None:
        picture, session = self.annotation.picture, self.annotation.session
        self._shown = {number for some in self.examples.values() for number in some}
        self._slices: dict[Plane, tuple[Read, dict[int, CroppedMask]]] = {}
        for held in session.objects.values():
            masks = {at: one.mask for at, one in held.sections.items() if one.mask is not None}
            wanted = held.id in self._shown or not held.locked
            if masks and wanted:  # where most of it is seen
                plane = max(masks, key=lambda at: masks[at].area)
                read = picture.reader(plane)
                self._slices.setdefault(plane, (read, {}))[1][held.id] = masks[plane]
        self.total = sum(len(masks) for _, masks in self._slices.values())

    @property
    def planes(self) -> list[Plane]:
        """Where the objects are, which are read as a whole."""
        return list(self._slices)

    def pieces(self) -> Iterator[Piece]:
        """Yield what is to be done."""
        for read, masks in self._slices.values():
            yield partial(self._describe, read, masks)
        yield self._suggest

    def _describe(
        self,
        read: Read,
        masks: Mapping[int, CroppedMask],
        segmenter: StoredSegmenter,
        pause: Pause,
    ) -> _Comparison:
        contrast = self.annotation.planes.contrast.of(segmenter)
        some = self.reader.describe(segmenter, read(), list(masks.values()), contrast, pause)
        self.known = some if self.known is None else self.known.joined(some)
        self.ids += masks
        self.done += len(masks)
        return self

    def _suggest(self, segmenter: StoredSegmenter, pause: Pause) -> Suggested:
        """Return the class and its certainty of every object that is no example."""
        from napari_sam.inference.similar.rating import Classes

        assert self.known is not None  # there are examples
        place = {number: i for i, number in enumerate(self.ids)}
        given = {
            number: [place[one] for one in some if one in place]
            for number, some in self.examples.items()
        }
        classes = Classes.by_example(self.known, given)
        pairs = zip(classes.numbers.tolist(), classes.certainty.tolist(), strict=True)
        return {
            number: (class_id, min(certainty, 0.99))
            for number, (class_id, certainty) in zip(self.ids, pairs, strict=True)
            if number not in self._shown
        }
