"""Everything in a picture by the model's head: what is asked, what is kept, what is asked again."""

from unittest.mock import patch

import numpy as np
import pytest

import napari_sam as ns
from napari_sam.errors import InputError
from napari_sam.inference.automatic.instances import search
from napari_sam.inference.automatic.instances.search import Dense
from napari_sam.inference.automatic.search import default_settings, iter_proposals
from napari_sam.inference.automatic.tiled import iter_tiles
from napari_sam.inference.automatic.tiles import Tiling

PLACES = [(30, 32, 13), (34, 90, 15), (84, 40, 16), (88, 96, 12)]


@pytest.fixture(scope="module")
def predictor():
    return ns.Predictor(ns.load_model("cells_tiny", "cpu"))


@pytest.fixture(scope="module")
def picture():
    rng = np.random.default_rng(0)
    rows, columns = np.indices((120, 130))
    image = rng.normal(30, 4, (120, 130))
    for r, c, radius in PLACES:
        image += 150 / (1 + np.exp(np.hypot(rows - r, columns - c) - radius))
    return image.clip(0, 255).astype(np.uint8)


def last(steps):
    *_, end = steps
    return end.result.kept


@pytest.mark.parametrize("refine", [False, True])
def test_each_disc_is_found_once(predictor, picture, refine):
    found = last(iter_proposals(predictor, picture, ns.InstanceSettings(refine=refine)))
    labels = ns.proposals_to_labels(found, shape=picture.shape)
    at = [labels[r, c] for r, c, _ in PLACES]
    assert sorted(at) == [1, 2, 3, 4]
    assert labels.max() == 4
    for (_, _, radius), number in zip(PLACES, at, strict=True):
        assert (labels == number).sum() == pytest.approx(np.pi * radius**2, rel=0.25)
    assert all(0 < one.score <= 1 for one in found)


def test_it_is_the_default_of_a_model_with_a_head(predictor, picture):
    assert default_settings(predictor.model) == ns.InstanceSettings()
    assert len(last(iter_proposals(predictor, picture))) == 4
    with pytest.raises(InputError, match="seeds"):
        iter_proposals(predictor, picture, ns.InstanceSettings(), seeds=[(3, 3)])


def test_without_a_head_it_says_what_to_do(predictor, picture):
    with patch.object(predictor.model, "instance_decoder", None):
        assert default_settings(predictor.model) == ns.GridSettings()
        with pytest.raises(InputError, match="cells_tiny has no instance decoder"):
            ns.propose_instances(predictor, picture)


def test_where_limits_it_to_what_lies_there(predictor, picture):
    where = np.zeros(picture.shape, bool)
    where[:, :60] = True
    found = last(iter_proposals(predictor, picture, ns.InstanceSettings(), where=where))
    assert len(found) == 2
    assert all(one.point[1] < 60 for one in found)


def test_other_thresholds_need_no_encoder_and_ask_only_what_is_new(predictor, picture):
    known = Dense()
    first = last(iter_proposals(predictor, picture, ns.InstanceSettings(refine=True), known=known))
    assert len(known.levels) > 1
    assert len(known.answers) == 4
    with (
        patch.object(predictor, "embed", side_effect=AssertionError("embedded again")),
        patch.object(search, "ask", side_effect=AssertionError("asked again")),
    ):
        for settings in (ns.InstanceSettings(refine=True, smallest=600), ns.InstanceSettings()):
            again = last(iter_proposals(predictor, picture, settings, known=known))
            assert {one.point for one in again} <= {one.point for one in first}
    lower = ns.InstanceSettings(refine=True, foreground=0.3)
    changed = last(iter_proposals(predictor, picture, lower, known=known))
    assert len(changed) == 4
    assert len(known.answers) > 4


def test_a_pause_can_stop_it(predictor, picture):
    class Stop(Exception):
        pass

    calls = []

    def pause():
        calls.append(1)
        if len(calls) > 40:
            raise Stop

    with pytest.raises(Stop):
        list(iter_proposals(predictor, picture, ns.InstanceSettings(refine=True), pause=pause))


@pytest.mark.parametrize(
    "image", [np.zeros((40, 50), np.uint8), np.full((64, 64, 3), 200, np.uint8)]
)
def test_a_picture_of_nothing_holds_nothing(predictor, image):
    assert ns.propose_instances(predictor, image) == []


def test_tiles_find_what_lies_on_a_seam_once(predictor, picture):
    steps = list(iter_tiles(predictor, picture, ns.InstanceSettings(), tiling=Tiling(64, 48)))
    assert len(steps) == 7
    labels = ns.proposals_to_labels(steps[-1].result.kept, shape=picture.shape)
    assert sorted(labels[r, c] for r, c, _ in PLACES) == [1, 2, 3, 4]
    assert labels.max() == 4


def test_what_no_tile_holds_is_found_in_the_whole_picture(predictor):
    """A disc of 300 pixels between tiles of 256 with a halo of 32, and a small one beside it."""
    rows, columns = np.indices((1800, 1700))
    near = np.hypot(rows - 520, columns - 512) < 150
    small = np.hypot(rows - 900, columns - 900) < 9
    image = np.where(near | small, 170, 25).astype(np.uint8)
    image += np.random.default_rng(0).integers(0, 12, image.shape, np.uint8)
    where = np.zeros(image.shape, bool)  # the tiles around them only, for time
    where[256:1024, 256:1024] = True
    steps = iter_tiles(predictor, image, ns.InstanceSettings(), tiling=Tiling(256, 32), where=where)
    *_, end = steps
    labels = ns.proposals_to_labels(end.result.kept, shape=image.shape)
    large, little = labels[520, 512], labels[900, 900]
    assert large
    assert little
    assert large != little
    assert ((labels == large) & near).sum() > 0.85 * ((labels == large) | near).sum()
