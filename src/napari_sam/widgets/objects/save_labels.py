"""Buttons that save or measure the labels to a file in a background thread."""

from __future__ import annotations

import re
from collections.abc import Mapping
from concurrent.futures import Future
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from napari.components import ViewerModel
from napari.layers import Image, Labels
from qtpy.QtCore import QObject, Signal
from qtpy.QtWidgets import QFileDialog, QMessageBox

from napari_sam.arrays import is_held
from napari_sam.io.export import write_objects
from napari_sam.io.labels import check_output
from napari_sam.io.spacing import Spacing
from napari_sam.widgets.jobs.background import Background
from napari_sam.widgets.layers.channel_mix import finest
from napari_sam.widgets.layers.image_stack import ImageStack
from napari_sam.widgets.layers.transform import transform_of
from napari_sam.widgets.objects.footer import Footer

if TYPE_CHECKING:
    from napari_sam.session.session import Session
    from napari_sam.widgets.annotation.annotation import Annotation

__all__ = ["LabelSaver"]

FILTERS = {
    "OME-TIFF (*.ome.tif)": ".ome.tif",
    "OME-Zarr (*.ome.zarr)": ".ome.zarr",
    "TIFF for ImageJ (*.tif)": ".tif",
    "ROIs for ImageJ (*.zip)": ".zip",
    "GeoJSON for QuPath (*.geojson)": ".geojson",
    "COCO (*.json)": ".json",
}
TABLE = {"Measurements (*.csv)": ".csv"}
OME = (".tif", ".tiff", ".zarr")  # which may have ".ome" before them
ENDINGS = (".tif", ".tiff", ".zarr", ".zip", ".geojson", ".json", ".csv")
DEPTH = (
    "\nMeasured as slices in depth, because nobody has said what they are. If they are time "
    "points, say so under Options, Stack of, and measure again."
)
NOTHING = "There is nothing to save or measure yet: accept a mask first."


class LabelSaver(QObject):
    """Asks for a file name, and saves a snapshot of the labels.

    Parameters
    ----------
    viewer : ViewerModel
        Whose pictures are never replaced.
    footer : Footer
        Its buttons ask for it.
    """

    said = Signal(str)

    def __init__(
        self,
        viewer: ViewerModel,
        footer: Footer,
        parent: QObject | None = None,
    ) -> None:
        super().__init__(parent)
        self._viewer = viewer
        self._footer = footer
        self._annotation: Annotation | None = None
        self._background = Background("labels", self)
        footer.save.clicked.connect(lambda: self.ask())
        footer.measure.clicked.connect(lambda: self.ask("Measure objects", TABLE))

    @property
    def busy(self) -> bool:
        """True while labels are being written."""
        return not self._footer.save.isEnabled()

    def follow(self, annotation: Annotation | None) -> None:
        """Save labels and classes of this annotation; intensities are measured in its image."""
        self._annotation = annotation

    def ask(self, title: str = "Save labels", filters: Mapping[str, str] = FILTERS) -> None:
        """Ask for the name of a file of these kinds, and write it."""
        annotation = self._annotation
        if annotation is None or annotation.target is None:
            self.said.emit(NOTHING)
            return
        name = re.sub(r"\.ome\b", "", annotation.target.name)  # of the picture's file
        name = re.sub(r"[^\w. -]", "_", name)
        start = str(self._folder() / f"{name}{next(iter(filters.values()))}")
        path, kind = QFileDialog.getSaveFileName(self._footer, title, start, ";;".join(filters))
        if not path:
            return
        known = Path(path).suffix.lower() in ENDINGS
        there = _without_ome(Path(path if known else path + filters[kind]))
        asked = there == Path(path)  # by the dialog
        if asked or not there.exists() or self._replaces(there):
            self.save(annotation, annotation.target, there)

    def save(self, annotation: Annotation, layer: Labels, path: Path) -> None:
        """Start to write the labels of a layer; `said` reports the result."""
        data = finest(layer)
        picture = annotation.picture
        spacing = _spacing(layer, picture)
        pictures = self._pictures()
        classes, image = _classes(annotation.session), picture.data
        certainty = _certainty(annotation.session)
        channels = picture.channel_axis
        measured = path.suffix.lower() == ".csv"
        note = DEPTH if measured and picture.axes.unnamed else ""

        def work() -> Path:
            check_output(path, *pictures)
            if not is_held(data) and channels in (None, 0):
                seen = image if measured else None
                write_objects(path, data, spacing, classes=classes, image=seen)
                return path
            copy = np.array(data)  # somebody goes on annotating
            pixels, about = np.asarray(image) if measured else None, spacing
            if pixels is not None and channels is not None:
                pixels = np.moveaxis(pixels, channels, -1)
                if channels and copy.ndim == pixels.ndim:  # one entry stands for all channels
                    kept = [axis for axis in range(copy.ndim) if axis != channels]
                    copy, about = copy.take(0, channels), spacing.taken(kept)
            write_objects(path, copy, about, classes=classes, certainty=certainty, image=pixels)
            return path

        self._allow(False)
        self.said.emit(f"{'Measuring the objects' if measured else 'Saving the labels'}: {path}…")
        self._background.submit(work, partial(self._take, measured, note))

    def close(self) -> None:
        """Emit no further signal; a running write finishes."""
        self._background.close(finish=True)

    def _replaces(self, path: Path) -> bool:
        answer = QMessageBox.question(
            self._footer, "Save labels", f"{path.name} already exists. Do you want to replace it?"
        )
        return bool(answer == QMessageBox.StandardButton.Yes)

    def _allow(self, on: bool) -> None:
        for button in (self._footer.save, self._footer.measure):
            button.setEnabled(on)

    def _take(self, measured: bool, note: str, future: Future[Path]) -> None:
        self._allow(True)
        what = "objects are measured" if measured else "labels are saved"
        error = future.exception()
        if error is None:
            self.said.emit(f"The {what}: {future.result()}{note}")
        else:
            what, why = what.replace("are", "were not"), error or type(error).__name__
            self.said.emit(f"⚠ The {what}: {why}. The labels are unchanged; try again.")

    def _pictures(self) -> list[Path]:
        sources = (x.source.path for x in self._viewer.layers if isinstance(x, Image))
        return [Path(source) for source in sources if source]

    def _folder(self) -> Path:
        return next((path.parent for path in self._pictures() if path.parent.is_dir()), Path.home())


def _spacing(layer: Labels, picture: ImageStack) -> Spacing:
    """Return the spacing of labels; what they do not say is as in the picture, or its file."""
    own = Spacing.of(layer.ndim, transform_of(layer))
    if layer.ndim != picture.ndim:  # it has got other axes since
        return own
    known = picture.axes.spacing
    return replace(own.completed(known), names=known.names)


def _without_ome(path: Path) -> Path:
    """Return a path without the ".ome" that Qt or a picture's name leaves before other endings."""
    if path.suffix.lower() in OME or not path.stem.lower().endswith(".ome"):
        return path
    return path.with_name(path.stem[: -len(".ome")] + path.suffix)


def _classes(session: Session) -> dict[int, str]:
    """Return the class's name of each number in the labels."""
    if session.semantic:
        return dict(session.classes)
    return {
        held.id: session.classes.get(held.class_id, str(held.class_id))
        for held in session.objects.values()
    }


def _certainty(session: Session) -> dict[int, float]:
    """Return how certain the class of each object is, of those of which it is known."""
    if session.semantic:
        return {}
    return {
        held.id: held.certainty for held in session.objects.values() if held.certainty is not None
    }
