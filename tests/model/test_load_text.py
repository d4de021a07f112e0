"""The weights for words that ship, and files that are something else."""

import json
from importlib.resources import as_file, files

import pytest
from safetensors import safe_open
from safetensors.torch import load_file, save_file

from napari_sam.errors import CheckpointError
from napari_sam.model.config import CONFIGS
from napari_sam.model.load import BUILT_IN_TEXT, load_model, load_text, read_text
from napari_sam.model.sam import Sam
from napari_sam.zoo.catalogue import lookup, ready


def test_what_ships_belongs_to_the_built_in_model():
    decoder = load_text(load_model("cells_tiny", "cpu"))
    assert decoder is not None
    assert not decoder.training
    assert not any(p.requires_grad for p in decoder.parameters())


def test_and_to_no_other():
    assert load_text(Sam(CONFIGS["cells_tiny"])) is None


def test_a_model_is_no_text_decoder():
    with pytest.raises(CheckpointError, match="no weights for text prompts"):
        read_text(ready(lookup("cells_tiny")))


@pytest.mark.parametrize("width", [10**9, 8, -1, 384.5, None, "wide"])
def test_a_width_that_the_weights_do_not_have_is_refused_without_memory(tmp_path, width):
    shipped = files("napari_sam.model") / "pretrained" / BUILT_IN_TEXT
    with as_file(shipped) as path, safe_open(path, "pt") as file:
        metadata = file.metadata()
        header = json.loads(metadata["napari_sam"]) | {"width": width}
        changed = tmp_path / "text.safetensors"
        save_file(load_file(path), changed, {**metadata, "napari_sam": json.dumps(header)})
    with pytest.raises(CheckpointError, match=r"text\.safetensors does not (fit|describe)"):
        read_text(changed)
