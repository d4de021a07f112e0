"""The shipped model on the demo's own pictures."""

from __future__ import annotations

import pytest

from napari_sam.cli.headless import segment
from napari_sam.samples import SAMPLES
from tests.truth import overlap, truth


@pytest.mark.parametrize("name", SAMPLES)
def test_every_prompt_gives_the_object_it_means(name):
    labels, _ = segment(SAMPLES[name], "cells_tiny", "cpu")
    outlines = truth(name, labels.shape)
    found = [overlap(labels == number, mask) for number, mask in enumerate(outlines, 1)]
    assert min(found) > 0.5, found
