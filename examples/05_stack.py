"""
Follow objects through a stack
==============================

Mark an object on one slice; it is followed until something is wrong with the next mask.
"""

# %%
# A drawn stack of two cells; one ends before the last slice. Any array will do: numpy, dask, zarr.
import matplotlib.pyplot as plt
import numpy as np
from skimage.segmentation import mark_boundaries

import napari_sam as ns

rows, columns = np.indices((96, 96))
noise = np.random.default_rng(0)
stack = np.zeros((5, 96, 96), np.uint8)
for z in range(5):
    first = np.hypot(rows - 40 - z, columns - 30) < 16
    second = (np.hypot(rows - 50, columns - 68 + z) < 13) & (z < 4)
    stack[z] = noise.normal(40 + 120 * (first | second), 12).clip(0, 255)

# %%
# Seeds say what is known: prompts by object and slice, masks, or labels of the whole stack.
predictor = ns.Predictor(ns.load_model("cells_tiny"))
seeds = {1: {2: ns.Prompts(box=(26, 14, 58, 46))}, 2: {2: ns.Prompts(box=(37, 53, 63, 79))}}
labels = np.zeros(stack.shape, np.uint16)
for step in ns.propagate(predictor, stack, seeds):
    labels[step.index] = step.labels
    for id_, reason in step.stopped.items():
        print(f"slice {step.index}: object {id_} is not followed further, {reason}")

# %%
figure, axes = plt.subplots(1, 5, figsize=(10, 2.3), layout="constrained")
for z, ax in enumerate(axes):
    ax.imshow(mark_boundaries(stack[z], labels[z], color=(1, 1, 0)))
    ax.set_title(f"slice {z}")
    ax.set_axis_off()
