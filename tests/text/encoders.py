"""An encoder that looks at colours: a text is the name of one, an object's vector its mean."""

from __future__ import annotations

import numpy as np

from napari_sam.text.encoder import shares, unit

COLOURS = {"red": (1, 0, 0), "green": (0, 1, 0), "blue": (0, 0, 1), "nothing": (1, 1, 1)}


class Colours:
    name, width, side, threshold = "colours", 3, 16, 0.5

    def words(self, texts):
        return unit(np.array([COLOURS.get(text, (1, 1, 1)) for text in texts], float))

    def prompts(self, texts):
        return self.words(texts)

    def crops(self, crops):
        means = [crop.rgb[crop.mask].mean(axis=0) for crop in crops]
        return unit(np.array(means).reshape(-1, 3))

    def similarity(self, seen, meant, others):
        return shares(20 * seen @ np.concatenate([meant, others]).T, len(meant))

    def against(self, words):
        return ["nothing"]

    def familiarity(self, text):
        return float(text in COLOURS), 0.5
