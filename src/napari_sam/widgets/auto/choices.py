"""Options of the tab Auto: their table, and the search settings made of them."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from qtpy.QtGui import QStandardItemModel
from qtpy.QtWidgets import QComboBox

from napari_sam.inference.automatic.linking import GAP
from napari_sam.inference.automatic.presets import Preset, presets
from napari_sam.inference.automatic.selection import Selection
from napari_sam.inference.automatic.settings import GridSettings, InstanceSettings
from napari_sam.inference.automatic.tiles import Tiling
from napari_sam.widgets.common.choices import Choice, Choices, Field
from napari_sam.widgets.search.measures import MEASURES, MeasureRow
from napari_sam.widgets.search.work import Ways

__all__ = ["AutoChoices"]

WAYS = {
    "instances": "All at once",
    "refined": "All at once, each asked about again",
    "points": "At many points (slower)",
}
SEEDS = {
    "adaptive": "At spots, then between what was found",
    "maxima": "At bright or dark spots",
    "distance": "Deep inside of what a threshold finds",
    "grid": "Evenly, on a grid",
}
CROPS = {0: "The picture as a whole", 1: "Also in 2 x 2 crops", 2: "Also in 4 x 4 crops"}
SAME = {"mask": "Their masks overlap", "box": "Their boxes overlap"}
ON_TOP = {"best": "Best quality on top", "smaller": "Smaller on top", "larger": "Larger on top"}
FLOOR = 0.0, 0.99
AS_IS = "As the model says"


# Tips.
WAY = "How everything is found; what the model in use does not know is off"
WAYS_ARE = {
    "instances": "Instances from dense maps of the whole picture (instance segmentation), seconds",
    "refined": "The same, then each instance prompts the mask decoder, by its box and its middle; "
    "edges may be better, some seconds more",
    "points": "Automatic mask generation: the model is asked at hundreds of points; any model can",
}
NO_DECODER = "The model in use has no instance decoder; cells_tiny and micro-sam's models have one"
FOREGROUND = "Foreground threshold: to the left also faint objects, and all are larger"
SPLIT = "Seed threshold of the watershed: to the right objects that touch are cut apart, faint go"
SMALLEST = "Diameter below which nothing is an object"
LARGEST = "Diameter above which nothing is an object"
DIAMETER = "Looks only at the scales that suit this diameter; by itself, at all of them"
KIND = "Sets the search density, the filters and who is on top, as a start"
GUESSED = " (guessed)"
OF_PICTURE = "guessed from the picture: choose another one where it is wrong"
POINTS = "Points per side of the grid; small objects need many, and time grows with their square"
MIN_SCORE = "Masks of less quality (predicted IoU) are never shown"
MIN_STABILITY = "Masks that depend more on the model's threshold (stability score) are never shown"
ASK = "Where the model is asked; in large pictures always on a grid"
LOOK_AT = "Crops are enlarged: for small objects in large pictures"
SAME_OBJECT = "When two masks are the same object; the better one is kept"
LINK = "Those that overlap from slice to slice become one object"
MISSED = "An object that is missed on so many slices goes on after them"
OVERLAP = "Who has the pixels where found objects overlap"
SURE = "Quality by the maps from which on an object needs no look"
CERTAIN = "Quality (predicted IoU) from which on an object needs no look"

DEFAULT = InstanceSettings()
TABLE = (
    Choice("way", "&Way", WAY, "refined" if DEFAULT.refine else "instances", entries=WAYS),
    Choice("points", "Search &density", POINTS, 32, limits=(1, 256), unit=" per side"),
    Choice("min_score", "Min &quality", MIN_SCORE, 0.0, limits=FLOOR, lowest=AS_IS),
    Choice("min_stability", "Min s&tability", MIN_STABILITY, 0.0, limits=FLOOR, lowest=AS_IS),
    Choice("seeds", "&Ask", ASK, entries=SEEDS),
    Choice("crops", "&Look at", LOOK_AT, entries=CROPS),
    Choice("same", "&Same object", SAME_OBJECT, entries=SAME),
    Choice("link", "Link objects through the stack", LINK, True),
    Choice("gap", "Ga&p", MISSED, GAP, limits=(0, 9), unit=" slices"),
    Choice("faint", "Show faintly what is left out", "", True),
    Choice("no_edge", "Leave out those at the edge of the picture", "", False),
    Choice("on_top", "&Overlap", OVERLAP, entries=ON_TOP),
    Choice("certain", "&Certain from", CERTAIN, 0.0, slider=True),
    Choice("sure", "&Certain from", SURE, 0.5, slider=True),
)


PIXELS = " pixels"
WIDEST = 9_999
TUNING = (
    Choice("foreground", "&Faint … sure", FOREGROUND, DEFAULT.foreground, slider=True),
    Choice("split", "&Join … cut", SPLIT, DEFAULT.split, slider=True),
    Choice("smallest", "S&mallest", SMALLEST, 0, limits=(0, WIDEST), unit=PIXELS, lowest="Any"),
    Choice("largest", "Lar&gest", LARGEST, 0, limits=(0, WIDEST), unit=PIXELS, lowest="Any"),
    Choice(
        "diameter", "&Usual size", DIAMETER, 0, limits=(0, WIDEST), unit=PIXELS, lowest="By itself"
    ),
)


class AutoChoices(Choices):
    """Options of the tab, and the range of each measure by which proposals are filtered.

    Attributes
    ----------
    tuning : Choices
        How instances are made of the maps: these belong to a picture, too.
    ranges : dict of str to MeasureRow
        These, which belong to a picture and are not remembered.
    """

    def __init__(self) -> None:
        kinds = presets()
        titles = {name: preset.title for name, preset in kinds.items()}
        about = {name: preset.about for name, preset in kinds.items()}
        kind = Choice("preset", "&Kind", KIND, entries=titles, tips=about)
        self._wanted: Any = TABLE[0].default  # the way, also while the model does not know it
        self._has_instances = True
        super().__init__((kind, *TABLE), "auto")
        self.changed.connect(self._take_way)  # before all others, who read it
        self.tuning = Choices(TUNING)
        self.ranges = {measure.name: MeasureRow(measure) for measure in MEASURES}
        self.recall()  # the preset, under which the others are set again
        self._put_preset()
        self.recall()
        # A preset that is chosen again sets everything again, which `changed` does not tell of.
        self["preset"].native.activated.connect(self._take_preset)

    @property
    def preset(self) -> Preset:
        """The selected preset (kind of image)."""
        return presets()[self["preset"].value]

    @property
    def values(self) -> dict[str, Any]:
        """The current values, by name; of the way the one that is wanted."""
        return super().values | {"way": self._wanted}

    @property
    def at_points(self) -> bool:
        """Whether the model is asked at points."""
        return bool(self["way"].value == "points")

    @property
    def certain(self) -> Field:
        """Of the scores of this way, the one from which on an object needs no look."""
        return self["sure" if self["way"].value == "instances" else "certain"]

    @property
    def instances(self) -> InstanceSettings:
        """How instances are made of the maps; diameters are those of discs."""
        chosen = self.tuning.values
        smallest, largest = (math.pi / 4 * chosen[name] ** 2 for name in ("smallest", "largest"))
        return replace(
            DEFAULT,
            refine=self["way"].value == "refined",
            foreground=chosen["foreground"],
            split=chosen["split"],
            quality=self["min_score"].value or DEFAULT.quality,
            smallest=smallest,
            largest=max(largest, smallest) or math.inf,
            diameter=chosen["diameter"] or None,
        )

    def put(self, values: Mapping[str, object]) -> None:
        """Set values without signals; skip values that a widget rejects (other versions)."""
        if values.get("way") in WAYS:
            self._wanted = values["way"]
            values = {**values, "way": self._wanted if self._has_instances else "points"}
        super().put(values)

    def allow_instances(self, has_instances: bool | None) -> None:
        """Offer the ways that a model knows; None: not known yet, then all, and nothing is changed.

        Where it does not know the way that is wanted, the points are set until one does.
        """
        box, can = self["way"], has_instances is not False
        for place, name in enumerate(WAYS):
            usable, tip = can or name == "points", WAYS_ARE[name]
            _enable_entry(box.native, place, usable, tip if usable else NO_DECODER)
        if has_instances is None:
            return
        self._has_instances = has_instances
        was = self.at_points
        with box.changed.blocked():
            box.value = self._wanted if can else "points"
        if was != self.at_points:
            self._put_ranges()

    def ways_for(self, shape: tuple[int, int], at: bool) -> Ways:
        """Return how a plane (H, W) is searched; `at`: at points of one's own."""
        instances = None if self.at_points or at else self.instances
        return Ways(self.grid_for(shape), instances)

    def grid_for(self, shape: tuple[int, int]) -> GridSettings:
        """Return the grid settings for a plane (H, W); a tiled search uses a grid without crops."""
        chosen, large = self.values, Tiling().cuts(shape)
        return replace(
            self.preset.grid,
            seeds="grid" if large else chosen["seeds"],
            points_per_side=chosen["points"],
            min_score=chosen["min_score"] or None,
            min_stability=chosen["min_stability"] or None,
            crop_layers=0 if large else chosen["crops"],
            overlap=chosen["same"],
        )

    @property
    def selection(self) -> Selection:
        """The filter of proposals, and the overlap rule."""
        ranges = {name: row.range for name, row in self.ranges.items()}
        return Selection(**ranges, no_edge=self["no_edge"].value, overlap=self["on_top"].value)

    def take_kind(self, name: str) -> None:
        """Set a kind and all that it says; nothing if it is set already."""
        if name != self["preset"].value:
            self.put({"preset": name})
            self._put_preset()

    def mark_guessed(self, guessed: bool) -> None:
        """Say behind the kind that it was guessed, or do not."""
        box = self["preset"].native
        for place, (name, preset) in enumerate(presets().items()):
            mark = guessed and name == self["preset"].value
            box.setItemText(place, preset.title + GUESSED * mark)
        box.setToolTip(f"{KIND}; {OF_PICTURE}" if guessed else KIND)

    def _take_preset(self) -> None:
        self._put_preset()
        self.remember()
        self.changed.emit("preset")

    def _put_preset(self) -> None:
        """Set everything as the preset says."""
        preset = self.preset
        grid, selection = preset.grid, preset.selection
        self.put(
            {
                "points": grid.points_per_side,
                "min_score": grid.min_score or 0.0,
                "min_stability": grid.min_stability or 0.0,
                "seeds": grid.seeds,
                "crops": grid.crop_layers,
                "same": grid.overlap,
                "no_edge": selection.no_edge,
                "on_top": selection.overlap,
                "certain": preset.certain,
            }
        )
        self._put_ranges()

    def _take_way(self, name: str) -> None:
        """Take over the way that was chosen by hand."""
        if name != "way":
            return
        points = self._wanted == "points"
        self._wanted = self["way"].value
        if points != self.at_points:
            self._put_ranges()

    def _put_ranges(self) -> None:
        """Set the filters: those of a kind of picture are for the scores of masks at points."""
        selection = self.preset.selection if self.at_points else Selection()
        for name, row in self.ranges.items():
            row.set_range(getattr(selection, name))


def _enable_entry(box: QComboBox, place: int, usable: bool, tip: str) -> None:
    """Let an entry of a list be chosen, or grey it out; say why."""
    model = box.model()
    assert isinstance(model, QStandardItemModel)
    entry = model.item(place)
    assert entry is not None
    entry.setEnabled(usable)
    entry.setToolTip(tip)
