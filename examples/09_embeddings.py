"""
Keep embeddings, share them
===========================

The encoder is the slow part. A store keeps what it saw: in memory, on disk, for several programs.
"""

# %%
# A folder of your choice; without one, `open_store()` takes the folder that the panel uses, too.
import tempfile
from pathlib import Path
from time import perf_counter

import matplotlib.pyplot as plt
from skimage.segmentation import mark_boundaries

import napari_sam as ns
from napari_sam.inference.store.disk import DiskStore
from napari_sam.inference.store.memory import MemoryStore
from napari_sam.inference.store.store import EmbeddingStore
from napari_sam.samples import SAMPLES

folder = tempfile.TemporaryDirectory()
predictor = ns.Predictor(ns.load_model("cells_tiny"))
image = SAMPLES["tissue"].read()


def open_folder():
    """Open the store as another program would: nothing in memory yet."""
    return EmbeddingStore(MemoryStore(500_000_000), DiskStore(Path(folder.name), 2_000_000_000))


# %%
# The first time the encoder runs; another program that opens the same folder reads the result. It
# is known by the pixels, the weights and the contrast, never by the file's name.
for who in ("first program", "second program"):
    store = open_folder()
    start = perf_counter()
    embedding = store.get(predictor, image, None)
    print(f"{who}: {perf_counter() - start:.2f} s, {store.made} embedding made")

# %%
# `propose_grid`, `propagate` and `refine` take it as `store=`.
result = predictor.predict(embedding, SAMPLES["tissue"].prompts[0])
plt.figure(figsize=(4, 4), layout="constrained")
plt.imshow(mark_boundaries(image, result.masks[0], color=(1, 1, 0)))
plt.axis("off")
folder.cleanup()
