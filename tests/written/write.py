"""Writes the files of this folder: ``python -m tests.written.write`` in the repository's root.

They lie as commit 5d1c1d7 wrote them, the last before the modules were moved, and stand for what
lies on users' disks: later versions must read them. So nothing is written over. Only if the shipped
weights become others, delete ``embeddings``, ``models``, ``tiles``, ``parts`` and ``results`` and
run this again. Paths of pictures in ``results`` are cut to their names.
"""

from __future__ import annotations

import json
import lzma
import os
import shutil
import tempfile
from contextlib import chdir
from itertools import islice
from pathlib import Path

import numpy as np
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
from napari_sam.inference.store.store import EmbeddingStore
from napari_sam.model.config import CONFIGS
from napari_sam.model.load import load_model
from napari_sam.model.lora import add_adapters
from napari_sam.prompts import Prompts
from napari_sam.session.disk.autosave import Autosave
from napari_sam.settings import Settings, save_settings
from napari_sam.training.weights import save_own
from napari_sam.zoo.own_models import own_models
from tests.written import drawing, made

TABLE = [{"measure": "1 click", "before": 0.5, "after": 0.75}]
MADE = {"steps": 7, "seed": 3, "data": "ab" * 32, "figures": {"validation": TABLE}}
PROJECTION = "mask_decoder.transformer.layers.1.self_attn.v_proj"


def write_json(path: Path, value) -> None:
    path.write_text(json.dumps(value, indent=1) + "\n", encoding="utf-8")


def sessions(folder: Path) -> None:
    for kind in drawing.SHAPES:
        pixels = made.stack() if kind == "stack" else made.picture()
        manifest = made.manifest(pixels, f"{kind}.tif")
        session, labels = drawing.begun(kind)
        saved = Autosave(session, folder / "saved", lambda manifest=manifest: manifest)
        other, painted = drawing.begun(kind)  # never on disk
        if kind == "stack":
            drawing.before_snapshot(session, labels)
            saved.folder.take_snapshot()
            drawing.after_snapshot(session, labels)
            drawing.before_snapshot(other, painted)
            drawing.after_snapshot(other, painted)
        else:
            drawing.flat(session, labels)
            drawing.flat(other, painted)
        saved.close()
        write_json(folder / f"{kind}.json", drawing.everything(other))
        now, walked = painted.copy(), drawing.walk(other, painted)
        np.savez_compressed(folder / f"{kind}.npz", now=now, walked=walked)


def embeddings(folder: Path) -> None:
    store = EmbeddingStore(MemoryStore(0), DiskStore(folder / "kept", 10**9))
    for size, pixels, contrast in made.embedded().values():
        store.keep(made.known(size), pixels, contrast)
    shipped = Predictor(load_model("cells_tiny", "cpu"))
    embedding = store.get(shipped, made.little())
    found = shipped.predict(embedding, Prompts(points=[(4, 4)], labels=[1]))
    np.savez_compressed(folder / "answer.npz", masks=found.masks, scores=found.scores)
    keys = {
        name: {"text": repr(config), "key": made.key_of(made.shapes_of(name), made.little())}
        for name, config in CONFIGS.items()
    }
    write_json(folder / "keys.json", keys)


def models(folder: Path) -> None:
    os.environ["NAPARI_SAM_MODELS"] = str(folder)
    base = load_model("cells_tiny", "cpu")
    entry = base.entry
    found = {"base": made.answers(Predictor(base), made.picture())}
    torch.manual_seed(0)
    with torch.no_grad():
        base.get_submodule(PROJECTION).bias += 2
    save_own(base, "whole", base=entry, what="decoder", **MADE)
    learned = load_model("cells_tiny", "cpu")
    add_adapters(learned, rank=2)
    with torch.no_grad():
        for name, parameter in learned.named_parameters():
            if name.endswith("lora_b"):
                parameter += 0.1 * torch.randn(parameter.shape)
    save_own(learned, "small", base=entry, what="adapters", **MADE)
    about = {}
    for name, own in own_models().items():
        model = load_model(name, "cpu")
        found[own.path.stem] = made.answers(Predictor(model), made.picture())
        about[name] = {
            "file": own.path.name,
            "header": own.header,
            "about": own.about(),
            "digest": model.entry.digest,
        }
    write_json(folder / "about.json", about)
    for name, arrays in found.items():
        np.savez_compressed(folder / f"{name}.npz", **arrays)
    whole = own_models()["whole"].path
    head, rest = made.take_apart(whole)
    whole.unlink()
    whole.with_suffix(".head").write_bytes(head)
    whole.with_suffix(".rest").write_bytes(rest)


def tuning(folder: Path) -> None:
    run = made.tuning(folder).run()
    while next(run).loss is None:
        pass
    run.close()
    checkpoint = folder / "checkpoint.pt"
    Path(f"{checkpoint}.xz").write_bytes(lzma.compress(checkpoint.read_bytes()))
    checkpoint.unlink()


def tiles(folder: Path) -> None:
    shipped, pixels = Predictor(load_model("cells_tiny", "cpu")), made.large()
    given = {"tiling": made.TILING, "folder": folder / "kept"}
    steps = list(iter_tiles(shipped, pixels, made.GRID, tiling=made.TILING))
    found = [
        proposals_to_labels(step.result.kept or step.result.found, shape=pixels.shape)
        for step in steps
    ]
    np.savez_compressed(folder / "labels.npz", *found)
    list(islice(iter_tiles(shipped, pixels, made.GRID, **given), made.TILES_DONE))


def parts(folder: Path) -> None:
    shipped = Predictor(load_model("cells_tiny", "cpu"))
    with tempfile.TemporaryDirectory() as name:
        here = Path(name)
        stack, rough = here / "stack.tif", here / "rough.tif"
        made.write_stack(stack, made.stack())
        made.write_stack(rough, made.rough())
        to = LabelOutput(here / "labels.tif", {})
        for task in (SegmentTask(stack, to, made.GRID), RefineTask(stack, to, rough)):
            with task.opened(shipped) as open_task:
                for part in open_task.parts[: made.SLICES_DONE]:
                    list(open_task.do(part))
            shutil.move(here / ".labels.tif.parts", folder / type(task).__name__[:-4].lower())


def results(folder: Path) -> None:
    seeds = np.zeros(made.stack().shape, np.uint16)
    seeds[1] = made.places(seeds.shape[1:], 1) * 7
    tables = {"boxes.csv": b"y0,x0,y1,x1\n3,3,21,21\n27,51,45,69\n"}
    pictures = {"cells": made.picture(), "stack": made.stack(), "seeds": seeds}
    for name, pixels in {**pictures, "rough": made.rough()[0]}.items():
        made.write_stack(folder / f"{name}.tif", pixels)
    for name, table in tables.items():
        (folder / name).write_bytes(table)
    for path in folder.iterdir():
        os.utime(path, ns=(made.NOW, made.NOW))
    with chdir(folder):
        for command in made.COMMANDS.values():
            assert main([*command, "--model", "cells_tiny", "--device", "cpu", "-q"]) == 0
    for path in folder.glob("*.tif.json"):
        said = json.loads(path.read_text("utf-8"))
        for one in said["inputs"].values():
            one["path"] = Path(one["path"]).name
        path.write_text(json.dumps(said, indent=2) + "\n", encoding="utf-8")


def settings(folder: Path) -> None:
    auto = {"preset": "nuclei", "points": 24, "min_score": 0.5, "min_stability": 0.6}
    auto |= {"seeds": "maxima", "crops": 1, "same": "box", "link": False, "gap": 2}
    auto |= {"faint": True, "no_edge": True, "on_top": "smaller", "certain": 0.8}
    chosen = Settings(
        models_folder="~/models",
        threads=3,
        hint_dismissed=True,
        embeddings_folder="~/embeddings",
        embeddings_memory_mb=512,
        embeddings_disk_mb=1000,
        embed_ahead=False,
        channels={"axis 1 of 4 (3 long)": True, "axis 0 of 3 (4 long)": False},
        stack={"objects": "selected", "direction": "forward", "rule": "replace"},
        auto=auto,
        text={"words": "round nuclei; rods", "way": "area"},
    )
    save_settings(chosen, folder / "settings.json")


ALL = sessions, embeddings, models, tuning, tiles, parts, results, settings

if __name__ == "__main__":
    kept = tempfile.mkdtemp()
    os.environ["NAPARI_SAM_EMBEDDINGS"] = kept
    torch.set_num_threads(1)
    for write in ALL:
        folder = made.HERE / write.__name__
        if not folder.exists():
            folder.mkdir()
            write(folder)
    shutil.rmtree(kept, ignore_errors=True)
