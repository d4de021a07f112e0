"""Scores of what is found without a click, worked out by hand."""

from __future__ import annotations

import numpy as np
import pytest

import napari_sam as ns
from napari_sam.data.samples import labelled_image
from napari_sam.evaluation import automatic
from napari_sam.progress import Progress
from napari_sam.results import Proposal, SearchResult


@pytest.fixture
def searched(monkeypatch):
    """A search that finds the left one of two boxes that touch, and the settings it was given."""
    seen = []

    def iter_proposals(predictor, image, settings, *, contrast):
        seen.append((settings, contrast))
        mask = np.zeros(image.shape[:2], bool)
        mask[:8, :8] = True
        one = Proposal.of(mask, image, score=0.9, stability=0.9, point=(3, 3))
        yield Progress(3, 5, SearchResult([one]))
        yield Progress(5, 5, SearchResult([], [one]))

    monkeypatch.setattr(automatic, "iter_proposals", iter_proposals)
    return seen


def picture(name, *columns):
    labels = np.zeros((16, 40), int)
    for number, column in enumerate(columns, 1):
        labels[:8, column : column + 8] = number
    return labelled_image(name, f"{name}/a", np.zeros((16, 40, 3), np.uint8), labels, False)


def test_figures_of_sets_and_over_them(searched):
    pictures = [picture("a", 0), picture("b", 0, 8), picture("b", 0, 30), picture("b", 0, 8, 16)]
    found = list(automatic.find_all(None, pictures, ns.InstanceSettings()))
    assert searched == [(ns.InstanceSettings(), (0, 255))] * 4
    means = automatic.found_means(found)
    assert means["a"] | {"seconds": 0} == {
        **{"mSA": 1, "F1": 1, "calls": 5, "seconds": 0},
        **{"told apart": 0, "touching": 0},
    }
    assert means["b"]["mSA"] == pytest.approx((1 / 2 + 1 / 2 + 1 / 3) / 3)
    assert means["b"]["F1"] == pytest.approx((2 / 3 + 2 / 3 + 1 / 2) / 3)
    assert (means["b"]["told apart"], means["b"]["touching"]) == (0, 1 + 0 + 2)
    mean = means["mean of the sets"]
    assert mean["mSA"] == pytest.approx((means["a"]["mSA"] + means["b"]["mSA"]) / 2)
    assert mean["touching"] == 3
    assert mean["seconds"] > 0
    table = automatic.found_table(means)
    assert table.startswith("| data set | mSA | F1 | calls | seconds | touching, told apart |\n")
    assert "| a | 1.000 | 1.000 | 5 | 0.0 | 0 of 0 |\n" in table
    assert table.count("| 0 of 3 |") == 2
