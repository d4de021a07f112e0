"""What lies on users' disks since commit 5d1c1d7 is read, hit and gone on with: nothing is lost."""

from __future__ import annotations

import csv
import json
import lzma
import os
import shutil
from dataclasses import asdict
from itertools import islice
from pathlib import Path

import numpy as np
import platformdirs
import pytest
import tifffile
import torch

from napari_sam.batch.label_output import LabelOutput
from napari_sam.batch.refine import RefineTask
from napari_sam.batch.segment import SegmentTask
from napari_sam.cli.main import main
from napari_sam.inference.automatic.selection import proposals_to_labels
from napari_sam.inference.automatic.tiled import iter_tiles
from napari_sam.inference.predictor import Predictor
from napari_sam.inference.store.disk import DiskStore
from napari_sam.inference.store.memory import MemoryStore
from napari_sam.inference.store.store import EmbeddingStore, embeddings_folder
from napari_sam.model.config import CONFIGS
from napari_sam.model.load import load_model
from napari_sam.prompts import Prompts
from napari_sam.session.changes import Kind
from napari_sam.session.disk.fingerprint import Match
from napari_sam.session.disk.folder import restore
from napari_sam.session.disk.library import all_saved, all_unreadable, best_match, sessions_folder
from napari_sam.session.drawing import accept
from napari_sam.settings import Settings, load_settings, save_settings, settings_path
from napari_sam.zoo.catalogue import models_folder
from napari_sam.zoo.own_models import own_folder, own_models
from tests.fakes import ArrayTarget
from tests.written import drawing, made

EXACT = 1e-4
PLACES = "NAPARI_SAM_EMBEDDINGS", "NAPARI_SAM_MODELS", "NAPARI_SAM_SESSIONS"


class Looked(Exception):
    """The image encoder was asked, though what it says is kept."""


@pytest.fixture(autouse=True)
def one_thread():
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


@pytest.fixture(autouse=True)
def float32(monkeypatch):
    """Of which the kept numbers are; other processors would take bfloat16."""
    monkeypatch.setattr("napari_sam.model.load.has_matrix_units", lambda: False)


@pytest.fixture(autouse=True)
def empty_places(tmp_path, monkeypatch):
    """Nothing is kept anywhere but what a test puts there."""
    for name in PLACES:
        monkeypatch.setenv(name, str(tmp_path / name))


@pytest.fixture
def copied(tmp_path):
    """A folder of files, of which a test may change its own copy."""
    return lambda name: Path(shutil.copytree(made.HERE / name, tmp_path / name))


def read(name):
    return json.loads((made.HERE / name).read_text("utf-8"))


def arrays(name):
    with np.load(made.HERE / name, allow_pickle=False) as file:
        return dict(file)


def blind(predictor):
    """Return a predictor that must not look at any picture."""

    def look(*_):
        raise Looked

    predictor.model.image_encoder.register_forward_pre_hook(look)
    return predictor


@pytest.fixture
def shipped():
    return Predictor(load_model("cells_tiny", "cpu"))


@pytest.fixture
def sleeping():
    return blind(Predictor(load_model("cells_tiny", "cpu")))


def same_answers(found, expected):
    np.testing.assert_array_equal(found["masks"], expected["masks"])
    np.testing.assert_allclose(found["scores"], expected["scores"], rtol=0, atol=EXACT)


@pytest.fixture(params=drawing.SHAPES)
def reopened(request, copied):
    """What kind of session it is, the session over empty labels, the labels, and its folder."""
    pixels = made.stack() if request.param == "stack" else made.picture()
    saved, _ = best_match(
        all_saved(copied("sessions") / "saved"), made.manifest(pixels, "renamed.tif")
    )
    restored, labels = restore(saved.path), np.zeros(drawing.SHAPES[request.param], np.uint16)
    restored.session.labels.write_to(ArrayTarget(labels))
    yield request.param, restored, labels
    if restored.session.log is not None:
        restored.folder.close()


def test_saved_work_is_found_by_its_picture(copied):
    parent = copied("sessions") / "saved"
    assert all_unreadable(parent) == []
    assert len(all_saved(parent)) == 2
    for pixels, name in ((made.stack(), "stack.tif"), (made.picture(), "flat.tif")):
        manifest = made.manifest(pixels, name)
        saved, match = best_match(all_saved(parent), manifest)
        assert (saved.manifest, match) == (manifest, Match.SAME)
        changed = made.manifest(pixels + 1, name)
        assert best_match(all_saved(parent), changed)[1] is Match.CHANGED


def test_saved_work_is_all_there(reopened):
    kind, restored, labels = reopened
    assert (restored.damaged, restored.lost) == (False, 0)
    assert drawing.everything(restored.session) == read(f"sessions/{kind}.json")
    np.testing.assert_array_equal(labels, arrays(f"sessions/{kind}.npz")["now"])


def test_saved_work_can_be_undone_to_its_beginning_and_made_again(reopened):
    kind, restored, labels = reopened
    walked = drawing.walk(restored.session, labels)
    np.testing.assert_array_equal(walked, arrays(f"sessions/{kind}.npz")["walked"])


def test_saved_work_goes_on_with_the_object_that_is_being_drawn(reopened):
    kind, restored, labels = reopened
    session, known = restored.session, read(f"sessions/{kind}.json")
    asked, draft = session.request.prompts, known["draft"]
    assert [list(point) for point in asked.points] == draft["points"]
    assert list(asked.labels) == draft["labels"]
    drawing.answer(session)
    before, done = labels.copy(), len(session.history.done)
    number = accept(session).object_id
    assert (draft["object"] == number) is (str(number) in known["objects"])
    label = session.objects[number].class_id if session.semantic else number
    assert set(labels[labels != before]) == {label}
    restored.folder.close()
    again = restore(restored.folder.path)
    assert len(again.session.history.done) == done + 1
    assert drawing.everything(again.session) == drawing.everything(session)
    again.folder.close()


YOUNGER = {  # than these files; other tests read them again
    *(Kind.ADOPTED, Kind.CLEANED, Kind.COMPARED, Kind.TRACKED),
    *(Kind.COPIED, Kind.INTERPOLATED, Kind.ENDED),
}


def test_the_saved_stack_has_steps_of_every_kind():
    """Else the tests above would say little."""
    text = "".join(
        path.read_text("utf-8")
        for path in (made.HERE / "sessions" / "saved").glob("*/**/*.json*")
        if path.name.startswith(("journal", "state"))
    )
    assert {kind for kind in Kind if f'"{kind.name}"' not in text} == YOUNGER
    lines = "do", "undo", "redo", "grow", "adopt", "semantic", "view"
    assert [line for line in lines if f'{{"{line}":' not in text] == []


@pytest.mark.parametrize("name", made.embedded())
def test_embeddings_on_disk_are_hit(copied, name):
    size, pixels, contrast = made.embedded()[name]
    predictor = blind(made.known(size))
    store = EmbeddingStore(MemoryStore(0), DiskStore(copied("embeddings/kept"), 10**9))
    embedding = store.get(predictor, pixels, contrast)
    assert store.made == 0
    assert embedding.shape == pixels.shape[:2]
    skips = {level.features.skips is not None for level in embedding.levels}
    assert skips == {size == "cells"}
    with pytest.raises(Looked):
        store.get(predictor, pixels + 1, contrast)


def test_embeddings_of_the_shipped_model_are_hit_and_answer_as_before(copied, sleeping):
    store = EmbeddingStore(MemoryStore(0), DiskStore(copied("embeddings/kept"), 10**9))
    embedding = store.get(sleeping, made.little())
    found = sleeping.predict(embedding, Prompts(points=[(4, 4)], labels=[1]))
    same_answers({"masks": found.masks, "scores": found.scores}, arrays("embeddings/answer.npz"))
    with pytest.raises(Looked):
        store.get(sleeping, made.little().T + 1)


@pytest.mark.parametrize("name", CONFIGS)
def test_embeddings_of_each_size_are_looked_for_under_the_same_name(name):
    known, pixels = read("embeddings/keys.json")[name], made.little()
    assert made.key_of(made.shapes_of(name), pixels) == known["key"]
    assert made.key_from(known["text"], pixels) == known["key"]


def test_every_file_of_embeddings_is_tried():
    keys = {made.key_of(made.known(size), *rest) for size, *rest in made.embedded().values()}
    kept = {path.name.split(".")[0] for path in (made.HERE / "embeddings/kept").iterdir()}
    assert len(kept - keys) == 1  # that of the shipped model
    assert keys <= kept


@pytest.fixture
def trained(copied, monkeypatch):
    """The models of a user: adapters, and a whole one put together from what is kept of it."""
    folder = copied("models")
    monkeypatch.setenv("NAPARI_SAM_MODELS", str(folder))
    head, rest = (folder / "own" / f"whole.{part}" for part in ("head", "rest"))
    whole = made.put_together(head.read_bytes(), rest.read_bytes())
    head.with_suffix(".safetensors").write_bytes(whole)
    return read("models/about.json")


def test_own_models_are_listed_as_before(trained):
    found = own_models()
    assert found.keys() == trained.keys()
    for name, own in found.items():
        known = trained[name]
        assert (own.path.name, own.about()) == (known["file"], known["about"])
        assert own.header == known["header"]


@pytest.mark.parametrize("name", ["small", "whole"])
def test_own_models_answer_as_before(trained, name):
    model = load_model(name, "cpu")
    header = trained[name]["header"]
    assert (model.entry.name, model.entry.digest) == (name, trained[name]["digest"])
    assert (model.entry.config, model.entry.licence) == ("cells_tiny", header["licence"])
    found, base = made.answers(Predictor(model), made.picture()), arrays("models/base.npz")
    same_answers(found, arrays(f"models/{name}.npz"))
    assert abs(found["scores"] - base["scores"]).max() > 10 * EXACT  # it is not the base


def rows(table):
    return list(csv.DictReader(table.read_text("utf-8").splitlines()))


def test_a_stopped_training_goes_on_where_it_was(copied):
    folder = copied("tuning")
    packed = folder / "checkpoint.pt.xz"
    packed.with_suffix("").write_bytes(lzma.decompress(packed.read_bytes()))
    run = made.tuning(folder)
    seen = [step for step in run.run() if step.result.loss is not None]
    assert [(step.done, step.total) for step in seen] == [(2, 3), (3, 3)]
    before, *_ = log = rows(folder / "log.csv")
    assert len(log) == 3
    then = rows(made.HERE / "tuning/log.csv")[0]
    assert {name: value for name, value in then.items() if value}.items() <= before.items()


def test_tiles_that_were_done_are_not_searched_again(copied, sleeping):
    pixels, expected = made.large(), [*arrays("tiles/labels.npz").values()]
    steps = iter_tiles(sleeping, pixels, made.GRID, tiling=made.TILING, folder=copied("tiles/kept"))
    for step, labels in zip(islice(steps, made.TILES_DONE), expected, strict=False):
        found = proposals_to_labels(step.result.found, shape=pixels.shape)
        assert found.any()
        gone = found != labels  # rests of overlaps that are too thin, which were kept then
        assert not found[gone].any()
        assert np.count_nonzero(gone) < 0.03 * np.count_nonzero(labels)
    with pytest.raises(Looked):
        next(steps)


def test_a_search_in_tiles_ends_as_if_it_had_not_been_stopped(copied, shipped):
    pixels, expected = made.large(), [*arrays("tiles/labels.npz").values()]
    *_, last = iter_tiles(
        shipped, pixels, made.GRID, tiling=made.TILING, folder=copied("tiles/kept")
    )
    found = proposals_to_labels(last.result.kept, shape=pixels.shape)
    np.testing.assert_array_equal(found, expected[-1])


@pytest.mark.parametrize("kind", ["segment", "refine"])
def test_slices_that_were_done_are_not_made_again(tmp_path, sleeping, kind):
    stack, rough = tmp_path / "stack.tif", tmp_path / "rough.tif"
    made.write_stack(stack, made.stack())
    made.write_stack(rough, made.rough())
    to = LabelOutput(tmp_path / "labels.tif", {})
    tasks = {"segment": SegmentTask(stack, to, made.GRID), "refine": RefineTask(stack, to, rough)}
    shutil.copytree(made.HERE / "parts" / kind, tmp_path / ".labels.tif.parts")
    with tasks[kind].opened(sleeping) as open_task:
        for part in open_task.parts[: made.SLICES_DONE]:
            list(open_task.do(part))
        with pytest.raises(Looked):
            list(open_task.do(open_task.parts[made.SLICES_DONE]))


def results(folder):
    """Put the folder in front of what is said of the inputs, and give them their date."""
    for beside in folder.glob("*.tif.json"):
        said = json.loads(beside.read_text("utf-8"))
        for one in said["inputs"].values():
            path = (folder / one["path"]).resolve()
            os.utime(path, ns=(one["modified"], one["modified"]))
            one["path"] = str(path)
        beside.write_text(json.dumps(said), encoding="utf-8")


@pytest.mark.parametrize("name", made.COMMANDS)
def test_results_that_are_there_are_not_made_again(copied, monkeypatch, capsys, name):
    folder = copied("results")
    results(folder)
    monkeypatch.chdir(folder)
    output = folder / f"{name}.tif"
    before = output.read_bytes()
    assert main([*made.COMMANDS[name], "--resume", "--json"]) == 0
    [report] = json.loads(capsys.readouterr().out)["images"]
    assert report["skipped"] is True
    assert report["objects"] == read(f"results/{name}.tif.json")["report"]["objects"]
    assert output.read_bytes() == before
    assert tifffile.imread(output).any()


def test_results_of_another_picture_are_made_again(copied, monkeypatch, capsys):
    folder = copied("results")
    results(folder)
    monkeypatch.chdir(folder)
    os.utime("cells.tif", ns=(made.NOW + 10**9, made.NOW + 10**9))
    assert main([*made.COMMANDS["refine"], "--resume", "--json"]) == 0
    [report] = json.loads(capsys.readouterr().out)["images"]
    assert "skipped" not in report


def test_every_setting_is_read_and_kept(copied):
    path = copied("settings") / "settings.json"
    written, defaults = read("settings/settings.json"), asdict(Settings())
    known = asdict(load_settings(path))
    assert known == {**defaults, **written}  # those that came later are as usual
    assert [key for key, value in written.items() if value == defaults[key]] == []
    save_settings(load_settings(path), path)
    assert json.loads(path.read_text("utf-8")) == known


def test_everything_is_looked_for_in_the_same_places(tmp_path, monkeypatch):
    for name in PLACES:
        monkeypatch.delenv(name)
    for name in ("HOME", "XDG_CONFIG_HOME"):
        monkeypatch.setenv(name, str(tmp_path))  # where nothing is set
    config, cache, data = (
        Path(place("napari-sam", appauthor=False))
        for place in (
            platformdirs.user_config_dir,
            platformdirs.user_cache_dir,
            platformdirs.user_data_dir,
        )
    )
    assert settings_path() == config / "settings.json"
    assert embeddings_folder() == cache / "embeddings"
    assert models_folder() == cache / "models"
    assert own_folder() == cache / "models" / "own"
    assert sessions_folder() == data / "sessions"
