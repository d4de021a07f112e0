"""The predictor with random weights: shapes, windows, coordinates, errors."""

import numpy as np
import pytest
import torch

from napari_sam.errors import CheckpointError, DeviceError, InputError
from napari_sam.inference.batching import in_batches
from napari_sam.inference.predictor import Predictor
from napari_sam.inference.windows import View, find_windows
from napari_sam.model.config import CONFIGS
from napari_sam.model.load import load_model
from napari_sam.model.sam import Sam
from napari_sam.prompts import Prompts
from napari_sam.results import Prediction


@pytest.fixture(scope="module")
def predictor():
    torch.manual_seed(0)
    return Predictor(Sam(CONFIGS["cells_tiny"]).eval())


@pytest.fixture(scope="module")
def wide(predictor):
    """A picture with four levels: enlarged to 1536, and at 768, 384 and 256 as well."""
    return predictor.embed(np.random.default_rng(0).random((600, 1300)))


class Drawing(Predictor):
    """Draws the prompt in its window instead of running a network."""

    def __init__(self, predictor):
        super().__init__(predictor.model)

    def predict(self, embedding, prompts, level=0):
        windows = find_windows(embedding, self.config, prompts)
        window = next(w for w in windows if w[0] >= level)
        view = View(embedding, self.config, window)
        like = torch.zeros(1)
        points = boxes = masks = None
        labels = torch.from_numpy(prompts.labels)[None]
        if len(prompts.points):
            points = torch.from_numpy(view.to_frame(prompts.points))[None]
        if prompts.box is not None:
            boxes = torch.from_numpy(view.to_frame(prompts.box.reshape(2, 2))).reshape(1, 4)
        if prompts.mask is not None:
            masks = view.mask_logits(prompts.mask, like)[None]
        drawn = self.model.drawn_prompts.rasterise(view.size, points, labels, boxes, masks)[0]
        channel = 4 if boxes is not None else 6 if masks is not None else 0
        logits = drawn[channel : channel + 1] - (0.6 if points is not None else 0)
        return view, view.masks(logits)[0], view.whole(logits)


@pytest.mark.parametrize(
    "shape", [(64, 64), (100, 60), (1, 700), (5, 1), (1, 1), (512, 512), (300, 520)]
)
@pytest.mark.parametrize("dtype", [np.uint8, np.uint16, np.int32, np.float32, np.float64, bool])
def test_any_shape_and_dtype_gives_masks_of_the_picture(predictor, shape, dtype):
    if dtype != np.uint8 and shape != (100, 60):
        shape = (33, 47)  # every dtype once is enough
    picture = np.random.default_rng(0).random(shape) * 200
    embedding = predictor.embed(picture.astype(dtype))
    result = predictor.predict(embedding, Prompts([(shape[0] - 1, shape[1] - 1)], [1]))
    assert result.masks.shape == (3, *shape)
    assert result.masks.dtype == bool
    assert result.scores.dtype == np.float32
    assert list(result.scores) == sorted(result.scores, reverse=True)
    again = predictor.predict(
        embedding, Prompts([(0, 0), (shape[0] - 1, 0)], [1, 0], mask=result.logits[0])
    )
    assert again.masks.shape == (1, *shape)


def test_three_masks_for_exactly_one_point(predictor, wide):
    point = Prompts([(5, 5)], [1])
    assert len(predictor.predict(wide, point).masks) == 3
    assert len(predictor.predict(wide, point, multimask=False).masks) == 1
    assert len(predictor.predict(wide, Prompts([(5, 5), (9, 9)], [1, 0])).masks) == 1
    assert len(predictor.predict(wide, Prompts(box=(1, 1, 9, 9))).masks) == 1
    assert len(predictor.predict(wide, Prompts(box=(1, 1, 9, 9)), multimask=True).masks) == 3


def test_a_batch_equals_its_members(predictor, wide):
    mask = np.zeros(wide.shape, bool)
    mask[300:330, 900:940] = True
    many = [
        Prompts([(20, 30)], [1]),
        Prompts([(500, 1200)], [1]),
        Prompts(box=(100, 100, 180, 160)),
        Prompts(box=(10, 10, 590, 1200)),
        Prompts(mask=mask),
        Prompts([(20, 30), (40, 30)], [1, 0]),
        *(Prompts([(300, 600 + i)], [1]) for i in range(6)),
    ]
    for one, result in zip(many, predictor.predict_batch(wide, many), strict=True):
        alone = predictor.predict(wide, one)
        np.testing.assert_allclose(result.logits, alone.logits, atol=1e-4)
        np.testing.assert_allclose(result.scores, alone.scores, atol=1e-5)


@pytest.mark.parametrize("shape", [(512, 512), (200, 130), (600, 1300)])
@pytest.mark.parametrize("place", [(20.0, 30.0), (150.0, 100.0), (199.0, 129.0)])
def test_a_click_lands_on_its_pixel(predictor, shape, place):
    embedding = predictor.embed(np.zeros(shape, np.uint8))
    for level in range(len(embedding.levels)):
        scale = embedding.levels[level].shape[0] / shape[0]
        _, mask, _ = Drawing(predictor).predict(embedding, Prompts([place], [1]), level)
        inner = [3 < p * scale < n * scale - 4 for p, n in zip(place, shape, strict=True)]
        if mask.any() and all(inner):
            np.testing.assert_allclose(np.argwhere(mask).mean(axis=0), place, atol=1 / scale)


@pytest.mark.parametrize("box", [(100, 200, 160, 280), (40, 100, 560, 1200), (0, 0, 40, 40)])
def test_a_box_lands_on_its_pixels(predictor, wide, box):
    view, mask, _ = Drawing(predictor).predict(wide, Prompts(box=box))
    scale = view.shape[0] / wide.shape[0]
    rows, columns = np.nonzero(mask)
    seen = (rows.min(), columns.min(), rows.max(), columns.max())
    np.testing.assert_allclose(seen, box, atol=1 + 2 / scale)


@pytest.mark.parametrize("region", [np.s_[100:160, 700:800], np.s_[50:550, 100:1250]])
def test_a_mask_prompt_lies_on_its_pixels_and_its_logits_come_back(predictor, wide, region):
    mask = np.zeros(wide.shape, bool)
    mask[region] = True
    view, drawn, logits = Drawing(predictor).predict(wide, Prompts(mask=mask))
    assert (drawn & mask).sum() / (drawn | mask).sum() > 0.98
    back = view.mask_logits(logits[0].numpy(), logits) > 0
    sent = view.mask_logits(mask, logits) > 0
    assert (back != sent).float().mean() < 0.01


def levels(embedding, predictor, prompts):
    return [window[0] for window in find_windows(embedding, predictor.config, prompts)]


def test_large_prompts_are_seen_whole(predictor, wide):
    assert levels(wide, predictor, Prompts(box=(10, 10, 590, 1290))) == [3]
    far = Prompts([(10, 10), (10, 300)], [1, 1])  # 290 pixels are more than three quarters of 256
    assert levels(wide, predictor, far) == [1, 2, 3]


def test_known_sizes_choose_the_level(predictor, wide):
    assert levels(wide, predictor, Prompts(box=(100, 100, 140, 140))) == [0, 1, 2, 3]
    assert levels(wide, predictor, Prompts(box=(100, 100, 150, 228))) == [1, 2, 3]  # 128 to 64
    mask = np.zeros(wide.shape, bool)
    mask[100:229, 100:150] = True
    assert levels(wide, predictor, Prompts(mask=mask)) == [1, 2, 3]
    logits = np.zeros(wide.logits_size, np.float32)
    assert levels(wide, predictor, Prompts([(300, 700)], [1], mask=logits)) == [0, 1, 2, 3]
    assert levels(wide, predictor, Prompts(mask=logits)) == [3]


def test_more_clicks_keep_the_windows(predictor, wide):
    first = find_windows(wide, predictor.config, Prompts([(300, 700)], [1]))
    assert find_windows(wide, predictor.config, Prompts([(300, 700), (330, 650)], [1, 0])) == first


def test_a_mask_that_leaves_its_window_is_predicted_coarser(predictor, wide, monkeypatch):
    levels = []

    def everything(features, points, labels, boxes, masks):
        levels.append(features)
        h, w = features.embedding.shape[-2:]
        return torch.full((1, 4, 4 * h, 4 * w), 5.0), torch.zeros(1, 4)

    monkeypatch.setattr(predictor.model, "decode", everything)
    result = predictor.predict(wide, Prompts([(300, 700)], [1]))
    assert result.masks[0].all()
    assert len(levels) == len(wide.levels)


SAID = [[0.7, 0.3, 0.2], [0.75, 0.6, 0.1], [0.9, 0.4, 0.3]]


class Scripted(Predictor):
    """Answers level k with masks that cover row k, and with the scores that it is told."""

    def __init__(self, predictor, cut=(), said=SAID):
        super().__init__(predictor.model)
        self.cut, self.said, self.asked = cut, said, []

    def _decode(self, view, three, prompts):
        level = view.window[0]
        self.asked.append(level)
        scores = np.array(self.said[level][: 3 if three else 1], np.float32)
        masks = np.zeros((len(scores), *view.embedding.shape), bool)
        masks[:, level] = True
        logits = np.full((len(scores), *view.embedding.logits_size), level, np.float32)
        return [(Prediction(masks, scores, logits), level in self.cut)] * len(prompts)


@pytest.fixture(scope="module")
def small(predictor):
    """A picture that is enlarged to 768, and seen at 384 and 256 as well: three levels."""
    return predictor.embed(np.random.default_rng(0).random((256, 200)))


@pytest.mark.parametrize(
    ("cut", "scores", "levels"),
    [
        ((), [0.84, 0.72, 0.7], [2, 1, 0]),  # a level's own three are all the same
        ((2,), [0.72, 0.7, 0.57], [1, 0, 1]),
        ((1, 2), [0.7, 0.3, 0.2], [0, 0, 0]),
        ((0, 1, 2), [0.9, 0.4, 0.3], [2, 2, 2]),  # all are cut: the coarsest shows most, unrivalled
    ],
)
def test_the_levels_that_cut_nothing_answer_together(predictor, small, cut, scores, levels):
    found = Scripted(predictor, cut).predict(small, Prompts([(30, 70)], [1]))
    np.testing.assert_allclose(found.scores, scores, atol=1e-6)
    assert [mask.any(axis=1).argmax() for mask in found.masks] == levels
    assert found.logits[:, 0, 0].tolist() == levels


@pytest.mark.parametrize(("second", "chosen"), [(0.72, 0.7), (0.74, 0.71)])
def test_a_coarser_level_must_be_clearly_better(predictor, small, second, chosen):
    model = Scripted(predictor, said=[[0.7], [second], [0.75]])
    found = model.predict(small, Prompts([(30, 70), (40, 70)], [1, 0]))
    np.testing.assert_allclose(found.scores, [chosen])


def test_below_its_own_scale_a_picture_is_seen_only_where_nothing_finer_shows_the_object(
    predictor, wide
):
    click = Prompts([(300, 700)], [1])
    whole, cut = Scripted(predictor), Scripted(predictor, cut=(0,))
    assert whole.predict(wide, click).scores[0] == pytest.approx(0.7)
    assert cut.predict(wide, click).scores[0] == pytest.approx(0.75)  # unrivalled
    assert (whole.asked, cut.asked) == ([0], [0, 1])


def test_a_box_is_looked_for_at_one_level_unless_its_window_cuts_the_mask(predictor, small):
    box = Prompts(box=(100, 100, 120, 120))
    whole, cut = Scripted(predictor), Scripted(predictor, cut=(0, 1))
    np.testing.assert_allclose(whole.predict(small, box).scores, [0.7])
    np.testing.assert_allclose(cut.predict(small, box).scores, [0.9])
    assert (whole.asked, cut.asked) == ([0], [0, 1, 2])


def test_the_contrast_is_recorded(predictor):
    picture = np.arange(100, dtype=np.uint16).reshape(10, 10)
    assert predictor.embed(picture, contrast=(10, 50)).contrast == (10, 50)
    low, high = predictor.embed(picture).contrast
    assert 0 <= low < 1
    assert 98 < high <= 99


@pytest.mark.parametrize(
    ("prompts", "word"),
    [
        (lambda: Prompts([(600, 5)], [1]), "outside"),
        (lambda: Prompts([(5, -1)], [1]), "outside"),
        (lambda: Prompts(box=(-20, 0, 10, 10)), "leaves"),
        (lambda: Prompts(mask=np.ones((5, 5), bool)), "picture's shape"),
        (lambda: Prompts(mask=np.zeros((64, 64), np.float32)), "Prediction.logits"),
        (lambda: Prompts(text=np.ones(8)), "words"),
    ],
)
def test_prompts_that_do_not_fit_are_refused(predictor, wide, prompts, word):
    with pytest.raises(InputError, match=word):
        predictor.predict(wide, prompts())


def test_out_of_memory_halves_the_batch_with_a_notice():
    sizes = []

    def work(items):
        sizes.append(len(items))
        if len(items) > 1:
            raise torch.OutOfMemoryError
        return items

    with pytest.warns(UserWarning, match="batches of"):
        assert in_batches(work, [1, 2, 3], torch.device("cpu")) == [1, 2, 3]
    assert sizes == [3, 2, 1, 1, 1]


def test_out_of_memory_for_one_object_says_what_to_do():
    def work(items):
        raise torch.OutOfMemoryError

    with (
        pytest.warns(UserWarning, match="batches of"),
        pytest.raises(DeviceError, match="smaller model"),
    ):
        in_batches(work, [1, 2], torch.device("cpu"))


def test_out_of_memory_for_the_picture_says_what_to_do(predictor, monkeypatch):
    def encode(pixels):
        raise torch.OutOfMemoryError

    monkeypatch.setattr(predictor.model, "encode", encode)
    with pytest.raises(DeviceError, match="smaller model"):
        predictor.embed(np.zeros((64, 64)))


@pytest.mark.parametrize("name", ["cells_tiny", "vit_t"])
def test_answers_at_the_limits_of_prompts_are_finite(predictor, name):
    torch.manual_seed(0)
    asked = predictor if name == "cells_tiny" else Predictor(Sam(CONFIGS[name]).eval())
    embedding = asked.embed(np.random.default_rng(0).random((60, 80)))
    logits = np.full(embedding.logits_size, 1e6, np.float32)
    prompts = [
        Prompts(box=(5, 5, 5.01, 40)),
        Prompts(box=(30, 30, 30.01, 30.01)),
        Prompts(mask=logits),
        Prompts(mask=-logits),
        Prompts(mask=np.where(np.indices(logits.shape).sum(0) % 2, logits, -logits)),
    ]
    for answer in asked.predict_batch(embedding, prompts):
        assert np.isfinite(answer.scores).all()
        assert np.isfinite(answer.logits).all()


@pytest.mark.parametrize("part", ["image_encoder", "mask_decoder"])
def test_answers_that_are_no_numbers_are_refused(part):
    """Weights may be finite and their products not."""
    model = Sam(CONFIGS["cells_tiny"]).eval()
    with torch.no_grad():
        for weights in model.get_submodule(part).parameters():
            weights.fill_(1e30)
    predictor = Predictor(model)

    def ask():
        return predictor.predict(predictor.embed(np.eye(40)), Prompts(box=(5, 5, 20, 20)))

    with pytest.raises(CheckpointError, match="answers with values that are not finite"):
        ask()


def test_only_prompts_are_prompts(predictor, wide):
    for strange in ([3], "abc", [None]):
        with pytest.raises(InputError, match="asked for with Prompts; got"):
            predictor.predict_batch(wide, strange)


def test_the_work_of_an_embedding_is_told_about_as_often_as_it_pauses():
    predictor = Predictor(load_model("cells_tiny", "cpu"))
    work = predictor.work((40, 60))
    pauses = []
    predictor.embed(np.zeros((40, 60), np.uint8), pause=lambda: pauses.append(None))
    assert len(work) <= len(pauses) < 1.1 * len(work) + 10
    assert (np.diff(work) > 0).all()
    np.testing.assert_allclose(work[-1], 1)
