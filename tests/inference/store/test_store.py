"""Embeddings by content: never stale, never half, never more than allowed."""

from __future__ import annotations

import json
import logging
import os
import re
import subprocess
import sys
import threading
import time
import zipfile
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
import zarr

import napari_sam as ns
from napari_sam.errors import InputError
from napari_sam.inference import predictor as module
from napari_sam.inference.embedding import Embedding, Level, to_half
from napari_sam.inference.predictor import Predictor
from napari_sam.inference.store import memory
from napari_sam.inference.store.disk import DiskStore
from napari_sam.inference.store.memory import MemoryStore
from napari_sam.inference.store.store import EmbeddingStore, embeddings_folder, open_store
from napari_sam.model.config import CONFIGS
from napari_sam.model.sam import Features, Sam
from napari_sam.samples import SAMPLES
from napari_sam.settings import Settings
from napari_sam.zoo.catalogue import Entry

LARGE = 10**9
PICTURE = np.random.default_rng(0).integers(0, 4000, (24, 30), dtype=np.uint16)


@pytest.fixture(scope="module")
def sam():
    torch.manual_seed(0)
    model = Sam(CONFIGS["cells_tiny"]).eval()
    model.entry = Entry("known", "cells_tiny", sha256="ab" * 32)
    return model


@pytest.fixture
def predictor(sam):
    return Predictor(sam)


@pytest.fixture
def store(tmp_path):
    return EmbeddingStore(MemoryStore(LARGE), DiskStore(tmp_path / "kept", LARGE))


def again(store):
    """Return a store over the same folder, as another program opens it."""
    return EmbeddingStore(MemoryStore(LARGE), DiskStore(store.disk.folder, store.disk.budget))


def tensors(embedding):
    return [t for one in embedding.levels for t in (one.features[0], *(one.features[1] or ()))]


def same(one, other):
    assert (one.shape, len(one.levels)) == (other.shape, len(other.levels))
    np.testing.assert_array_equal(one.contrast, other.contrast)
    assert [level.shape for level in one.levels] == [level.shape for level in other.levels]
    pairs = zip(tensors(one), tensors(other), strict=True)
    return all(a.dtype == b.dtype and torch.equal(a, b) for a, b in pairs)


def small(value, floats=64, dtype=torch.float16):
    """Return an embedding of one map, of two bytes a float."""
    image = torch.full((1, floats, 1, 1), float(value), dtype=dtype)
    return Embedding((1, 1), (0.0, 1.0), (Level((1, 1), Features(image)),))


def test_another_program_finds_exactly_what_was_made(store, predictor):
    made = store.get(predictor, PICTURE)
    assert {t.dtype for t in tensors(made)} == {torch.float16}
    other = again(store)
    assert same(other.get(predictor, PICTURE), made)
    assert same(store.get(predictor, PICTURE), made)
    assert (store.made, other.made) == (1, 0)


def test_contrast_of_each_channel_and_a_model_without_skips_come_back(store):
    level = Level((64, 48), Features(torch.rand(1, 8, 4, 4).half()))
    embedding = Embedding((32, 24), (np.zeros(3), np.array([1.0, 2.0, 3.5])), (level,))
    assert store.disk.put("a", embedding)
    assert same(store.disk.get("a"), embedding)


def test_zarr_opens_what_was_written(store, predictor):
    made = store.get(predictor, PICTURE)
    [path] = store.disk.folder.iterdir()
    with zarr.storage.ZipStore(path, mode="r") as file:
        group = zarr.open_group(file, mode="r")
        assert tuple(group.attrs["shape"]) == PICTURE.shape
        assert len(dict(group.arrays())) == 3 * len(made.levels)
        for number, level in enumerate(made.levels):
            parts = (level.features.embedding, *level.features.skips)
            for name, part in zip(("image", "skip4", "skip2"), parts, strict=True):
                np.testing.assert_array_equal(group[f"{number}.{name}"][...], part.numpy())


@pytest.mark.parametrize("value", [1e6, -1e6, 65520.0, np.inf, np.nan])
def test_what_float16_cannot_hold_is_kept_as_it_is(store, value):
    part = torch.zeros(1, 64, 3, 3)
    part[0, 5, 1, 2] = value
    assert to_half(part) is part
    embedding = small(1e6, dtype=torch.float32)
    assert store.disk.put("a", embedding)
    assert same(store.disk.get("a"), embedding)


def test_what_float16_can_hold_is_halved_level_by_level(monkeypatch, predictor):
    picture = np.resize(PICTURE, (200, 200))
    whole, compact = predictor.embed(picture), predictor.embed(picture, compact=True)
    assert {t.dtype for t in tensors(whole)} == {torch.float32}
    assert all(
        torch.equal(a, b.half()) for a, b in zip(tensors(compact), tensors(whole), strict=True)
    )
    done = []
    encode = predictor.model.encode
    monkeypatch.setattr(predictor.model, "encode", lambda x: done.append("encode") or encode(x))
    monkeypatch.setattr(module, "to_half", lambda part: done.append("half") or to_half(part))
    predictor.embed(picture, compact=True)
    assert done == len(whole.levels) * ["encode", "half", "half", "half"]
    assert len(whole.levels) > 1


@pytest.mark.parametrize("name", ["tissue", "nuclei"])
def test_masks_of_what_was_stored_are_those_of_what_is_fresh(store, name):
    predictor = Predictor(ns.load_model("cells_tiny", "cpu"))
    sample = SAMPLES[name]
    picture = sample.read()
    store.get(predictor, picture)
    stored, fresh = again(store).get(predictor, picture), predictor.embed(picture)
    assert not torch.equal(tensors(stored)[0].float(), tensors(fresh)[0])
    for prompts in sample.prompts:
        for multimask in (True, False):
            one = predictor.predict(stored, prompts, multimask)
            other = predictor.predict(fresh, prompts, multimask)
            np.testing.assert_allclose(one.scores, other.scores, atol=0.005)
            best, reference = one.masks[0], other.masks[0]
            assert (best & reference).sum() > 0.99 * (best | reference).sum()


@pytest.mark.parametrize(
    ("other", "contrast"),
    [
        (PICTURE.reshape(30, 24), None),
        (PICTURE + 1, None),
        (PICTURE.view(np.int16), None),
        (PICTURE, (0, 5)),
    ],
    ids=["shape", "pixels", "dtype", "contrast"],
)
def test_another_picture_or_contrast_is_embedded_anew(store, predictor, other, contrast):
    store.get(predictor, PICTURE)
    assert not store.has(predictor, other, contrast)
    assert store.has(predictor, PICTURE)


@pytest.mark.parametrize("change", [{"sha256": "cd" * 32}, {"intensity": "min_max"}])
def test_another_model_is_asked_anew(store, sam, predictor, change):
    store.get(predictor, PICTURE)
    other = Sam(sam.config)
    other.entry = replace(sam.entry, **change)
    assert not store.has(Predictor(other), PICTURE)


def test_the_same_pixels_are_known_however_they_lie_in_memory(store, predictor):
    rgb = np.random.default_rng(1).integers(0, 255, (20, 20, 4), dtype=np.uint8)
    store.get(predictor, PICTURE)
    store.get(predictor, rgb)
    for picture in (np.asfortranarray(PICTURE), PICTURE.astype(">u2"), rgb[..., :3]):
        assert store.has(predictor, picture)


def test_weights_without_a_hash_leave_nothing(store):
    nobody = Predictor(Sam(CONFIGS["cells_tiny"]).eval())
    store.get(nobody, PICTURE)
    assert store.keep(nobody, PICTURE) == 0
    assert not store.has(nobody, PICTURE)
    assert store.size == store.memory.nbytes == 0


def test_bad_pictures_raise_as_the_predictor_does(store, predictor):
    with pytest.raises(InputError, match="empty"):
        store.get(predictor, np.zeros((0, 4)))


def test_an_exception_in_a_pause_leaves_nothing(store, predictor):
    calls = []

    def pause():
        calls.append(1)
        if len(calls) == 5:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        store.keep(predictor, PICTURE, pause=pause)
    assert len(calls) == 5
    assert not store.has(predictor, PICTURE)
    store.get(predictor, PICTURE)
    assert len(calls) == 5  # no hook was left behind


def test_a_pause_may_use_the_model_itself(store, predictor):
    prompts = ns.Prompts(points=[(8, 8)], labels=[1])
    done = store.get(predictor, PICTURE)
    expected = predictor.predict(done, prompts)
    answers, inside = [], []
    other = np.ascontiguousarray(PICTURE[::-1])
    reference = predictor.embed(other)

    def pause():
        assert not inside
        inside.append(True)
        answers.append(predictor.predict(done, prompts))
        if len(answers) == 7:
            assert same(predictor.embed(other), reference)
        inside.clear()

    paused = predictor.embed(other, pause=pause)
    assert same(paused, reference)
    assert len(answers) > 10
    assert all(np.array_equal(one.logits, expected.logits) for one in answers)


def test_the_steps_before_the_encoder_hold_up_nobody_either(monkeypatch, predictor):
    done = []
    for name in ("resize", "normalise"):
        step = getattr(module, name)
        monkeypatch.setattr(module, name, lambda *a, n=name, s=step: done.append(n) or s(*a))
    predictor.embed(PICTURE, pause=lambda: done.append("pause"))
    assert done[:5] == ["pause", "resize", "pause", "normalise", "pause"]


def test_what_is_being_written_is_at_hand_and_holds_up_nobody(tmp_path, predictor):
    class Slow(DiskStore):
        def put(self, key, embedding):
            asked.wait(10)
            return super().put(key, embedding)

    asked, found = threading.Event(), []
    store = EmbeddingStore(MemoryStore(0), Slow(tmp_path, LARGE))

    def pause():
        if store.made and not asked.is_set():
            found.append(store.get(predictor, PICTURE))
            asked.set()

    assert store.keep(predictor, PICTURE, pause=pause) > 0
    assert len(found) == 1
    assert store.made == 1
    assert same(found[0], again(store).get(predictor, PICTURE))


def test_keeping_pushes_nothing_out_of_memory(tmp_path, predictor):
    one = again(EmbeddingStore(MemoryStore(LARGE), DiskStore(tmp_path, LARGE)))
    one.memory.budget = int(1.5 * one.get(predictor, PICTURE).nbytes)
    assert one.keep(predictor, PICTURE + 1) > 0
    assert one.made == 2
    one.get(predictor, PICTURE)
    one.get(predictor, PICTURE + 1)
    assert one.made == 2
    assert len(one.disk) == 2


def test_without_a_disk_what_does_not_fit_is_not_kept(predictor):
    store = EmbeddingStore(MemoryStore(LARGE))
    size = store.keep(predictor, PICTURE)
    assert size == store.memory.nbytes
    store.memory.budget = size
    assert store.keep(predictor, PICTURE + 1) == 0
    assert store.budget == size


def test_memory_forgets_what_was_used_longest_ago():
    memory = MemoryStore(3 * 128)
    for key in "abc":
        assert memory.put(key, small(0))
    assert memory.get("a") is not None
    assert memory.put("d", small(0))
    assert [key for key in "abcd" if memory.get(key) is not None] == ["a", "c", "d"]
    assert not memory.put("e", small(0), push=False)
    assert not memory.put("f", small(0, floats=1000))
    assert memory.nbytes == 3 * 128
    memory.clear()
    assert memory.nbytes == 0


def test_memory_that_was_forgotten_is_given_back(monkeypatch):
    calls = []
    monkeypatch.setattr(memory, "trim_heap", lambda: calls.append(held.nbytes))
    held = MemoryStore(2 * 128)
    held.put("a", small(0))
    held.put("b", small(0))
    assert calls == []
    held.put("c", small(0))
    assert calls == [2 * 128]


def test_disk_forgets_what_was_used_longest_ago(tmp_path):
    disk = DiskStore(tmp_path, LARGE)
    floats = 50_000
    for age, key in enumerate("abc"):
        disk.put(key, small(age, floats))
        used = time.time() - 100 + age
        os.utime(tmp_path / f"{key}.zarr.zip", (used, used))
    disk.budget = disk.nbytes + floats  # half an entry
    assert disk.get("a") is not None
    assert disk.put("d", small(3, floats))
    assert [key for key in "abcd" if disk.get(key) is not None] == ["a", "c", "d"]
    assert disk.nbytes <= disk.budget
    assert len(disk) == 3


def test_what_is_larger_than_the_budget_is_not_written(tmp_path, caplog):
    disk = DiskStore(tmp_path, 1000)
    assert not disk.put("a", small(0, floats=1000))
    assert "1000 bytes" in caplog.text
    assert disk.nbytes == 0


def flip(share):
    def damage(path):
        content = bytearray(path.read_bytes())
        content[int(share * (len(content) - 1))] ^= 0x10
        path.write_bytes(content)

    return damage


def cut(path):
    path.write_bytes(path.read_bytes()[:-100])


def swap(path):
    path.write_bytes((path.parent / "other.zarr.zip").read_bytes())


@pytest.mark.parametrize("damage", [cut, swap, lambda path: path.write_bytes(b"")])
def test_damage_counts_as_absent(tmp_path, caplog, damage):
    disk = DiskStore(tmp_path, LARGE)
    disk.put("a", small(1))
    disk.put("other", small(2))
    damage(tmp_path / "a.zarr.zip")
    with caplog.at_level(logging.WARNING):
        assert disk.get("a") is None
    assert "a.zarr.zip is damaged" in caplog.text
    disk.put("a", small(1))
    assert same(disk.get("a"), small(1))


def test_no_flipped_bit_goes_by_unnoticed(tmp_path, caplog):
    disk = DiskStore(tmp_path, LARGE)
    disk.put("a", small(1))
    path = tmp_path / "a.zarr.zip"
    whole = path.read_bytes()
    unnoticed = 0
    for share in np.linspace(0, 1, 60):
        flip(share)(path)
        found = disk.get("a")
        # What the format itself ignores, such as a date, may change; what is read may not.
        assert found is None or same(found, small(1))
        unnoticed += found is not None
        path.write_bytes(whole)
    assert unnoticed < 30


def test_numbers_that_are_none_count_as_damage(tmp_path, caplog):
    disk = DiskStore(tmp_path, LARGE)
    disk.put("a", small(np.nan))
    assert disk.get("a") is None
    assert "not finite" in caplog.text


@pytest.mark.parametrize("shape", ["[1000000000000]", "[3]", "[-1]", "[1e9]"])
@pytest.mark.parametrize("written", [small(1), small(0)], ids=["numbers", "zeros"])
def test_a_size_that_the_content_has_not_takes_no_memory(tmp_path, caplog, shape, written):
    """Zeros are not written at all: nothing but the budget says how many there may be."""
    disk = DiskStore(tmp_path, 10**6)
    disk.put("a", written)
    whole = tmp_path / "a.zarr.zip"
    with zipfile.ZipFile(whole) as source:
        parts = {name: source.read(name) for name in source.namelist()}
    with zipfile.ZipFile(whole, "w") as file:
        for name, content in parts.items():
            said = re.sub(rb'"shape": ?\[[^]]*\]', b'"shape": ' + shape.encode(), content, count=1)
            file.writestr(name, said)
    assert disk.get("a") is None
    assert "is damaged" in caplog.text


def test_a_damaged_file_is_made_anew(store, predictor):
    made = store.get(predictor, PICTURE)
    [path] = store.disk.folder.iterdir()
    flip(0.5)(path)
    other = again(store)
    assert not other.has(predictor, PICTURE)
    assert same(other.get(predictor, PICTURE), made)
    assert other.made == 1
    assert again(store).has(predictor, PICTURE)


def test_a_folder_that_cannot_be_written_costs_time_only(tmp_path, caplog, predictor):
    (tmp_path / "file").write_text("")
    store = EmbeddingStore(MemoryStore(LARGE), DiskStore(tmp_path / "file" / "below", LARGE))
    store.get(predictor, PICTURE)
    assert "could not write" in caplog.text
    assert store.has(predictor, PICTURE)
    assert store.size == 0


def test_only_our_own_files_are_deleted(tmp_path):
    disk = DiskStore(tmp_path, LARGE)
    old, young = tmp_path / "a.zarr.zip.7-7.part", tmp_path / "b.zarr.zip.8-8.part"
    for path in (old, young, tmp_path / "notes.txt"):
        path.write_text("half")
    os.utime(old, (0, 0))
    disk.put("c", small(0))
    assert {path.name for path in tmp_path.iterdir()} == {young.name, "c.zarr.zip", "notes.txt"}
    disk.clear()
    assert [path.name for path in tmp_path.iterdir()] == ["notes.txt"]
    assert len(disk) == disk.nbytes == 0


def test_clearing_forgets_everything(store, predictor):
    store.get(predictor, PICTURE)
    assert store.size > 0
    store.clear()
    assert not store.has(predictor, PICTURE)
    assert store.size == store.memory.nbytes == 0


def test_the_process_grows_by_no_more_than_its_budget():
    child = Path(__file__).with_name("growing.py")
    budget = 400
    run = subprocess.run(
        [sys.executable, child, str(budget)], capture_output=True, text=True, check=True
    )
    told = json.loads(run.stdout.splitlines()[-1])
    assert told["on_disk"] > budget  # more than would fit
    assert 0.3 * budget < told["at_hand"] <= 0.5 * budget
    assert told["at_hand"] < told["grown"] <= budget


def test_the_settings_say_where_and_how_much(tmp_path, monkeypatch):
    monkeypatch.delenv("NAPARI_SAM_EMBEDDINGS", raising=False)
    chosen = Settings(
        embeddings_folder=str(tmp_path), embeddings_memory_mb=6, embeddings_disk_mb=70
    )
    store = open_store(chosen)
    assert store.disk.folder == tmp_path
    assert (store.memory.budget, store.budget) == (3_000_000, 70_000_000)
    none = open_store(Settings(embeddings_memory_mb=10, embeddings_disk_mb=0))
    assert none.disk is None
    assert none.budget == 5_000_000
    assert embeddings_folder(Settings()).name == "embeddings"
    monkeypatch.setenv("NAPARI_SAM_EMBEDDINGS", str(tmp_path / "elsewhere"))
    assert embeddings_folder(chosen) == tmp_path / "elsewhere"
