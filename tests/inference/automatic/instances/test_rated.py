"""Candidates of all scales, what is measured of them, and which a rating chooses."""

import numpy as np
import pytest
import torch
from scipy import sparse

from napari_sam.inference.automatic.instances.candidates import find_candidates, overlaps
from napari_sam.inference.automatic.instances.from_maps import find_instances
from napari_sam.inference.automatic.instances.rated import CandidatePool, choose
from napari_sam.inference.automatic.settings import InstanceSettings
from napari_sam.inference.object_maps import LevelMaps
from napari_sam.model.instances.rating import FEATURES, CandidateRating
from tests.inference.automatic.instances.drawn import discs, found_labels, iou, perfect

SETTINGS = InstanceSettings()


def by_feature(**weights):
    """A rating that rises with features: its logit is their weighted sum."""
    rating = CandidateRating()
    rating.spread += 1
    rating.weight2[:, 0] = 100
    for name, weight in weights.items():
        rating.weight1[0, FEATURES.index(name)] = weight / 100
    rating.bias2 += 3
    return rating


PLAIN = by_feature(plain=2)


@pytest.mark.parametrize("stride", [1, 2, 4])
def test_objects_come_out_as_they_are(stride):
    labels = discs((96, 120), (30, 30, 14), (60, 80, 20), (0, 118, 16))
    found = find_instances([perfect(labels, stride)], SETTINGS, PLAIN)
    assert len(found) == 3
    for one in found:
        number = labels[tuple(np.round(one.point).astype(int))]
        assert number
        assert iou(one.cropped.full(), labels == number) > 1 - 0.07 * stride


def test_touching_objects_are_told_apart_and_do_not_overlap():
    labels = discs((80, 80), (40, 25, 16), (40, 55, 16))
    found = find_instances([perfect(labels), perfect(labels, 4)], SETTINGS, PLAIN)
    assert len(found) == 2
    assert not (found[0].cropped.full() & found[1].cropped.full()).any()


def two_lobes():
    """Two lobes whose neck is half as deep as they are."""
    rows, columns = np.indices((40, 60))
    lobes = np.minimum(np.hypot(rows - 20, columns - 18), np.hypot(rows - 20, columns - 42)) / 16
    depth = np.clip(1 - lobes, 0.25, 1).astype(np.float32)
    inside = (lobes < 1).astype(np.float32)
    return LevelMaps((40, 60), 1.0, inside, inside * 0.1, depth * inside, inside * 20 + 1)


def test_the_rating_says_whether_it_is_a_whole_or_its_parts():
    whole, parts = by_feature(parts=1), by_feature(parts=-1)
    assert len(find_instances([two_lobes()], SETTINGS, whole)) == 1
    assert len(find_instances([two_lobes()], SETTINGS, parts)) == 2


def test_the_split_leaves_the_rating_a_choice_around_it_only():
    whole, parts = by_feature(parts=1), by_feature(parts=-1)
    cut, joined = InstanceSettings(split=0.9, quality=0), InstanceSettings(split=0.0)
    assert len(find_instances([two_lobes()], cut, whole)) == 2
    assert len(find_instances([two_lobes()], joined, parts)) == 1


def test_the_rating_says_where_an_object_ends():
    rows, columns = np.indices((64, 64))
    far = np.hypot(rows - 32, columns - 32)
    soft = np.clip(1 - far / 40, 0, 1).astype(np.float32)
    maps = LevelMaps((64, 64), 1.0, soft, soft * 0.5 + 0.1, soft, soft * 0 + 40)
    areas = [
        find_instances([maps], InstanceSettings(quality=0), by_feature(threshold=weight))[0]
        for weight in (-5, 5)
    ]
    assert areas[0].cropped.area > 2 * areas[1].cropped.area


def test_floor_sizes_and_diameter_do_what_they_say():
    labels = discs((96, 96), (20, 20, 8), (60, 60, 28))
    levels = [perfect(labels, 1), perfect(labels, 4)]
    found = find_instances(levels, SETTINGS, PLAIN)
    assert len(found) == 2
    assert [one.quality for one in found] == sorted((one.quality for one in found), reverse=True)
    middle = np.mean([one.cropped.area for one in found])
    for limits in ({"smallest": middle}, {"largest": middle}, {"quality": found[1].quality + 1e-3}):
        assert len(find_instances(levels, InstanceSettings(**limits), PLAIN)) == 1
    coarse, fine = (
        find_instances(levels, InstanceSettings(diameter=diameter), PLAIN) for diameter in (80, 16)
    )
    blocks = found_labels(coarse, labels.shape)[:96:4, :96:4].repeat(4, 0).repeat(4, 1)
    assert iou(blocks > 0, found_labels(coarse, labels.shape) > 0) > iou(
        blocks > 0, found_labels(fine, labels.shape) > 0
    )


def test_features_of_a_disc_are_the_same_at_every_size_and_both_scales_agree():
    rows = []
    for radius in (10, 20):
        labels = discs((96, 96), (48, 48, radius))
        pool = CandidatePool([perfect(labels, 1), perfect(labels, 2)], SETTINGS)
        assert sorted(pool.level) == [0, 1]  # thresholds make no difference to maps so sure
        rows.append(dict(zip(FEATURES, pool.features[0].tolist(), strict=True)))
    for name, value in rows[0].items():
        assert rows[1][name] == pytest.approx(value, abs=0.15), name
    assert rows[0]["predicted_away"] < 0.1
    assert rows[0]["agreement"] == rows[0]["least_agreement"] > 0.85
    assert abs(rows[0]["ellipse"]) < 0.05
    assert rows[0]["elongation"] < 0.05
    assert rows[0]["rim_boundary"] > 0.9 > 0.1 > rows[0]["outside_foreground"]


def test_overlaps_are_those_of_the_masks():
    labels = discs((40, 60), (20, 25, 12), (20, 40, 10))
    levels = [find_candidates(perfect(labels, stride, sure=0.6), SETTINGS) for stride in (1, 2)]
    common = overlaps(levels).toarray()
    masks = [(one, i) for one in levels for i in range(len(one.areas))]
    full = np.zeros((len(masks), 40, 60), bool)
    for k, (one, i) in enumerate(masks):
        pieces = np.isin(one.pieces, one.members[i].indices)
        full[k] = pieces if one is levels[0] else pieces.repeat(2, 0).repeat(2, 1)
    np.testing.assert_array_equal(common, np.einsum("iyx,jyx->ij", full * 1.0, full * 1.0))


@pytest.mark.parametrize(
    ("ratings", "kept"),
    [
        ((0.7, 0.6, 0.5, 0.2), [0, 1]),  # of a whole and its parts the better stay
        ((0.7, 0.6, 0.8, 0.2), [2]),
        ((0.7, 0.1, 0.6, 0.2), [0]),  # not the whole beside one of its parts
        ((0.1, 0.1, 0.1, 0.5), [3]),
        ((0.4, 0.4, 0.4, 0.4), [0, 1, 3]),  # of equals the first; a small overlap is none
    ],
)
def test_one_is_chosen_for_each_object(ratings, kept):
    common = sparse.csr_matrix([[9, 0, 9, 0], [0, 9, 9, 2], [9, 9, 18, 2], [0, 2, 2, 9]])
    assert choose(np.array(ratings), common, 0.3) == kept


@pytest.mark.parametrize("value", [0.0, 1.0])
def test_maps_without_an_object_or_full_of_one(value):
    plane = np.full((32, 40), value, np.float32)
    maps = LevelMaps((64, 80), 0.5, plane, plane * 0, plane, plane * 40 + 1)
    found = find_instances([maps], SETTINGS, PLAIN)
    assert [one.cropped.area for one in found] == ([64 * 80] if value else [])


def test_no_gradient_ever_reaches_a_rating():
    rating = CandidateRating()
    assert list(rating.parameters()) == []
    assert all(torch.isfinite(one).all() for one in rating.state_dict().values())
