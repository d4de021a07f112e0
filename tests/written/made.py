"""What the files of this folder were made of: pictures of whole numbers, models and questions."""

from __future__ import annotations

import hashlib
import zlib
from pathlib import Path

import numpy as np
import tifffile
import torch

from napari_sam.data.samples import images_from_arrays
from napari_sam.inference.automatic.settings import GridSettings
from napari_sam.inference.automatic.tiles import Tiling
from napari_sam.inference.predictor import Predictor
from napari_sam.inference.store.memory import MemoryStore
from napari_sam.inference.store.store import EmbeddingStore
from napari_sam.model.config import (
    CONFIGS,
    CellsEncoderConfig,
    SamConfig,
    TinyViTConfig,
    ViTConfig,
)
from napari_sam.model.sam import Sam
from napari_sam.prompts import Prompts
from napari_sam.session.disk.fingerprint import Fingerprint
from napari_sam.session.disk.manifest import Manifest
from napari_sam.training.finetune import FineTuning, Plan
from napari_sam.zoo.catalogue import Entry, lookup, ready

HERE = Path(__file__).parent
NOW = 1_700_000_000_000_000_000  # the date of the pictures whose results are here, in ns
DIGEST = "ab" * 32
SMALL = {"width": 16, "mlp_width": 16, "upscale_dims": (8, 4)}
SIZES = {
    "vit": SamConfig("small_vit", ViTConfig(16, 2, 2, (1,), window=2), frame=64, **SMALL),
    "tiny_vit": SamConfig(
        "small_tiny_vit",
        TinyViTConfig((8, 16, 16, 16), (1, 1, 1, 1), (1, 2, 2, 2), (4, 4, 4, 4)),
        frame=64,
        **SMALL,
    ),
    "cells": SamConfig(
        "small_cells",
        CellsEncoderConfig((4, 8, 8, 8, 8), (1, 1, 1, 1, 1)),
        frame=64,
        stride=8,
        dense=True,
        enlarge=64,
        closest=128,
        **SMALL,
    ),
}
TILING = Tiling(96, 48)
GRID = GridSettings(points_per_side=4)
TILES_DONE, SLICES_DONE = 4, 2
QUESTIONS = (
    Prompts(points=[(12, 12)], labels=[1]),
    Prompts(points=[(36, 60), (24, 48)], labels=[1, 0]),
    Prompts(box=(27, 27, 46, 46)),
)
COMMANDS = {
    "segment": ["segment", "stack.tif", "-o", "segment.tif", "--points", "8", "--gap", "2"],
    "words": [
        "segment",
        "cells.tif",
        "-o",
        "words.tif",
        "--points",
        "8",
        "--text",
        "bright round nuclei",
    ],
    "boxes": ["segment", "cells.tif", "-o", "boxes.tif", "--boxes", "boxes.csv"],
    "propagate": ["propagate", "stack.tif", "--seeds", "seeds.tif", "-o", "propagate.tif"],
    "refine": ["refine", "cells.tif", "--labels", "rough.tif", "-o", "refine.tif"],
}


def places(shape, shift=0, pitch=24, radius=8):
    """Return where the discs of a picture are, one in each square of `pitch` pixels."""
    rows, columns = np.indices(shape)
    rows, columns = rows % pitch - pitch // 2, (columns - shift) % pitch - pitch // 2
    return rows**2 + columns**2 <= radius**2


def numbered(shape):
    rows, columns = np.indices(shape) // 24
    return places(shape) * (1 + 3 * rows + columns)


def picture(shape=(48, 72), shift=0, pitch=24, radius=8):
    """Return a grey picture of bright discs on a pattern."""
    rows, columns = np.indices(shape)
    ground = 20 + (7 * rows + 3 * columns) % 11
    return (ground + 120 * places(shape, shift, pitch, radius)).astype(np.uint8)


def stack():
    return np.stack([picture(shift=z) for z in range(3)])


def rough():
    """Return labels of the stack, a number for each disc."""
    return np.stack([numbered((48, 72))] * 3).astype(np.uint8)


def write_stack(path, pixels):
    tifffile.imwrite(path, pixels, photometric="minisblack", compression="zlib")


def large():
    return picture((200, 270), pitch=45, radius=14)


def embedded():
    """Return, by name: the size of a model, a picture and its contrast; `cells_tiny` apart."""
    grey = picture((24, 30)).astype(np.uint16) * 16
    colours = np.stack([picture((24, 30), shift) for shift in range(3)], axis=-1)
    return {
        "vit": ("vit", grey, None),
        "vit, contrast": ("vit", grey, (100, 2000.5)),
        "tiny_vit, colours": ("tiny_vit", colours, (np.zeros(3), np.array([200, 210, 220]))),
        "cells": ("cells", grey, None),
    }


def little():
    """Return the picture that `cells_tiny` has embedded."""
    return picture((8, 8), pitch=8, radius=3)


def known(size):
    """Return a predictor of a small model, whose weights have a hash."""
    torch.manual_seed(0)
    return predictor(Sam(SIZES[size]).eval())


def shapes_of(name):
    """Return a predictor of a model of full size that has no weights, but a hash of them."""
    with torch.device("meta"):
        return predictor(Sam(CONFIGS[name]))


def predictor(model):
    model.entry = Entry("known", "cells_tiny", sha256=DIGEST)
    return Predictor(model)


class Asked:
    """Stands in the place of a disk, has nothing, and notes what was asked for."""

    budget = 0

    def __init__(self):
        self.keys = []

    def get(self, key):
        self.keys.append(key)


def key_of(predictor, image, contrast=None):
    """Return the name under which an embedding is looked for on disk."""
    disk = Asked()
    EmbeddingStore(MemoryStore(0), disk).has(predictor, image, contrast)
    [key] = disk.keys
    return key


def key_from(text, image):
    """Return that name as it is made from what says which model it is."""
    head = f"(1, {text}, 'sha256:{DIGEST}', 'percentile', {image.shape}, '{image.dtype.name}')"
    return hashlib.blake2b(head.encode() + image.tobytes(), digest_size=20).hexdigest()


def answers(predictor, image, questions=QUESTIONS):
    """Return the masks and the scores of all questions."""
    embedding = predictor.embed(image)
    found = [predictor.predict(embedding, one) for one in questions]
    return {
        "masks": np.concatenate([one.masks for one in found]),
        "scores": np.concatenate([one.scores for one in found]),
    }


def take_apart(path):
    """Return the head of a whole model's file, and how its weights differ from `cells_tiny`'s."""
    data = path.read_bytes()
    head = data[: 8 + int.from_bytes(data[:8], "little")]
    return head, zlib.compress(_other(data[len(head) :]), 9)


def put_together(head, packed):
    """Return the file that was taken apart."""
    return head + _other(zlib.decompress(packed))


def _other(weights):
    base = ready(lookup("cells_tiny")).read_bytes()[-len(weights) :]
    return np.bitwise_xor(*(np.frombuffer(one, np.uint8) for one in (weights, base))).tobytes()


def tuning(folder):
    """Return a run of three steps that trains adapters of a small model."""
    shape = 64, 72
    pictures = images_from_arrays("discs", picture(shape), numbered(shape))
    return FineTuning(known("cells").model, pictures, [], Plan("adapters", steps=3), folder)


def manifest(pixels, name):
    return Manifest(Fingerprint.of(pixels.shape, pixels), name, f"/data/{name}", "napari")
