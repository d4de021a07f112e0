from __future__ import annotations

import os

import pytest
import safetensors.torch
import torch

from napari_sam.errors import CheckpointError
from napari_sam.model.build import SIZES, build
from napari_sam.model.config import CONFIGS
from napari_sam.model.weights.checkpoint import (
    differences,
    first_few,
    read_checkpoint,
    recognise,
    split_decoder,
)

STATE = {"mask_decoder.iou_token.weight": torch.arange(6.0).reshape(2, 3), "n": torch.tensor(3)}


class Evil:
    """Leaves a mark when it is unpickled."""

    def __init__(self, mark):
        self.mark = str(mark)

    def __reduce__(self):
        return os.mkdir, (self.mark,)


def shapes(name):
    with torch.device("meta"):
        return build(SIZES[name]).state_dict()


@pytest.mark.parametrize(
    "wrap",
    [
        lambda state: state,
        lambda state: {"model_state": state, "epoch": 3},
        lambda state: {f"sam.{key}": value for key, value in state.items()},
        lambda state: {"model_state": {f"module.sam.{k}": v for k, v in state.items()}},
        lambda state: {"state_dict": state},
    ],
)
@pytest.mark.parametrize("zipped", [True, False])
def test_torch_files_lose_wrappers_and_prefixes(tmp_path, wrap, zipped):
    path = tmp_path / "weights.pt"
    torch.save(wrap(STATE), path, _use_new_zipfile_serialization=zipped)
    state, metadata = read_checkpoint(path)
    assert state.keys() == STATE.keys()
    assert all(torch.equal(state[key], STATE[key]) for key in STATE)
    assert metadata == ({"intensity": "min_max"} if "model_state" in wrap(STATE) else {})


def test_safetensors_bring_their_header(tmp_path):
    path = tmp_path / "weights.safetensors"
    safetensors.torch.save_file(STATE, path, {"config": "cells_tiny"})
    state, metadata = read_checkpoint(path)
    assert torch.equal(state["mask_decoder.iou_token.weight"], next(iter(STATE.values())))
    assert metadata == {"config": "cells_tiny"}


@pytest.mark.parametrize("zipped", [True, False])
def test_a_pickle_that_would_run_code_is_not_run(tmp_path, zipped):
    path, mark = tmp_path / "best.pt", tmp_path / "mark"
    content = {"model_state": STATE, "optimizer": Evil(mark)}
    torch.save(content, path, _use_new_zipfile_serialization=zipped)
    if zipped:
        state, metadata = read_checkpoint(path)
        assert all(torch.equal(state[key], STATE[key]) for key in STATE)
        assert metadata == {"intensity": "min_max"}
    else:
        with pytest.raises(CheckpointError, match="holds Python objects"):
            read_checkpoint(path)
    assert not mark.exists()
    torch.load(path, weights_only=False)
    assert mark.exists()  # so the file was a real threat


DECODER = {"decoder.samplers.0.conv.bias": torch.ones(2), "out_conv.bias": torch.zeros(3)}


@pytest.mark.parametrize(
    ("content", "others"),
    [
        (DECODER, {}),
        ({"decoder_state": DECODER}, {}),
        ({"model_state": STATE, "decoder_state": DECODER}, STATE),
        (
            {"model_state": {f"sam.{k}": v for k, v in STATE.items()}, "decoder_state": DECODER},
            STATE,
        ),
        ({"model_state": {"encoder.x": STATE["n"], **DECODER}}, {"image_encoder.x": STATE["n"]}),
    ],
)
def test_an_instance_decoder_is_found_wherever_it_stands(tmp_path, content, others):
    torch.save(content, tmp_path / "w.pt")
    state, _ = read_checkpoint(tmp_path / "w.pt")
    sam, decoder = split_decoder(state)
    for found, wanted in ((sam, others), (decoder, DECODER)):
        assert found.keys() == wanted.keys()
        assert all(torch.equal(found[key], wanted[key]) for key in wanted)


@pytest.mark.parametrize("empty", [{}, None, torch.zeros(2)])
def test_an_instance_decoder_without_weights_is_refused(tmp_path, empty):
    torch.save({"model_state": STATE, "decoder_state": empty}, tmp_path / "w.pt")
    with pytest.raises(CheckpointError, match=r"w\.pt, as the instance decoder, holds no weights"):
        read_checkpoint(tmp_path / "w.pt")


@pytest.mark.parametrize(
    ("name", "content"),
    [("zeros.safetensors", bytes(100)), ("short.pt", b"\x80\x02}q\x00X\x04")],
)
def test_files_at_which_torch_stumbles_are_refused(tmp_path, name, content):
    path = tmp_path / name
    path.write_bytes(content)
    with pytest.raises(CheckpointError, match="damaged, incomplete or no weights file"):
        read_checkpoint(path)


@pytest.mark.parametrize("kind", ["zip", "legacy", "safetensors"])
@pytest.mark.parametrize("kept", [0.02, 0.5, 0.95])
def test_truncated_files_are_refused(tmp_path, kind, kept):
    path = tmp_path / "weights"
    state = {"x": torch.zeros(1000)}
    if kind == "safetensors":
        safetensors.torch.save_file(state, path)
    else:
        torch.save(state, path, _use_new_zipfile_serialization=kind == "zip")
    whole = path.read_bytes()
    path.write_bytes(whole[: int(kept * len(whole))])
    with pytest.raises(CheckpointError, match="damaged, incomplete or no weights file"):
        read_checkpoint(path)


@pytest.mark.parametrize("content", [b"", b"garbage" * 99, b"\x89PNG\r\n\x1a\n" + bytes(99)])
def test_other_files_are_refused(tmp_path, content):
    path = tmp_path / "weights.pt"
    path.write_bytes(content)
    with pytest.raises(CheckpointError, match="no weights file"):
        read_checkpoint(path)


def test_a_web_page_and_a_missing_file_are_named_as_such(tmp_path):
    path = tmp_path / "weights.pt"
    with pytest.raises(CheckpointError, match="No such file"):
        read_checkpoint(path)
    path.write_text("\n<!DOCTYPE html><html></html>")
    with pytest.raises(CheckpointError, match="web page"):
        read_checkpoint(path)


@pytest.mark.parametrize("content", [[1, 2], {}, {"epoch": 3}, torch.zeros(3)])
def test_files_without_weights_are_refused(tmp_path, content):
    path = tmp_path / "weights.pt"
    torch.save(content, path)
    with pytest.raises(CheckpointError, match=r"holds no weights|is no state dict"):
        read_checkpoint(path)


@pytest.mark.parametrize("name", SIZES)
def test_every_size_is_recognised(name):
    assert recognise(shapes(name)) is SIZES[name]


def test_sam_2_as_published_has_a_prefix_before_some_keys(tmp_path):
    names = "prompt_encoder.no_mask_embed.weight", "mask_decoder.iou_token.weight"
    state = {f"sam_{name}": torch.zeros(1) for name in names} | {"memory_encoder.a": torch.zeros(1)}
    torch.save({"model": state}, tmp_path / "sam2.pt")
    assert set(read_checkpoint(tmp_path / "sam2.pt")[0]) == {*names, "memory_encoder.a"}


def test_what_sam_2_lacks_before_2_1_is_named():
    state = shapes("sam2_small")
    for new in ("obj_ptr_tpos_proj.weight", "obj_ptr_tpos_proj.bias", "no_obj_embed_spatial"):
        del state[new]
    with pytest.raises(CheckpointError, match=r"nearest is sam2_small: .*obj_ptr_tpos_proj"):
        recognise(state)


@pytest.mark.parametrize(
    ("key", "name"),
    [
        ("mask_decoder.hf_token.weight", "SAM-HQ"),
        ("prompt_encoder.bbox_top_left_embeddings.weight", "EfficientSAM"),
        ("vision_encoder.pos_embed", "transformers"),
    ],
)
def test_relatives_are_named(key, name):
    state = {**shapes("vit_t"), key: torch.zeros(1)}
    with pytest.raises(CheckpointError, match=name):
        recognise(state)


def test_other_architectures_are_told_from_the_nearest():
    state = shapes("vit_b")
    del state["mask_decoder.iou_token.weight"]
    state["image_encoder.pos_embed"] = torch.zeros(1, 32, 32, 768)
    state["extra"] = torch.zeros(1)
    assert differences(CONFIGS["vit_b"], state) == [
        "mask_decoder.iou_token.weight is missing",
        "extra is unknown",
        "image_encoder.pos_embed has shape (1, 32, 32, 768) instead of (1, 64, 64, 768)",
    ]
    with pytest.raises(CheckpointError, match=r"nearest is vit_b: .*iou_token.weight is missing"):
        recognise(state)


def test_long_lists_are_cut():
    assert first_few([str(i) for i in range(6)], max_lines=2) == "0; 1; and 4 more"
    assert first_few(["0", "1"], max_lines=2) == "0; 1"
