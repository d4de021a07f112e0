"""Settings of automatic mask generation. Loads no torch."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from napari_sam.errors import InputError

__all__ = ["SEEDS", "GridSettings", "InstanceSettings", "SearchSettings", "best_settings", "way_of"]

SEEDS = ("adaptive", "maxima", "distance", "grid")


@dataclass(frozen=True)
class GridSettings:
    """Settings of automatic mask generation (Kirillov et al. 2023, appendix B).

    Parameters
    ----------
    seeds : {"adaptive", "maxima", "distance", "grid"}
        Where the model is asked. Maxima: where the picture, blurred to the size of its objects, is
        brighter (or darker) than around. Adaptive: there, then on a grid half as fine wherever
        nothing was found. Distance: at the deepest points of what Otsu's threshold takes for
        objects. Or on a grid.
    points_per_side : int
        A grid of so many points squared; cost grows in proportion to their number. Other seeds
        are as many at most, adaptive ones a quarter more.
    min_score, min_stability : float, optional
        Floors of predicted IoU and stability: what lies below is never kept. None takes those of
        the model.
    stability_offset : float
        By how much the logit's threshold goes up and down to measure the stability.
    crop_layers : int
        Search also crops of the picture, each enlarged to the model's frame: 2 x 2 of them in the
        first layer, 4 x 4 in the second. Worth it for objects that are small in the picture.
    crop_overlap : float
        Of neighbouring crops, as a share of the picture's shorter side.
    point_downscale : int
        The grid of each layer is so much coarser than that of the one before.
    overlap : {"mask", "box"}
        Two proposals are the same object if their masks, or only their boxes, overlap.
    max_overlap : float
        IoU above which two are the same; the better score stays.
    largest : float, optional
        Masks of this share of the picture or more are background; None keeps them.
    clean : float
        Holes below this share of the object's area are filled, islands below it dropped; from 1
        on it is a number of pixels, 0 leaves masks as they are.

    Raises
    ------
    InputError
        If a value makes no sense.

    Examples
    --------
    >>> GridSettings().overlap, GridSettings.reference().overlap
    ('mask', 'box')
    """

    seeds: Literal["adaptive", "maxima", "distance", "grid"] = "adaptive"
    points_per_side: int = 32
    min_score: float | None = None
    min_stability: float | None = None
    stability_offset: float = 1.0
    crop_layers: int = 0
    crop_overlap: float = 512 / 1500
    point_downscale: int = 1
    overlap: Literal["mask", "box"] = "mask"
    max_overlap: float = 0.7
    largest: float | None = 0.95
    clean: float = 0.1

    def __post_init__(self) -> None:
        if self.seeds not in SEEDS:
            raise InputError(f"seeds must be one of {', '.join(SEEDS)}; got {self.seeds!r}")
        if self.overlap not in ("mask", "box"):
            raise InputError(f"overlap must be 'mask' or 'box'; got {self.overlap!r}")
        for name in ("points_per_side", "point_downscale"):
            if getattr(self, name) < 1:
                raise InputError(f"{name} must be at least 1; got {getattr(self, name)}")
        for name in ("crop_layers", "stability_offset", "clean"):
            if getattr(self, name) < 0:
                raise InputError(f"{name} must not be negative; got {getattr(self, name)}")
        for name in ("crop_overlap", "max_overlap"):
            if not 0 <= getattr(self, name) <= 1:
                raise InputError(f"{name} must be between 0 and 1; got {getattr(self, name)}")

    @classmethod
    def reference(cls) -> GridSettings:
        """Return the settings of SAM's own generator: a grid, box overlap, nothing cleaned."""
        return cls(seeds="grid", overlap="box", largest=None, clean=0)


@dataclass(frozen=True)
class InstanceSettings:
    """Settings of instances from the maps of an instance decoder.

    Parameters
    ----------
    refine : bool
        Ask the mask decoder about each instance, and take its answer where it agrees.
    foreground : float
        Probability from which a pixel belongs to an object. Lower finds fainter ones and makes
        all larger.
    split : float
        Height (depth, lowered where a rim is predicted) from which a place is an object of its
        own. Higher cuts objects that touch, and loses the faint.
    quality : float
        Floor of what the maps say of an instance, 0 to 1.
    smallest, largest : float
        Area in pixels that is kept.
    diameter : float, optional
        Usual diameter of the objects in pixels: only the scales nearest to it are looked at. None
        takes of all scales what fits best.

    Raises
    ------
    InputError
        If a value makes no sense.

    Examples
    --------
    >>> settings = InstanceSettings(smallest=50, diameter=12)
    >>> settings.fits(100), settings.fits(20)
    (True, False)
    """

    refine: bool = False
    foreground: float = 0.5
    split: float = 0.45
    quality: float = 0.35
    smallest: float = 0
    largest: float = float("inf")
    diameter: float | None = None

    def __post_init__(self) -> None:
        for name in ("foreground", "split", "quality"):
            if not 0 <= getattr(self, name) <= 1:
                raise InputError(f"{name} must be between 0 and 1; got {getattr(self, name)}")
        if not 0 <= self.smallest <= self.largest:
            raise InputError(
                f"the smallest area must be at least 0 and at most the largest; got "
                f"{self.smallest} and {self.largest}"
            )
        if self.diameter is not None and not self.diameter > 0:
            raise InputError(f"the diameter must be above 0 pixels; got {self.diameter}")

    def fits(self, area: float) -> bool:
        """Return whether an area in pixels is kept."""
        return self.smallest <= area <= self.largest


SearchSettings = GridSettings | InstanceSettings
"""Of either way to find everything in a picture."""


def best_settings(has_decoder: bool) -> SearchSettings:
    """Return the settings of the best way: instances with an instance decoder, else points."""
    return InstanceSettings() if has_decoder else GridSettings()


def way_of(settings: SearchSettings) -> str:
    """Return the name of the way: ``"instances"``, ``"refined"`` or ``"points"``.

    Examples
    --------
    >>> way_of(GridSettings()), way_of(InstanceSettings(refine=True))
    ('points', 'refined')
    """
    if isinstance(settings, GridSettings):
        return "points"
    return "refined" if settings.refine else "instances"
