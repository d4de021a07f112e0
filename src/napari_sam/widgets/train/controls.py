"""View of the tab Train: widgets, names, tooltips and order. No logic."""

from __future__ import annotations

from pathlib import Path

from napari.components import ViewerModel
from qtpy.QtCore import Qt
from qtpy.QtWidgets import (
    QFileDialog,
    QFrame,
    QLineEdit,
    QPushButton,
    QSizePolicy,
    QVBoxLayout,
    QWidget,
)

from napari_sam.training.plan import ABOUT, WHAT, Plan
from napari_sam.widgets.common.choices import Choice, Choices
from napari_sam.widgets.common.forms import (
    add_row,
    in_a_row,
    new_button,
    new_form,
    new_label,
)
from napari_sam.widgets.common.model_choice import ModelChoice
from napari_sam.widgets.common.status_area import StatusArea
from napari_sam.widgets.common.style import primary
from napari_sam.widgets.train.pairs import Pairs
from napari_sam.widgets.train.report import TrainReport
from napari_sam.widgets.train.wording import effort

__all__ = ["TrainControls"]

SOURCES = {"layers": "Open layers", "folder": "A folder of samples"}
STEPS = {100: "Short, 100 steps", 300: "Medium, 300 steps", 1000: "Long, 1000 steps"}
UNREAD = 24  # pictures that a folder is taken to hold for the estimate; more take no longer
NO_LAYERS = (
    "Add a picture and its labels: a few well-labelled objects are enough to begin with. "
    "Labels that you make in the Prompt tab are listed here, too."
)
NO_FOLDER = "Choose a folder of samples: each is a folder with an image and a labels file."

# Tips.
FROM = "Where the labelled pictures are"
PARTIAL = "Pixels without a label are then unknown, instead of surely background"
LENGTH = "It ends sooner when the model gets no better"
NAME = "What the new model is called in every list of models"

TABLE = (
    Choice("source", "&Learn from", FROM, entries=SOURCES),
    Choice("partial", "Not every object is labelled", PARTIAL, True),
    Choice("what", "&Train", "Which part of the model learns", entries=WHAT),
    Choice("length", "&How long", LENGTH, 300, entries=STEPS),
    Choice("name", "New &name", NAME, ""),
)


class TrainControls(QWidget):
    """All widgets of the training tab, top to bottom in the order of use.

    Parameters
    ----------
    viewer : ViewerModel
        Whose layers can be learned from.
    """

    def __init__(self, viewer: ViewerModel, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.choices = Choices(TABLE)
        self.name: QLineEdit = self.choices["name"].native
        self.pairs = Pairs(viewer)
        self.folder = QLineEdit()
        self.folder.setPlaceholderText("No folder chosen")
        self.folder.setAccessibleName("Folder of samples")
        self.folder.setToolTip(
            "At any depth below it, each sample is a folder with an image and a labels file "
            "(.tif or .png)"
        )
        self.browse = QPushButton("Choose…")
        self.browse.setAccessibleName("Choose the folder of samples")
        self.model = ModelChoice()
        self.model.setToolTip("The model that the new one is made from; it stays as it is")
        self.about = new_label("What is trained")
        self.effort = new_label("Time and memory")
        self.start = new_button("Start", "Train; the other tab can be used meanwhile")
        self.start.setStyleSheet(primary())
        self.anew = new_button("Start anew", "Forget the stopped run of this name and begin again")
        self.pause = new_button("Pause", "Hold the training, and go on later")
        self.stop = new_button("Stop", "End here; what has been learned is kept")
        self.save = new_button("Save as it is", "Make a model of the stopped run; it is over then")
        self.use = new_button("Use it now", "Choose the new model in the Prompt tab")
        self.summary = new_label("What is being trained")
        self.summary.setTextFormat(Qt.TextFormat.PlainText)
        self.area = StatusArea()
        self.status = self.area.status
        self.report = TrainReport()
        self._lay_out()
        self._explain()
        self.choices.changed.connect(self._explain)
        self.browse.clicked.connect(self._browse)

    @property
    def from_layers(self) -> bool:
        """True if the samples are layers, False for a folder."""
        return bool(self.choices["source"].value == "layers")

    @property
    def missing(self) -> str:
        """What a run still needs, as text; empty if nothing."""
        if self.from_layers:
            return "" if self.pairs.pairs else NO_LAYERS
        return "" if self.folder.text().strip() else NO_FOLDER

    @property
    def topic(self) -> str:
        """Name of the training data, for the default name of the model."""
        if not self.from_layers:
            return Path(self.folder.text()).name or "a folder"
        return self.pairs.pairs[0][0].name if self.pairs.pairs else "my pictures"

    @property
    def plan(self) -> Plan:
        """Parts of the model to train, and the number of steps."""
        return Plan(self.choices["what"].value, self.choices["length"].value)

    def show_effort(self) -> None:
        """Show the estimated time and memory of a run."""
        pictures = len(self.pairs.pairs) if self.from_layers else UNREAD
        text = effort(self.model.name, self.plan, max(pictures, 1))
        self.effort.setText(text)
        self.effort.setVisible(bool(text))

    def _explain(self) -> None:
        """Say what the chosen part of the model means; show the layers or the folder."""
        self.about.setText(ABOUT[self.choices["what"].value])
        self.pairs.setVisible(self.from_layers)
        self.files.setVisible(not self.from_layers)

    def _browse(self) -> None:
        answer = QFileDialog.getExistingDirectory(self, "A folder of samples")
        if answer:
            self.folder.setText(answer)

    def _lay_out(self) -> None:
        layout = QVBoxLayout(self)
        layout.setContentsMargins(6, 6, 6, 6)
        layout.setSpacing(8)
        self.files = QWidget()
        in_a_row(self.folder, self.browse, parent=self.files)
        self.asked = QFrame()
        form = new_form(self.asked)
        self.choices.add_to(form, "source")
        form.addRow(self.pairs)
        form.addRow(self.files)
        self.choices.add_to(form, "partial")
        add_row(form, "&Base model", self.model, self.model.list)
        self.choices.add_to(form, "what")
        form.addRow(self.about)
        self.choices.add_to(form, "length")
        form.addRow(self.effort)
        self.choices.add_to(form, "name")
        layout.addWidget(self.asked)
        layout.addWidget(self.summary)
        layout.addLayout(in_a_row(self.start, self.anew, self.pause, self.stop))
        layout.addWidget(self.area)
        layout.addLayout(in_a_row(self.use, self.save))
        layout.addWidget(self.report)
        layout.addStretch()
        for name in ("source", "what", "length"):
            box = self.choices[name].native
            box.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Fixed)
