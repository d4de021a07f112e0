"""Pictures in tiles: objects at seams come out whole, and a run that was cut short goes on."""

from __future__ import annotations

from dataclasses import replace
from itertools import islice

import numpy as np
import pytest
from scipy import ndimage

import napari_sam as ns
from napari_sam.errors import InputError
from napari_sam.inference.automatic import tiled
from napari_sam.inference.automatic.selection import proposals_to_labels
from napari_sam.inference.automatic.tiled import iter_tiles
from napari_sam.inference.automatic.tiles import (
    TileStore,
    Tiling,
    lattice,
    tile_hash,
    weights_hash,
)
from napari_sam.inference.sampling import sample_image
from napari_sam.progress import Progress
from napari_sam.results import Proposal, SearchResult
from napari_sam.zoo.catalogue import Entry

SETTINGS = ns.GridSettings(points_per_side=6)
TILING = Tiling(96, 48)


@pytest.fixture(scope="module")
def predictor():
    return ns.Predictor(ns.load_model("cells_tiny", "cpu"))


def disc(shape, middle, radius):
    return np.hypot(*(np.indices(shape) - np.reshape(middle, (2, 1, 1)))) <= radius


def drawn(shape, *discs):
    picture = np.full(shape, 30.0)
    for row, column, radius in discs:
        picture[disc(shape, (row, column), radius)] = 150
    return np.random.default_rng(0).normal(picture, 8).clip(0, 255).astype(np.uint8)


def last(steps):
    return list(steps)[-1]


def overlap(a, b):
    return np.count_nonzero(a & b) / np.count_nonzero(a | b)


class TestTiling:
    def test_cores_are_the_picture_and_halos_stay_inside(self):
        seen = np.zeros((250, 333), int)
        for tile in Tiling(100, 30).tiles(seen.shape):
            top, left, bottom, right = tile.core
            seen[top:bottom, left:right] += 1
            assert tile.seen == (
                *(max(0, top - 30), max(0, left - 30)),
                *(min(250, bottom + 30), min(333, right + 30)),
            )
        assert (seen == 1).all()

    def test_each_point_of_the_lattice_is_in_one_core(self):
        tiles = Tiling(70, 20).tiles((200, 150))
        points = np.concatenate([lattice(7.5, tile.core) for tile in tiles])
        whole = lattice(7.5, (0, 0, 200, 150))
        assert len(whole) == 27 * 20
        assert sorted(map(tuple, points)) == sorted(map(tuple, whole))

    def test_nonsense_is_refused(self):
        with pytest.raises(InputError, match="side 0 and halo 3"):
            Tiling(0, 3)

    def test_a_sample_passes_over_what_nobody_wrote(self):
        picture = np.zeros((5000, 4000), np.uint16)
        picture[2000:2400, 1000:1600] = np.arange(600) + 100
        sample = sample_image(picture)
        assert sample.max() == 424
        assert np.median(sample) > 0
        assert sample.size < picture.size / 4


@pytest.fixture
def sharp_eyes(monkeypatch):
    """A search that finds exactly what is bright below its points; returns what was searched."""
    searched = []

    def search(predictor, part, points, coarser, settings, contrast, pause):
        searched.append(part.shape)
        parts, _ = ndimage.label(part > 90)
        numbers = np.unique(parts[tuple(points.astype(int).T)])
        found = [
            Proposal.of(parts == number, part, score=0.9, stability=1.0, point=tuple(point))
            for number in numbers[numbers > 0]
            for point in points[parts[tuple(points.astype(int).T)] == number][:1]
        ]
        yield Progress(len(points), len(points), SearchResult([], found))

    monkeypatch.setattr(tiled, "search", search)
    return searched


def test_objects_are_whole_wherever_the_picture_is_cut(predictor, sharp_eyes):
    dots = (60, 60, 14), (100, 100, 20), (140, 80, 9), (70, 130, 16)
    for offset in range(96):
        picture = np.zeros((300, 300), np.uint8)
        for row, column, radius in dots:
            picture[disc(picture.shape, (row + offset, column + offset), radius)] = 150
        step = last(iter_tiles(predictor, picture, SETTINGS, tiling=TILING, contrast=(0, 255)))
        found = proposals_to_labels(step.result.kept, shape=picture.shape)
        assert len(step.result.kept) == len(dots)
        np.testing.assert_array_equal(found > 0, picture > 0)


def test_what_no_tile_shows_whole_is_left_out(predictor, sharp_eyes):
    picture = np.zeros((300, 300), np.uint8)
    picture[140:150, 10:290] = 150  # longer than any tile
    step = last(iter_tiles(predictor, picture, SETTINGS, tiling=TILING, contrast=(0, 255)))
    assert step.result.kept == []


@pytest.mark.parametrize("offset", [-10, 14])
def test_a_real_model_shows_no_seam(predictor, offset):
    at = 96 + offset, 96 + offset // 2
    picture = drawn((192, 192), (*at, 14))
    step = last(iter_tiles(predictor, picture, SETTINGS, tiling=TILING, contrast=(0, 255)))
    best = step.result.kept[0]
    assert overlap(best.mask, disc(picture.shape, at, 14)) > 0.85
    assert best.score > 0.7
    near = [one for one in step.result.kept if overlap(one.mask, best.mask) > SETTINGS.max_overlap]
    assert near == [best]


@pytest.mark.parametrize("refine", [False, True])
def test_instances_at_seams_are_found_once_and_all(predictor, refine):
    middles = [(row, column) for row in (30, 96, 162) for column in (30, 96, 162)]
    picture = drawn((192, 192), *((*middle, 13) for middle in middles))  # cut at 96, both ways
    settings = ns.InstanceSettings(refine=refine)
    step = last(iter_tiles(predictor, picture, settings, tiling=TILING, contrast=(0, 255)))
    for middle in middles:
        truth = disc(picture.shape, middle, 13)
        touched = [one for one in step.result.kept if (one.mask & truth).any()]
        assert len(touched) == 1
        assert overlap(touched[0].mask, truth) > 0.75
    assert len(step.result.kept) == len(middles)


def test_instances_of_a_part_only(predictor):
    picture = drawn((192, 192), (60, 60, 13), (130, 60, 13), (96, 140, 13))
    where = np.zeros(picture.shape, bool)
    where[:96] = True  # the deepest place of the last may lie on either side
    steps = iter_tiles(
        *(predictor, picture, ns.InstanceSettings()),
        tiling=TILING,
        contrast=(0, 255),
        where=where,
    )
    labels = proposals_to_labels(last(steps).result.kept, shape=picture.shape)
    assert labels[60, 60]
    assert not labels[130, 60]


def test_tiles_of_another_decoder_are_searched_anew(predictor, tmp_path, monkeypatch):
    picture = drawn((192, 192), (40, 40, 12), (150, 150, 12))
    real, asked = tiled.iter_proposals, []

    def iter_proposals(*given, **named):
        asked.append(named["where"])
        return real(*given, **named)

    def run(settings):
        asked.clear()
        last(iter_tiles(predictor, picture, settings, tiling=TILING, folder=tmp_path))
        return len(asked)

    monkeypatch.setattr(tiled, "iter_proposals", iter_proposals)
    assert run(ns.InstanceSettings()) == 4
    assert run(ns.InstanceSettings()) == 0
    assert run(ns.InstanceSettings(split=0.5)) == 4
    entry = predictor.model.entry
    monkeypatch.setattr(predictor.model, "entry", replace(entry, decoder="sha256:00"))
    assert run(ns.InstanceSettings(split=0.5)) == 4
    assert run(ns.InstanceSettings(split=0.5)) == 0


def test_points_do_not_care_which_decoder_there_is():
    entry = Entry("net", "vit_b", sha256="ab")
    other = replace(entry, decoder="sha256:cd")
    assert weights_hash(entry, SETTINGS) == weights_hash(other, SETTINGS) == "sha256:ab"
    assert weights_hash(entry, ns.InstanceSettings()) == "sha256:ab"
    assert weights_hash(other, ns.InstanceSettings()) == "sha256:ab sha256:cd"


def test_places_are_those_of_the_whole_picture(predictor, sharp_eyes):
    picture = np.zeros((192, 250), np.uint8)
    for number, (row, column) in enumerate(((20, 200), (186, 30))):
        picture[disc(picture.shape, (row, column), 12)] = 150 + number
    step = last(iter_tiles(predictor, picture, SETTINGS, tiling=TILING))
    for one in step.result.kept:
        at_top = one.corner[0] < 50
        assert one.shape == picture.shape
        np.testing.assert_array_equal(one.mask, picture == (150 if at_top else 151))
        assert one.mask[tuple(np.array(one.point, int))]
        assert one.intensity == (150 if at_top else 151)
        assert one.touches_edge is not at_top
    assert len(step.result.kept) == 2


class Spy:
    """A picture that says what is read of it."""

    def __init__(self, pixels):
        self.pixels, self.shape, self.read = pixels, pixels.shape, []

    def __getitem__(self, index):
        self.read.append(index)
        return self.pixels[index]


def test_a_run_that_was_cut_short_goes_on(predictor, sharp_eyes, tmp_path):
    picture = drawn((192, 192), (40, 40, 12), (150, 150, 12))

    def run(pixels=picture, settings=SETTINGS, most=99):
        sharp_eyes.clear()
        steps = iter_tiles(
            predictor, pixels, settings, tiling=TILING, contrast=(0, 255), folder=tmp_path
        )
        return list(islice(steps, most))[-1], len(sharp_eyes)

    assert run(most=2)[1] == 2
    whole, count = run()
    assert count == 2
    again, count = run()
    assert count == 0
    assert len(again.result.kept) == len(whole.result.kept) == 2
    for one, other in zip(again.result.kept, whole.result.kept, strict=True):
        np.testing.assert_array_equal(one.mask, other.mask)
        assert (one.score, one.point, one.crop) == (other.score, other.point, other.crop)
    changed = picture.copy()
    changed[5, 5] += 1  # seen by one tile alone
    assert run(changed)[1] == 1
    assert run(settings=ns.GridSettings(points_per_side=5))[1] == 4
    (first, *_) = sorted(tmp_path.glob("tile-*.npz"))
    first.write_bytes(b"damaged")
    assert run(settings=ns.GridSettings(points_per_side=5))[1] == 1


def test_one_tile_is_read_at_a_time_and_empty_ones_are_passed_over(predictor, sharp_eyes):
    pixels = np.zeros((400, 400), np.uint8)
    pixels[disc(pixels.shape, (340, 340), 12)] = 150
    spy = Spy(pixels)
    step = last(iter_tiles(predictor, spy, SETTINGS, tiling=TILING, contrast=(0, 255)))
    assert step.done == step.total == len(spy.read) == 25
    assert all((s.stop - s.start) <= 96 + 2 * 48 for index in spy.read for s in index)
    assert len(sharp_eyes) == 1
    (one,) = step.result.kept
    np.testing.assert_array_equal(one.mask, pixels > 0)


def test_only_what_is_wanted_is_searched(predictor, sharp_eyes):
    picture = np.zeros((300, 300), np.uint8)
    for row, column in ((60, 60), (60, 220), (220, 220)):
        picture[disc(picture.shape, (row, column), 12)] = 150
    where = np.zeros(picture.shape, bool)
    where[:150, 150:] = True
    steps = iter_tiles(predictor, picture, SETTINGS, tiling=TILING, contrast=(0, 255), where=where)
    (one,) = last(steps).result.kept
    assert one.mask[60, 220]
    assert len(sharp_eyes) <= 4


def test_what_cannot_be_done_is_said(predictor):
    with pytest.raises(InputError, match=r"got \(3, 4, 5\)"):
        iter_tiles(predictor, np.zeros((3, 4, 5)))
    with pytest.raises(InputError, match="no layers of crops"):
        iter_tiles(predictor, np.zeros((30, 40)), ns.GridSettings(crop_layers=1))


def test_a_stamp_knows_what_decides(predictor):
    tiles = Tiling(8, 2).tiles((16, 8))
    pixels = np.arange(80, dtype=np.uint8).reshape(10, 8)
    marks = {
        tile_hash(pixels, tiles[0], SETTINGS, (0, 9), "a"),
        tile_hash(pixels + 1, tiles[0], SETTINGS, (0, 9), "a"),
        tile_hash(pixels.astype(np.int8), tiles[0], SETTINGS, (0, 9), "a"),
        tile_hash(pixels, tiles[1], SETTINGS, (0, 9), "a"),
        tile_hash(pixels, tiles[0], ns.GridSettings(), (0, 9), "a"),
        tile_hash(pixels, tiles[0], SETTINGS, (0, 8), "a"),
        tile_hash(pixels, tiles[0], SETTINGS, (0, 9), "b"),
    }
    assert len(marks) == 7


def test_nothing_found_is_kept_too(tmp_path):
    (tile,) = Tiling(8, 2).tiles((8, 8))
    store = TileStore(tmp_path)
    store.write(tile, "mark", [])
    assert store.read(tile, "mark") == []
    assert store.read(tile, "other") is None


@pytest.mark.parametrize("kept", [0.0, 0.3, 0.9, 0.99])
def test_a_damaged_file_of_a_tile_counts_as_none(tmp_path, kept):
    (tile,) = Tiling(8, 2).tiles((8, 8))
    store = TileStore(tmp_path)
    store.write(tile, "mark", [])
    (path,) = tmp_path.iterdir()
    whole = path.read_bytes()
    path.write_bytes(whole[: int(kept * len(whole))])
    assert store.read(tile, "mark") is None
    middle = len(whole) // 2
    path.write_bytes(whole[:middle] + bytes([whole[middle] ^ 1]) + whole[middle + 1 :])
    assert store.read(tile, "mark") in (None, [])
