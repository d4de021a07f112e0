from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch

import napari_sam as ns
from napari_sam.errors import InputError
from napari_sam.inference.embedding import Embedding, Level
from napari_sam.inference.pyramid import tile_for, tiles_of
from napari_sam.inference.store.memory import MemoryStore
from napari_sam.inference.store.store import EmbeddingStore
from napari_sam.inference.tiled_embedding import TiledEmbedding
from napari_sam.model.config import CONFIGS, TinyViTConfig
from napari_sam.model.sam import Features, Sam
from napari_sam.prompts import Prompts
from napari_sam.results import Prediction
from napari_sam.zoo.catalogue import Entry
from tests.inference.test_pyramid import disc, iou

SHAPE = (9000, 7000)


class Bright:
    """A model to which objects are what is bright; counts the tiles that are embedded."""

    def __init__(self, image):
        self.tiles, self.pauses = [], []
        self.embedding = TiledEmbedding(image, (0, 255), self.embed)

    def embed(self, pixels, contrast, pause):
        self.tiles.append(pixels.shape[:2])
        self.pauses.append(pause)
        return pixels if pixels.ndim == 2 else pixels[..., 0]

    def ask(self, pixels, prompts):
        found = (pixels > 127)[None]
        return [Prediction(found, np.ones(1, np.float32), np.zeros((1, 8, 8))) for _ in prompts]

    def predict(self, *prompts):
        return self.embedding.predict(self.ask, prompts)


def bright(row, column, radius):
    """Return a model over an image with one bright disc, and the disc."""
    mask = disc(SHAPE, row, column, radius)
    return Bright(mask.astype(np.uint8) * 255), mask


class TestScale:
    @pytest.mark.parametrize(("radius", "tiles"), [(100, 1), (700, 2), (1500, 3)])
    def test_an_object_that_runs_out_of_its_tile_is_looked_at_coarser(self, radius, tiles):
        model, mask = bright(4100, 4100, radius)
        (answer,) = model.predict(Prompts([(4100, 4100)], [1]))
        assert len(model.tiles) == tiles
        assert iou(answer.masks[0], mask) > 0.98
        assert answer.remark == ""

    def test_what_is_larger_still_is_said_to_be_cut_unless_a_box_tells_its_size(self):
        model, mask = bright(4500, 3400, 3000)
        (answer,) = model.predict(Prompts([(4500, 3400)], [1]))
        assert "goes on beyond" in answer.remark
        (answer,) = model.predict(Prompts(box=(1500, 400, 7500, 6400)))
        assert answer.remark == ""
        assert iou(answer.masks[0], mask) > 0.98

    def test_what_was_found_is_fed_back_as_a_mask_unless_nothing_was(self):
        model, mask = bright(4100, 4100, 100)
        found, nothing = model.predict(Prompts([(4100, 4100)], [1]), Prompts([(99, 99)], [1]))
        assert np.array_equal(found.seed(0), mask)
        assert nothing.seed(0) is None

    def test_at_the_border_of_the_image_nothing_is_cut(self):
        model, mask = bright(0, 0, 300)
        (answer,) = model.predict(Prompts([(0, 0)], [1]))
        assert len(model.tiles) == 1
        assert np.array_equal(answer.masks[0], mask)


def test_objects_of_one_tile_are_asked_about_together_and_in_order():
    model, _ = bright(600, 600, 50)
    places = [(600, 600), (5000, 5000), (610, 610)]
    answers = model.predict(*(Prompts([place], [1]) for place in places))
    assert len(model.tiles) == 2
    assert [bool(one.masks[0, 600, 600]) for one in answers] == [True, False, True]
    assert all(one.masks.shape == (1, *SHAPE) for one in answers)


def test_a_usual_pause_is_called_where_no_other_is_given():
    model, _ = bright(600, 600, 50)
    usual, other = (lambda: None), (lambda: None)
    tiled, prompts = model.embedding.pausing(usual), [Prompts([(600, 600)], [1])]
    tiled.predict(model.ask, prompts)
    tiled.predict(model.ask, prompts, other)
    assert model.pauses == [usual, other]


@pytest.fixture(scope="module")
def predictor():
    return ns.Predictor(ns.load_model("cells_tiny", "cpu"))


def field(shape):
    """Return discs of radius 14 on a lattice, with noise, and their middles."""
    rows, columns = np.indices(shape, np.float32)
    apart = np.hypot((rows % 80) - 40, (columns % 80) - 40)
    noise = np.random.default_rng(0).normal(0, 60, shape)
    return (1000 * (apart < 14) + 300 + noise).astype(np.uint16)


class Quick(ns.Predictor):
    """Embeds in no time, as one number."""

    def embed(self, image, contrast=None, pause=None, *, sizes=None, compact=False):
        features = Features(torch.full((1, 1, 1, 1), 0.5, dtype=torch.float16))
        return Embedding(image.shape[:2], contrast, (Level((8, 8), features),))


class Watched:
    """An array that counts the pixels which are read."""

    def __init__(self, data):
        self.data, self.shape, self.dtype, self.read = data, data.shape, data.dtype, 0

    def __getitem__(self, part):
        self.read += self.data[part].size
        return self.data[part]


@pytest.fixture
def store():
    return EmbeddingStore(MemoryStore(10**8))


class TestStore:
    def test_masks_are_those_of_the_whole_embedding(self, predictor, store):
        image = field((1060, 4000))
        tiled = store.get(predictor, image)
        assert isinstance(tiled, TiledEmbedding)
        whole = predictor.embed(image, tiled.contrast)
        for place in ((520, 520), (1000, 2040), (40, 3960)):
            box = (place[0] - 15, place[1] - 15, place[0] + 15, place[1] + 15)
            for prompts in (Prompts([place], [1]), Prompts(box=box)):
                one, other = (predictor.predict(e, prompts) for e in (tiled, whole))
                assert iou(one.masks[0], other.masks[0]) > 0.95
                assert abs(one.scores[0] - other.scores[0]) < 0.02

    def test_a_second_click_embeds_nothing_and_only_tiles_are_read(self, predictor, store):
        image = Watched(field((3000, 3000)))
        tiled = store.get(predictor, image, (200, 1500))
        assert (image.read, store.made) == (0, 0)
        first = predictor.predict(tiled, Prompts([(1240, 1240)], [1]))
        assert (image.read, store.made) == (1024**2, 1)
        again = Prompts([(1240, 1240), (1320, 1320)], [1, 0], mask=first.seed(0))
        second = predictor.predict(tiled, again)
        assert store.made == 1
        assert second.masks[0, 1240, 1240]
        assert not second.masks[0, 1320, 1320]

    def test_a_tile_is_not_taken_for_a_picture_of_the_same_pixels(self, predictor, store):
        image = field((2100, 2100))
        predictor.predict(store.get(predictor, image, (200, 1500)), Prompts([(500, 500)], [1]))
        alone = store.get(predictor, image[:1024, :1024], (200, 1500))
        assert alone.levels[0].shape == (1536, 1536)

    def test_a_pause_stops_a_tile_and_nothing_is_kept(self, predictor, store):
        def stop():
            raise InterruptedError

        tiled = store.get(predictor, field((2100, 2100)), (200, 1500))
        with pytest.raises(InterruptedError):
            predictor.predict(tiled, Prompts([(500, 500)], [1]), pause=stop)
        assert (store.made, store.memory.nbytes) == (0, 0)

    def test_what_has_no_place_is_refused(self, predictor, store):
        tiled = store.get(predictor, np.zeros((2100, 2100), np.uint8), (0, 255))
        with pytest.raises(InputError, match="words alone"):
            tiled.check(Prompts(text=np.ones(8)))
        with pytest.raises(InputError, match="boolean"):
            predictor.predict(tiled, Prompts([(1, 1)], [1], mask=np.zeros((8, 8), np.float32)))
        with pytest.raises(InputError, match="outside"):
            predictor.predict(tiled, Prompts([(2100, 5)], [1]))

    def test_of_sams_own_sizes_a_tile_is_a_picture_of_the_frame(self, store):
        sam = Sam(
            replace(CONFIGS["vit_t"], encoder=TinyViTConfig(dims=(4, 4, 8, 8), heads=(1,) * 4))
        )
        sam.entry = Entry("known", "vit_t", sha256="ab" * 32)
        predictor, image = ns.Predictor(sam.eval()), field((2100, 2100))
        tiled = store.get(predictor, image, (200, 1500))
        tile = tile_for(tiled.shape, Prompts(box=(1040, 1000, 1080, 1040)))
        assert tile.box == (512, 512, 1536, 1536)
        one = tiled.at(tile)
        store.get(predictor, image[512:1536, 512:1536], (200, 1500))
        assert store.made == 1
        assert one.levels[0].shape == (1024, 1024)

    def test_keeping_a_large_picture_keeps_all_its_tiles(self, predictor, store):
        quick = Quick(predictor.model)
        image = field((2100, 3000))
        assert store.keep(quick, image) == 20 * 2  # bytes
        assert store.made == len(tiles_of(image.shape)) == 20
        store.get(quick, image).at(tile_for(image.shape, Prompts([(700, 700)], [1])))
        assert store.keep(quick, image) == 20 * 2
        assert store.made == 20
        assert EmbeddingStore(MemoryStore(20)).keep(quick, image) == 0

    def test_no_picture_is_refused_at_once(self, predictor, store):
        with pytest.raises(InputError, match="shape"):
            store.get(predictor, np.zeros((5000, 5000, 7), np.uint8))
