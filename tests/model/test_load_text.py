"""The weights for words that ship, and files that are something else."""

import pytest

from napari_sam.errors import CheckpointError
from napari_sam.model.config import CONFIGS
from napari_sam.model.load import load_model
from napari_sam.model.load_text import load_text, read_text
from napari_sam.model.sam import Sam
from napari_sam.zoo import lookup, ready


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
