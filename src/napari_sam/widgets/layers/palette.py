"""Label colours chosen in CIELAB: light, saturated, and far from the colours of the image."""

from __future__ import annotations

from functools import lru_cache

import numpy as np
from numpy.typing import NDArray
from skimage.color import deltaE_ciede2000, lab2rgb, rgb2lab

__all__ = ["PREVIEW", "dominant_colours", "palette"]

PREVIEW = "#ff2ec4"
"""Colour of a mask that is not accepted yet: seen on dark fluorescence and on bright stained
tissue; no label has one like it."""

COUNT = 16  # more are told apart worse, fewer meet again sooner
LIGHTNESS, CHROMA, HUES = range(54, 94, 5), range(55, 125, 10), 45  # of the candidates
BRIGHT = 0.85  # of one of red, green and blue, or it is a dull one
STAINS = (  # deep and pale, as they are on slides
    *("#5a3a1e", "#8b5a2b", "#a9744a", "#c9a27c"),  # DAB, and brown
    *("#3b2f6b", "#5c5090", "#8d84b8", "#b9b3d6"),  # haematoxylin
    *("#b8437a", "#d871a2", "#e89abb", "#f3c4d6"),  # eosin
)
OWN = ("#0091ff", "#ff6a00", PREVIEW)  # include, exclude, preview
FROM_STAINS, FROM_OWN = 12.0, 10.0  # at least, in CIEDE2000
CLEAR = 24.0  # at least, from what the image has
SHARE = 0.7  # weight of the distance from the image, against that between labels
APART = 3  # ids in a row that differ clearly

COMMON = 0.01  # share of the image above which a colour counts
LEVELS = 6  # per axis of the colour histogram


def palette(background: NDArray[np.floating]) -> NDArray[np.float64]:
    """Return (16, 3) RGB label colours from 0 to 1, those that follow each other far apart.

    Always the same for the same background.

    Parameters
    ----------
    background : (N, 3) float
        RGB colours of the image, from 0 to 1, see `dominant_colours`; grey if there are none.
    """
    colours = np.asarray(background, float) if len(background) else np.full((1, 3), 0.5)
    lab = _candidates()
    room = _distances(lab, rgb2lab(colours)).min(axis=1)
    clear = room >= min(CLEAR, np.sort(room)[-3 * COUNT])  # of a very colourful one the best
    lab, room = lab[clear], room[clear]
    return np.clip(lab2rgb(_in_turn(_farthest(lab, SHARE * room))), 0, 1)


def dominant_colours(rgb: NDArray[np.uint8]) -> NDArray[np.float64]:
    """Return (N, 3) RGB colours from 0 to 1 that make up at least a hundredth of an image each.

    Parameters
    ----------
    rgb : (..., 3) or (..., 4) uint8
        A small image; pixels of alpha zero are left out.
    """
    pixels = rgb.reshape(-1, rgb.shape[-1])
    if rgb.shape[-1] == 4:
        pixels = pixels[pixels[:, 3] > 0]
    if not len(pixels):
        return np.zeros((0, 3))
    colours = pixels[:, :3] / 255
    bins = np.minimum((colours * LEVELS).astype(int), LEVELS - 1) @ (LEVELS**2, LEVELS, 1)
    counts = np.bincount(bins, minlength=LEVELS**3)
    sums = np.stack([np.bincount(bins, colours[:, i], LEVELS**3) for i in range(3)], axis=1)
    common = counts >= max(1.0, COMMON * len(pixels))
    return sums[common] / counts[common, None]


@lru_cache(maxsize=1)
def _candidates() -> NDArray[np.float64]:
    """Return (N, 3) CIELAB colours on the screen's gamut, unlike stains and our own marks."""
    hues = np.linspace(0, 2 * np.pi, HUES, endpoint=False)
    light, chroma, hue = (a.ravel() for a in np.meshgrid(LIGHTNESS, CHROMA, hues, indexing="ij"))
    lab = np.stack([light, chroma * np.cos(hue), chroma * np.sin(hue)], axis=1)
    with np.errstate(all="ignore"):
        back = rgb2lab(np.clip(lab2rgb(lab), 0, 1))
        bright = np.clip(lab2rgb(lab), 0, 1).max(axis=1) >= BRIGHT
    lab = lab[(np.abs(back - lab).max(axis=1) < 1) & bright]
    for colours, least in ((STAINS, FROM_STAINS), (OWN, FROM_OWN)):
        lab = lab[_distances(lab, rgb2lab(_rgb(colours))).min(axis=1) >= least]
    return lab


def _farthest(lab: NDArray[np.float64], nearest: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return candidates, each the farthest from those before and from what is at `nearest`."""
    chosen: list[int] = []
    while len(chosen) < COUNT:
        chosen.append(int(np.argmax(nearest)))
        nearest = np.minimum(nearest, _distances(lab, lab[chosen[-1:]])[:, 0])
    return lab[chosen]


def _in_turn(lab: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the colours in an order in which neighbours, also round the end, are far apart."""
    between = _distances(lab, lab)
    turns = (_turn(between, start) for start in range(len(lab)))
    return lab[max(turns, key=lambda turn: between[turn, np.roll(turn, 1)].min())]


def _turn(between: NDArray[np.float64], start: int) -> list[int]:
    """Return an order in which each is far from the few before it."""
    turn, left = [start], [one for one in range(len(between)) if one != start]
    while left:
        near = turn[-APART:] + turn[: max(0, APART - len(left))]
        turn.append(left.pop(int(between[np.ix_(left, near)].min(axis=1).argmax())))
    return turn


def _distances(these: NDArray[np.float64], those: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the (N, M) CIEDE2000 differences of (N, 3) and (M, 3) CIELAB colours."""
    result: NDArray[np.float64] = deltaE_ciede2000(these[:, None], those[None])
    return result


def _rgb(colours: tuple[str, ...]) -> NDArray[np.float64]:
    return np.array([[int(c[i : i + 2], 16) / 255 for i in (1, 3, 5)] for c in colours])
