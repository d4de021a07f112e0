"""
Train on your own labels
========================

A few steps on tiny pictures, to show how; some hundred on your own are what helps.
"""

# %%
# Drawn bacteria stand for your own: arrays of pictures and of labels. `load_images` reads a
# folder of samples.
import os
import tempfile
from pathlib import Path

import matplotlib.pyplot as plt
import numpy as np
from skimage.draw import ellipse

import napari_sam as ns
from napari_sam.data.samples import images_from_arrays
from napari_sam.training.finetune import FineTuning, Plan

noise = np.random.default_rng(0)
samples = {}
for number in range(2):
    labels = np.zeros((64, 96), np.uint8)
    for id_ in (1, 2):
        labels[ellipse(*noise.integers((20, 28 * id_ - 16), (44, 28 * id_ - 8)), 14, 6)] = id_
    samples[f"field {number}"] = noise.normal(90 - 50 * (labels > 0), 10).clip(0, 255), labels
pictures = [
    one
    for name, (image, labels) in samples.items()
    for one in images_from_arrays(name, image.astype(np.uint8), labels)
]

# (Leave these two lines out: your models have a place of their own.)
home = tempfile.TemporaryDirectory()
os.environ["NAPARI_SAM_MODELS"] = home.name

# %%
# The last picture is held out to tell how good it is. The run is a generator: show its progress,
# pause, or stop it as you like. Its folder holds a checkpoint, from which the same run goes on.
run = FineTuning(
    ns.load_model("cells_tiny"),
    pictures[:1],
    pictures[1:],
    Plan("decoder", steps=2),
    Path(home.name) / "run",
)
progress = list(run.run())
run.save("my cells")

# %%
# From now on it is a model by that name, here, in the panel and on the command line.
plt.figure(figsize=(5, 2.6), layout="constrained")
plt.plot([one.result.loss for one in progress if one.result.loss is not None])
plt.xlabel("step")
plt.ylabel("loss")
print(ns.load_model("my cells").entry.name)
home.cleanup()
