"""With the same weights and settings the reference's generator finds the same masks.

Masks of random weights look nearly alike and cover half of the picture, whatever the point. So the
thresholds are quantiles of what they give, where few are so near that noise decides, and
suppression is compared apart, on random boxes.
"""

from __future__ import annotations

import importlib
from dataclasses import replace

import numpy as np
import pytest
import torch
from scipy import ndimage

from napari_sam.inference.automatic.nms import nms
from napari_sam.inference.automatic.points import crops, point_grid
from napari_sam.inference.automatic.proposals import near_edge
from napari_sam.inference.automatic.search import propose_grid
from napari_sam.inference.automatic.settings import GridSettings
from napari_sam.inference.predictor import Predictor
from napari_sam.model.sam import Sam
from napari_sam.results import Proposal
from tests.model.peers import REDUCED, generator, randomise, reference

POINTS, FEWEST = 8, 100


def picture(shape, seed=0):
    rng = np.random.default_rng(seed)
    noise = ndimage.gaussian_filter(rng.standard_normal((*shape, 3)), (4, 4, 0))
    return np.clip(128 + 60 * noise / noise.std(), 0, 255).astype(np.uint8)


def reference_masks(model, image, iou, stability):
    settings = {"pred_iou_thresh": iou, "stability_score_thresh": stability, "box_nms_thresh": 1}
    return generator(model, points_per_side=POINTS, **settings).generate(image)


def threshold(values):
    """Between the 5 and 25 % quantiles the middle of the widest gap."""
    middle = np.sort(values)[len(values) // 20 : len(values) // 4]
    at = np.diff(middle).argmax()
    return float(middle[at : at + 2].mean())


def same(mask, other):
    return np.count_nonzero(mask & other) > 0.99 * np.count_nonzero(mask | other)


@pytest.mark.parametrize(("name", "shape"), [("vit_b", (96, 128)), ("vit_t", (300, 240))])
def test_same_masks_as_the_reference(name, shape):
    theirs = reference(REDUCED[name])
    weights = randomise(theirs)
    weights["mask_decoder.iou_prediction_head.layers.2.bias"] += 1  # below 0 it filters nothing
    theirs.load_state_dict(weights)
    ours = Sam(REDUCED[name]).eval()
    ours.load_state_dict(weights)
    image = picture(shape)
    every = reference_masks(theirs, image, -9, 0)
    iou = threshold([one["predicted_iou"] for one in every])
    stability = threshold([one["stability_score"] for one in every if one["predicted_iou"] > iou])
    expected = reference_masks(theirs, image, iou, stability)
    assert FEWEST <= len(expected) < len(every)
    settings = replace(
        GridSettings.reference(),
        points_per_side=POINTS,
        min_score=iou,
        min_stability=stability,
        max_overlap=1.0,
    )
    found = propose_grid(Predictor(ours), image, settings, contrast=(0, 255))
    assert abs(len(found) - len(expected)) <= 0.01 * len(expected)
    places = np.array([one.point for one in found])
    hits = 0
    for one in expected:
        near = np.abs(places - one["point_coords"][0][::-1]).max(axis=1) < 0.01
        rivals = [found[i] for i in np.flatnonzero(near)]
        hits += any(
            same(rival.mask, one["segmentation"])
            and rival.score == pytest.approx(one["predicted_iou"], abs=1e-3)
            and rival.stability == pytest.approx(one["stability_score"], abs=1e-3)
            for rival in rivals
        )
    assert hits >= 0.99 * len(expected)


@pytest.fixture(scope="module")
def utils():
    reference(REDUCED["vit_b"])  # makes it importable
    return importlib.import_module("segment_anything.utils.amg")


@pytest.mark.parametrize("shape", [(100, 150), (333, 201), (64, 64)])
def test_same_crops_and_points(utils, shape):
    boxes, layers = utils.generate_crop_boxes(shape, 2, 512 / 1500)
    expected = {
        (layer, (y0, x0, y1, x1)) for layer, (x0, y0, x1, y1) in zip(layers, boxes, strict=True)
    }
    found = crops(shape, 2, 512 / 1500)
    assert len(found) == 21
    assert set(found) == expected
    points = utils.build_point_grid(5) * shape[::-1]
    np.testing.assert_allclose(point_grid(5, shape), points[:, ::-1], atol=1e-12)


def test_same_objects_are_cut_by_the_edge_of_a_crop(utils):
    rng = np.random.default_rng(0)
    crop = (40, 0, 140, 160)
    cut = []
    for _ in range(300):
        y0, x0 = rng.integers((40, 0), (100, 110))
        y1, x1 = rng.integers((y0 + 1, x0 + 1), (141, 161))
        theirs = utils.is_box_near_crop_edge(
            torch.tensor([[x0, y0 - 40, x1 - 1, y1 - 41]]), [0, 40, 160, 140], [0, 0, 300, 200]
        )
        cut.append(bool(theirs))
        assert near_edge((y0, x0, y1, x1), crop, (0, 0, 200, 300), 20) == cut[-1]
    assert 50 < sum(cut) < 250


@pytest.mark.parametrize("seed", range(3))
def test_same_boxes_are_suppressed(seed):
    from tests.model.peers import _nms

    rng = np.random.default_rng(seed)
    image, found = np.zeros((300, 300)), []
    for _ in range(120):
        corner, size = rng.integers(0, 40, 2), rng.integers(60, 90, 2)
        about = {"score": 1, "stability": 1, "point": (0, 0)}
        found.append(
            Proposal.of(np.ones(size, bool), image, **about, corner=tuple(corner.tolist()))
        )
    ranks = rng.integers(0, 50, 120) / 50  # some are equal
    boxes = torch.tensor(
        [[y, x, y + h, x + w] for (y, x), (h, w) in ((f.corner, f.size) for f in found)]
    )
    expected = _nms(boxes.float(), torch.tensor(ranks), None, 0.7).tolist()
    assert nms(found, ranks, "box", 0.7) == expected
    assert 5 < len(expected) < 100
    assert nms(found, ranks, "mask", 0.7) == expected, "of rectangles the masks are the boxes"
