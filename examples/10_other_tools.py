"""
With scikit-image, dask and napari
==================================

Results are numpy arrays, so they go wherever arrays go.
"""

# %%
# Labels of one picture, measured with scikit-image.
import dask.array as da
import matplotlib.pyplot as plt
import numpy as np
from skimage.filters import gaussian
from skimage.measure import regionprops_table

import napari_sam as ns

random = np.random.default_rng(0)
discs = np.zeros((96, 96))
rows, columns = np.indices(discs.shape)
for row, column, radius in ((24, 26, 12), (30, 68, 10), (70, 34, 13), (68, 74, 9)):
    discs += np.hypot(rows - row, columns - column) < radius
image = random.normal(30 + 120 * gaussian(discs, 1), 6)  # (96, 96): four round cells
predictor = ns.Predictor(ns.load_model("cells_tiny"))
found = ns.propose_grid(predictor, image, ns.GridSettings(points_per_side=8))
labels = ns.proposals_to_labels(found, shape=image.shape)
measures = regionprops_table(labels, image, properties=("area", "mean_intensity", "eccentricity"))
print(f"{labels.max()} cells, median area {np.median(measures['area']):.0f} pixels")

# %%
# A dask stack is read slice by slice, and only when it is needed.
stack = da.from_array(np.stack([image] * 3), chunks=(1, 96, 96))
seeds = np.zeros(stack.shape, labels.dtype)
seeds[1] = np.where(labels <= 2, labels, 0)  # two objects, known on the middle slice
volume = np.zeros_like(seeds)
for step in ns.propagate(predictor, stack, seeds):
    volume[step.index] = step.labels
print("slices of object 1:", np.flatnonzero((volume == 1).any(axis=(1, 2))).tolist())

# %%
# In napari they are layers like any other:
#
# .. code-block:: python
#
#    import napari
#
#    viewer = napari.Viewer()
#    viewer.add_image(image)
#    viewer.add_labels(labels)
#    napari.run()
plt.figure(figsize=(4, 4), layout="constrained")
plt.imshow(image, cmap="gray")
plt.scatter(*np.argwhere(labels == 1).mean(axis=0)[::-1], marker="+", color="yellow")
plt.axis("off")
