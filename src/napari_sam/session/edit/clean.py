"""Clean-up of objects by rules of shape, as one undo step."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, replace

from napari_sam.inference.edit.clean import CleanSettings, PixelSize, clean_plane
from napari_sam.masks import CroppedMask, enclosing, grown, slices
from napari_sam.planes import Plane
from napari_sam.session.changes import Edit, Kind, SectionEdit
from napari_sam.session.session import Session

__all__ = ["CleanTask", "clean_tasks", "planes_of", "write_cleaned"]


@dataclass(frozen=True, eq=False)
class CleanTask:
    """Objects of one plane that are to be cleaned. Made by `clean_tasks`.

    Parameters
    ----------
    plane : Plane
        Where.
    masks : mapping of int to CroppedMask
        By object.
    others : CroppedMask or None
        Pixels of other objects, and of labels that are no objects, near these.
    settings : CleanSettings
        The rules.
    pixel : (height, width)
        Size of a pixel in the unit of the settings.
    """

    plane: Plane
    masks: Mapping[int, CroppedMask]
    others: CroppedMask | None
    settings: CleanSettings
    pixel: PixelSize

    def run(self) -> dict[int, CroppedMask]:
        """Return the new masks of those that change; in any thread."""
        return clean_plane(self.masks, self.settings, self.pixel, self.others)


def planes_of(session: Session, ids: Collection[int] | None = None) -> list[Plane]:
    """Return the planes on which unlocked objects lie; None: of all objects."""
    objects = session.objects
    numbers = objects if ids is None else [number for number in ids if number in objects]
    return list(
        dict.fromkeys(at for n in numbers if not objects[n].locked for at in objects[n].planes)
    )


def clean_tasks(
    session: Session,
    planes: Iterable[Plane],
    settings: CleanSettings,
    pixel: PixelSize = (1.0, 1.0),
    ids: Collection[int] | None = None,
) -> Iterator[CleanTask]:
    """Yield a task for each plane with objects to clean; locked ones are left out.

    Parameters
    ----------
    session : Session
        Whose objects.
    planes : iterable of Plane
        Where.
    settings : CleanSettings
        The rules.
    pixel : (height, width)
        Size of a pixel in the unit of the settings.
    ids : collection of int, optional
        Which objects; None: all.

    Raises
    ------
    InputError
        If a length is more than 1000 pixels.
    """
    margin = settings.margin(pixel)
    for plane in planes:
        masks = {
            number: mask
            for number, mask in session.objects.on(plane)
            if not session.objects[number].locked and (ids is None or number in ids)
        }
        if masks:
            others = _others(session, plane, masks, margin)
            yield CleanTask(plane, masks, others, settings, pixel)


def write_cleaned(
    session: Session, cleaned: Iterable[tuple[CleanTask, Mapping[int, CroppedMask]]]
) -> set[int]:
    """Write the new masks of tasks as one step, and return the objects that have changed.

    What was changed or locked since the task was made stays as it is.
    """
    edits: list[Edit] = []
    for task, masks in cleaned:
        for number, mask in masks.items():
            held = session.objects.get(number)
            section = None if held is None or held.locked else held.sections.get(task.plane)
            if section is not None and section.mask == task.masks[number]:
                after = replace(section, mask=mask)
                edits.append(SectionEdit(number, task.plane, section, after))
    session.edit(Kind.CLEANED, edits)
    return {edit.object_id for edit in edits}


def _others(
    session: Session, plane: Plane, masks: Mapping[int, CroppedMask], margin: int
) -> CroppedMask | None:
    """Return what is taken around these masks by anything else."""
    boxes = [mask.box for mask in masks.values()]
    shape = next(iter(masks.values())).shape
    window = grown(enclosing(*boxes), margin, shape)
    taken = session.objects.owners(plane, window) != 0
    labels = session.labels.read(plane)
    if labels is not None:
        taken |= labels[slices(window)] != 0
    for mask in masks.values():
        mask.mark(taken, window, False)
    return CroppedMask.of(taken, window[:2], shape)
