"""JSON encoding and decoding of records and objects; masks go through a `MaskStore`."""

from __future__ import annotations

import base64
import math
import zlib
from collections.abc import Iterable, Sequence
from typing import Protocol, TypeVar

from napari_sam.masks import CroppedMask
from napari_sam.session.changes import Change, Edit, Kind, LabelScheme, SectionEdit, TraitsEdit
from napari_sam.session.disk.validate import JsonValue, finite, of, plane, whole
from napari_sam.session.draft import Draft
from napari_sam.session.effort.tally import Tally
from napari_sam.session.objects import Origin, Section, Source, Status, Traits
from napari_sam.session.records import (
    Adopted,
    Configured,
    Done,
    Grown,
    Record,
    Redone,
    Undone,
    Viewed,
)

__all__ = ["Codec", "InlineMasks", "MaskStore", "read_tally", "tally_json"]

T = TypeVar("T")


class MaskStore(Protocol):
    """Protocol of a storage for the packed bits of masks."""

    def put(self, bits: bytes) -> JsonValue:
        """Store the bits and return a JSON key to them."""

    def get(self, key: JsonValue, length: int) -> bytes:
        """Return the `length` bytes of a key; raise a ValueError if they are not there."""


class InlineMasks:
    """Mask store that embeds the bits in the JSON, compressed with zlib, as base64 text."""

    def put(self, bits: bytes) -> JsonValue:
        """Return the bits as compressed base64 text."""
        return base64.b64encode(zlib.compress(bits, 1)).decode()

    def get(self, key: JsonValue, length: int) -> bytes:
        """Return the bits of a compressed base64 text."""
        packed = zlib.decompressobj()
        bits = packed.decompress(base64.b64decode(key), length + 1)
        if len(bits) != length or not packed.eof:
            raise ValueError(f"a mask of another size than the {length} bytes that it should have")
        return bits


class Codec:
    """Encoder and decoder of session data as JSON. Seeds of drafts are left out.

    Parameters
    ----------
    masks : MaskStore
        Where the bits of masks go.
    """

    def __init__(self, masks: MaskStore) -> None:
        self._masks = masks

    def record(self, record: Record) -> JsonValue:
        """Return a record as JSON."""
        match record:
            case Done(change):
                return {"do": self.change(change)}
            case Undone(number):
                return {"undo": number or True}
            case Redone(number):
                return {"redo": number or True}
            case Grown(number, edits):
                return {"grow": number, "edits": self.edits(edits)}
            case Adopted(edits):
                return {"adopt": self.edits(edits)}
            case Configured(scheme):
                return _scheme(scheme)
            case Viewed(view):
                return {"view": dict(view)}

    def read_record(self, value: JsonValue) -> Record:
        """Return a record decoded from JSON; the inverse of `record`."""
        match value:
            case {"do": change}:
                return Done(self.read_change(change))
            case {"undo": number}:
                return Undone(None if number is True else whole(number, 1))
            case {"redo": number}:
                return Redone(None if number is True else whole(number, 1))
            case {"grow": number, "edits": edits}:
                return Grown(whole(number, 1), self._read_edits(edits))
            case {"adopt": edits}:
                return Adopted(self._read_edits(edits))
            case {"semantic": _}:
                return Configured(_read_scheme(value))
            case {"view": dict(view)}:
                return Viewed(view)
        raise ValueError("a record of an unknown kind")

    def change(self, change: Change) -> JsonValue:
        """Return a change as JSON."""
        value = {
            "number": change.number,
            "kind": change.kind.name,
            "before": self.draft(change.before),
            "after": self.draft(change.after),
            "edits": self.edits(change.edits),
        }
        if change.schemes is not None:
            value["settings"] = [_scheme(scheme) for scheme in change.schemes]
        return value

    def read_change(self, value: JsonValue) -> Change:
        """Return a change decoded from JSON; the inverse of `change`."""
        schemes = value.get("settings")
        return Change(
            whole(value["number"], 1),
            Kind[value["kind"]],
            self.read_draft(value["before"]),
            self.read_draft(value["after"]),
            self._read_edits(value["edits"]),
            schemes and (_read_scheme(schemes[0]), _read_scheme(schemes[1])),
        )

    def edits(self, edits: Sequence[Edit]) -> JsonValue:
        """Return edits as JSON."""
        return [
            {
                "id": edit.object_id,
                "plane": edit.plane,
                "before": self._section(edit.before),
                "after": self._section(edit.after),
            }
            if isinstance(edit, SectionEdit)
            else {
                "id": edit.object_id,
                "traits_before": self.traits(edit.before),
                "traits_after": self.traits(edit.after),
            }
            for edit in edits
        ]

    def _read_edits(self, value: JsonValue) -> tuple[Edit, ...]:
        return tuple(
            SectionEdit(
                whole(edit["id"], 1),
                plane(edit["plane"]),
                self._read_section(edit["before"]),
                self._read_section(edit["after"]),
            )
            if "plane" in edit
            else TraitsEdit(
                whole(edit["id"], 1),
                _read_traits(edit["traits_before"]),
                _read_traits(edit["traits_after"]),
            )
            for edit in value
        )

    def traits(self, traits: Traits | None) -> JsonValue:
        """Return traits as JSON."""
        if traits is None:
            return None
        known = {
            "class": traits.class_id,
            "locked": traits.locked,
            "parent": traits.parent,
            "certainty": traits.certainty,
        }
        return {key: value for key, value in known.items() if value is not None}

    def _section(self, section: Section | None) -> JsonValue:
        return (
            None
            if section is None
            else {
                "mask": self._mask(section.mask),
                "score": section.score,
                "source": section.origin.source.value,
                "from_plane": section.origin.plane,
                "status": section.status.value,
                "prompts": None if section.prompts is None else self.draft(section.prompts),
            }
        )

    def _read_section(self, value: JsonValue) -> Section | None:
        if value is None:
            return None
        start, score = value["from_plane"], value["score"]
        return Section(
            self._read_mask(value["mask"]),
            score if type(score) is float and math.isfinite(score) else None,
            Origin(Source(value["source"]), None if start is None else plane(start)),
            Status(value["status"]),
            None if value["prompts"] is None else self.read_draft(value["prompts"]),
        )

    def draft(self, draft: Draft) -> JsonValue:
        """Return a draft as JSON, without the fields that have their default value."""
        value = {
            "plane": draft.plane,
            "points": draft.points,
            "labels": draft.labels,
            "box": draft.box,
            "mask": self._mask(draft.mask),
            "choice": draft.choice,
            "object": draft.object_id,
            "held": self._mask(draft.held),
            "touched": draft.touched,
        }
        return {key: held for key, held in value.items() if held not in (None, (), 0)}

    def read_draft(self, value: JsonValue) -> Draft:
        """Return a draft decoded from JSON; the inverse of `draft`."""
        box, at = value.get("box"), value.get("plane", ())
        points = tuple((finite(row), finite(column)) for row, column in value.get("points", ()))
        labels = tuple(whole(label) for label in value.get("labels", ()))
        if len(labels) != len(points) or not {0, 1}.issuperset(labels):
            raise ValueError("there is not one label, 0 or 1, for each point")
        if not at and not {"points", "box", "mask", "held"}.isdisjoint(value):
            raise ValueError("something is drawn on no plane")
        return Draft(
            plane(at) if at else (),
            points,
            labels,
            None if box is None else _four(finite(at) for at in box),
            self._read_mask(value.get("mask")),
            None,
            whole(value.get("choice", 0)),
            None if value.get("object") is None else whole(value["object"], 1),
            self._read_mask(value.get("held")),
            of(bool, value.get("touched", False)),
        )

    def _mask(self, mask: CroppedMask | None) -> JsonValue:
        return (
            None
            if mask is None
            else {
                "shape": mask.shape,
                "window": mask.box,
                "bits": self._masks.put(mask.bits),
            }
        )

    def _read_mask(self, value: JsonValue) -> CroppedMask | None:
        if value is None:
            return None
        height, width = (whole(n, 1) for n in value["shape"])
        r0, c0, r1, c1 = _four(whole(at) for at in value["window"])
        if not (r0 < r1 <= height and c0 < c1 <= width):
            raise ValueError("a mask that does not lie in its plane")
        bits = self._masks.get(value["bits"], ((r1 - r0) * (c1 - c0) + 7) // 8)
        mask = CroppedMask((height, width), (r0, c0, r1, c1), bits)
        if not mask.is_tight:
            raise ValueError("a mask that is smaller than it says")
        return mask


def tally_json(tally: Tally) -> JsonValue:
    """Return a tally as JSON."""
    remade = {str(n): [source.value for source in some] for n, some in tally.remade.items()}
    return {**vars(tally), "remade": remade}


def read_tally(value: JsonValue) -> Tally:
    """Return a tally decoded from JSON; the inverse of `tally_json`."""
    remade = {int(n): [Source(one) for one in some] for n, some in value["remade"].items()}
    return Tally(
        finite(value["seconds"]),
        whole(value["untimed"]),
        whole(value["prompts"]),
        whole(value["corrections"]),
        whole(value["undone"]),
        [of(str, name) for name in of(list, value["models"])],
        remade,
    )


def _read_traits(value: JsonValue) -> Traits | None:
    if value is None:
        return None
    parent, certainty = value.get("parent"), value.get("certainty")
    return Traits(
        whole(value["class"], 1),
        of(bool, value["locked"]),
        None if parent is None else whole(parent, 1),
        None if certainty is None else finite(certainty),
    )


def _scheme(scheme: LabelScheme) -> JsonValue:
    names = {str(number): name for number, name in scheme.classes.items()}
    return {"semantic": scheme.semantic, "classes": names, "new_class": scheme.new_class}


def _read_scheme(value: JsonValue) -> LabelScheme:
    classes = {whole(int(n), 1): of(str, name) for n, name in value["classes"].items()}
    return LabelScheme(of(bool, value["semantic"]), classes, whole(value["new_class"], 1))


def _four(numbers: Iterable[T]) -> tuple[T, T, T, T]:
    a, b, c, d = numbers
    return a, b, c, d
