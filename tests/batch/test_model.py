"""What all workers load is the very same model."""

from __future__ import annotations

from dataclasses import replace

import pytest

from napari_sam.batch.model import load_predictor, workers_model
from napari_sam.errors import ClusterError
from napari_sam.model.load import known_decoder


def test_weights_and_decoder_must_be_those_of_the_start():
    decoder = known_decoder("cells_tiny")
    model = workers_model("cells_tiny", "cpu", decoder)
    predictor = load_predictor(model)
    assert predictor.model.entry.decoder == decoder
    with pytest.raises(ClusterError, match=r"its weights are sha256:\w+, but sha256:00 where"):
        load_predictor(replace(model, digest="sha256:00"))
    with pytest.raises(ClusterError, match=r"decoder is sha256:\w+, but sha256:00 where the run"):
        load_predictor(replace(model, decoder="sha256:00"))


def test_whoever_asks_at_points_may_have_any_decoder():
    model = workers_model("cells_tiny", "cpu")
    assert model.decoder == ""
    assert load_predictor(model).model.instance_decoder is not None
