"""A user's run: progress, pause, stop, resume, the table, and the new model under its name."""

from dataclasses import replace

import numpy as np
import pytest
import torch

from napari_sam.data.samples import images_from_arrays
from napari_sam.errors import CheckpointError, InputError
from napari_sam.model.build import SIZES, build
from napari_sam.model.load import load_model
from napari_sam.training.finetune import FineTuning, Plan
from napari_sam.training.plan import recipe_for
from tests.training.conftest import discs

PLAN = Plan("decoder", steps=4)


@pytest.fixture(autouse=True)
def small_steps(monkeypatch):
    """Batches of two crops with two objects, from eight views."""
    where = "napari_sam.training.finetune"
    monkeypatch.setattr(f"{where}.views_for", lambda config, pictures: 8)
    monkeypatch.setattr(
        f"{where}.recipe_for",
        lambda plan, config: replace(recipe_for(plan, config), pictures=2, objects=2),
    )


@pytest.fixture
def validation():
    return images_from_arrays("held out", *discs(9))


def run_of(pictures, validation, folder, plan=PLAN):
    return FineTuning(load_model("cells_tiny", "cpu"), pictures, validation, plan, folder)


def test_sam_2_is_refused_as_a_base(pictures, validation, tmp_path):
    with torch.device("meta"):
        base = build(SIZES["sam2_tiny"])
    with pytest.raises(InputError, match="cannot be trained here; take cells_tiny"):
        FineTuning(base, pictures, validation, PLAN, tmp_path)


def test_a_run_tells_where_it_is_and_ends_with_a_table(pictures, validation, tmp_path, monkeypatch):
    monkeypatch.setenv("NAPARI_SAM_MODELS", str(tmp_path / "models"))
    run = run_of(pictures, validation, tmp_path / "run")
    seen = list(run.run())
    phases = list(dict.fromkeys(p.result.phase for p in seen))
    assert phases == [
        *("Scoring the base model", "Looking at the pictures", "Training", "Scoring the new model")
    ]
    training = [p for p in seen if p.result.phase == "Training" and p.result.loss is not None]
    assert [(p.done, p.total) for p in training] == [(n, 4) for n in (1, 2, 3, 4)]
    assert training[-1].seconds_left == 0
    last = training[-1].result
    assert 0 <= last.validation <= 1
    assert last.preview.predicted.shape == last.preview.truth.shape == (96, 120)
    assert 0 <= last.everything <= 1
    measures = [row["measure"] for row in run.table]
    assert measures == ["1 click", "3 clicks", "Box", "Everything (F1)"]
    assert run.table[3]["after"] >= run.table[3]["before"]
    assert run.table[0]["after"] >= run.table[0]["before"] - 1e-6  # the base itself may stay

    file = run.save("discs")
    again = load_model("discs", "cpu")
    assert again.entry.name == "discs"
    assert file.parent == tmp_path / "models" / "own"
    for name, value in again.instance_decoder.state_dict().items():
        mine = run.model.instance_decoder.state_dict()[name]
        torch.testing.assert_close(value, mine, rtol=2e-3, atol=1e-4)
    encoder = load_model("cells_tiny", "cpu").image_encoder.state_dict()
    for name, value in again.image_encoder.state_dict().items():
        torch.testing.assert_close(value, encoder[name], rtol=2e-3, atol=1e-4)


def test_a_stopped_run_goes_on_where_it_was(pictures, validation, tmp_path):
    whole = run_of(pictures, validation, tmp_path / "whole")
    list(whole.run())
    first = run_of(pictures, validation, tmp_path / "run")
    steps = first.run()
    while next(steps).done != 2 or first.trainer.step != 2:
        pass
    steps.close()
    second = run_of(pictures, validation, tmp_path / "run")
    seen = list(second.run())
    assert "Scoring the base model" not in {p.result.phase for p in seen}
    assert [p.done for p in seen if p.result.phase == "Training" and p.result.loss is not None] == [
        3,
        4,
    ]
    for name, value in whole.trainer.ema.values.items():
        assert torch.equal(value, second.trainer.ema.values[name]), name
    assert second.table == whole.table
    lines = (tmp_path / "run" / "log.csv").read_text().split()
    assert [line.split(",")[0] for line in lines] == ["step", "1", "2", "3", "4"]


def test_another_plan_or_other_pictures_are_not_mixed_up(pictures, validation, tmp_path):
    steps = run_of(pictures, validation, tmp_path).run()
    while next(steps).result.phase != "Training":
        pass
    steps.close()
    with pytest.raises(InputError, match="another plan"):
        next(run_of(pictures, validation, tmp_path, Plan("decoder", steps=5)).run())
    with pytest.raises(InputError, match="other pictures"):
        next(run_of(pictures[:1], validation, tmp_path).run())
    with pytest.raises(CheckpointError, match="other weights"):
        next(run_of(pictures, validation, tmp_path, Plan("everything", steps=4)).run())


def test_adapters_are_saved_as_a_small_file_over_their_base(
    pictures, validation, tmp_path, monkeypatch
):
    monkeypatch.setenv("NAPARI_SAM_MODELS", str(tmp_path / "models"))
    run = run_of(pictures, validation, tmp_path / "run", Plan("adapters", steps=2))
    list(run.run())
    file = run.save("small")
    assert file.stat().st_size < 0.9e6  # with the instance head, which learned, too
    model = load_model("small", "cpu")
    picture = validation[0]
    from napari_sam import Predictor, Prompts

    click = Prompts([(20, 20)], [1])
    run.model.eval()
    expected, found = (
        Predictor(m).predict(Predictor(m).embed(picture.rgb), click).scores
        for m in (run.model, model)
    )
    np.testing.assert_allclose(found, expected, atol=2e-3)


def test_no_pictures_are_refused(tmp_path):
    with pytest.raises(InputError, match="no labelled picture"):
        run_of([], [], tmp_path)


def test_without_validation_pictures_the_last_weights_ship(pictures, tmp_path):
    run = run_of(pictures, [], tmp_path)
    assert {p.result.phase for p in run.run()} == {"Looking at the pictures", "Training"}
    assert run.table == []


def test_a_full_disk_takes_the_checkpoint_and_not_the_run(pictures, tmp_path, monkeypatch, caplog):
    def refuse(state, file):
        raise RuntimeError("unexpected pos 704 vs 598")  # as torch has it

    monkeypatch.setattr(torch, "save", refuse)
    run = run_of(pictures, (), tmp_path / "run")
    assert [p.done for p in run.run() if p.result.loss is not None] == [1, 2, 3, 4]
    assert "the run goes on without a checkpoint: " in caplog.text
    assert "checkpoint.pt cannot be written; is the disk full? " in caplog.text
    steps = run_of(pictures, (), tmp_path / "run").run()
    while next(steps).result.phase != "Training":
        pass
    with pytest.raises(OSError, match="is the disk full"):  # nothing else has what was learned
        steps.close()


def test_a_model_without_an_instance_decoder_is_measured_by_prompts_alone(
    pictures, validation, tmp_path
):
    base = load_model("cells_tiny", "cpu")
    base.instance_decoder = None
    run = FineTuning(base, pictures, validation, PLAN, tmp_path)
    seen = [progress.result for progress in run.run()]
    assert {state.everything for state in seen} == {None}
    assert [row["measure"] for row in run.table] == ["1 click", "3 clicks", "Box"]
