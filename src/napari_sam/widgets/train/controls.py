"""What the training tab looks like: its widgets, their names, hints and order. No logic."""

from __future__ import annotations

from napari.components import ViewerModel
from qtpy.QtCore import Qt
from qtpy.QtWidgets import (
    QCheckBox,
    QComboBox,
    QFrame,
    QLineEdit,
    QPushButton,
    QSizePolicy,
    QVBoxLayout,
    QWidget,
)

from napari_sam.training.plan import ABOUT, WHAT
from napari_sam.widgets.common.forms import (
    add_row,
    in_a_row,
    new_button,
    new_form,
    new_label,
    new_status,
)
from napari_sam.widgets.common.model_choice import ModelChoice
from napari_sam.widgets.train.outcome import TrainOutcome
from napari_sam.widgets.train.pairs import Pairs

__all__ = ["TrainControls"]

STEPS = {"Short": 100, "Medium": 300, "Long": 1000}
LAYERS, FOLDER = "Open layers", "A folder of samples"


class TrainControls(QWidget):
    """All widgets of the training tab, top to bottom in the order of use.

    Parameters
    ----------
    viewer : ViewerModel
        Whose layers can be learned from.
    """

    def __init__(self, viewer: ViewerModel, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.source = QComboBox()
        self.source.addItems([LAYERS, FOLDER])
        self.source.setToolTip("Where the labelled pictures are")
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
        self.partial = QCheckBox("Not every object is labelled")
        self.partial.setChecked(True)
        self.partial.setToolTip(
            "Pixels without a label are then unknown, instead of surely background"
        )
        self.model = ModelChoice()
        self.model.setToolTip("The model that the new one is made from; it stays as it is")
        self.what = QComboBox()
        for key, text in WHAT.items():
            self.what.addItem(text, key)
        self.what.setToolTip("Which part of the model learns")
        self.about = new_label("What is trained")
        self.length = QComboBox()
        for text, steps in STEPS.items():
            self.length.addItem(f"{text}, {steps} steps", steps)
        self.length.setCurrentIndex(1)
        self.length.setToolTip("It ends sooner when the model gets no better")
        self.effort = new_label("Time and memory")
        self.name = QLineEdit()
        self.name.setToolTip("What the new model is called in every list of models")
        self.start = new_button("Start", "Train; the other tab can be used meanwhile")
        self.start.setStyleSheet("QPushButton:enabled { font-weight: bold; }")
        self.anew = new_button("Start anew", "Forget the stopped run of this name and begin again")
        self.pause = new_button("Pause", "Hold the training, and go on later")
        self.stop = new_button("Stop", "End here; what has been learned is kept")
        self.save = new_button("Save as it is", "Make a model of the stopped run; it is over then")
        self.use = new_button("Use it now", "Choose the new model in the Prompt tab")
        self.summary = new_label("What is being trained")
        self.summary.setTextFormat(Qt.TextFormat.PlainText)
        self.status = new_status()
        self.outcome = TrainOutcome()
        self._lay_out()
        self.explain()
        self.show_source()
        self.what.currentIndexChanged.connect(self.explain)
        self.source.currentIndexChanged.connect(self.show_source)

    def explain(self) -> None:
        """Say what the chosen part of the model means."""
        self.about.setText(ABOUT[self.what.currentData()])

    def show_source(self) -> None:
        """Show the layers or the folder."""
        layers = self.from_layers
        self.pairs.setVisible(layers)
        self.files.setVisible(not layers)

    @property
    def from_layers(self) -> bool:
        """Whether the pictures are layers, not files."""
        return self.source.currentText() == LAYERS

    def _lay_out(self) -> None:
        layout = QVBoxLayout(self)
        layout.setContentsMargins(6, 6, 6, 6)
        layout.setSpacing(8)
        self.files = QWidget()
        in_a_row(self.folder, self.browse, parent=self.files)
        self.choices = QFrame()
        form = new_form(self.choices)
        add_row(form, "&Learn from", self.source)
        form.addRow(self.pairs)
        form.addRow(self.files)
        form.addRow(self.partial)
        add_row(form, "&Base model", self.model, self.model.list)
        add_row(form, "&Train", self.what)
        form.addRow(self.about)
        add_row(form, "&How long", self.length)
        form.addRow(self.effort)
        add_row(form, "New &name", self.name)
        layout.addWidget(self.choices)
        layout.addWidget(self.summary)
        layout.addLayout(in_a_row(self.start, self.anew, self.pause, self.stop))
        layout.addWidget(self.status)
        layout.addLayout(in_a_row(self.use, self.save))
        layout.addWidget(self.outcome)
        layout.addStretch()
        for box in (self.source, self.what, self.length):
            box.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Fixed)
