"""Embeds a stack and clicks in it, and says how the process grew: ``python growing.py BUDGET``."""

from __future__ import annotations

import json
import os
import sys
import tempfile
import threading
import time

import numpy as np
import psutil

from napari_sam.inference.predictor import Predictor
from napari_sam.inference.store.memory import trim_heap
from napari_sam.inference.store.store import MEGABYTE, open_store
from napari_sam.model.load import load_model
from napari_sam.prompts import Prompts
from napari_sam.settings import Settings

SLICES, SIDE = 20, 512
CLICK = Prompts(points=[(SIDE / 2, SIDE / 2)], labels=[1])


def plane(number):
    """Return noise of its own."""
    return np.random.default_rng(number).integers(0, 999, (SIDE, SIDE), dtype=np.uint16)


def visit(store, predictor, number):
    """Embed a slice for later, and click in the one before."""
    store.keep(predictor, plane(number), (0, 999))
    predictor.predict(store.get(predictor, plane(number // 2), (0, 999)), CLICK)


def main(budget):
    """Print, as JSON, megabytes at hand, on disk, and by which the process grew at most."""
    store = open_store(Settings(embeddings_memory_mb=budget))
    predictor = Predictor(load_model("cells_tiny", "cpu"))
    visit(store, predictor, 0)
    store.memory.clear()
    trim_heap()
    process, ends = psutil.Process(), threading.Event()
    before, most = process.memory_info().rss, [0]

    def watch():
        while not ends.is_set():
            most[0] = max(most[0], process.memory_info().rss)
            time.sleep(0.002)

    watching = threading.Thread(target=watch)
    watching.start()
    for number in range(1, SLICES):
        visit(store, predictor, number)
    ends.set()
    watching.join()
    sizes = {"at_hand": store.memory.nbytes, "on_disk": store.size, "grown": most[0] - before}
    print(json.dumps({name: size / MEGABYTE for name, size in sizes.items()}))  # noqa: T201


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as folder:
        os.environ["NAPARI_SAM_EMBEDDINGS"] = folder
        main(int(sys.argv[1]))
