"""
Everything in the picture
=========================

Search first, choose afterwards: the model runs once, and ranges decide what stays.
"""

# %%
# Drawn nuclei, bright on a dark ground. (Use a picture of your own.)
import matplotlib.pyplot as plt
import numpy as np
from skimage.color import label2rgb
from skimage.draw import ellipse
from skimage.filters import gaussian

import napari_sam as ns

random = np.random.default_rng(3)
drawn = np.full((160, 160), 25.0)
for row in range(20, 160, 30):
    for column in range(20, 160, 30):
        place = random.integers(-6, 7, 2) + np.array([row, column])
        size = random.integers(7, 12, 2)
        drawn[ellipse(*place, *size, drawn.shape)] = random.integers(90, 200)
image = random.normal(gaussian(drawn, 1.5), 6).clip(0, 255).astype(np.uint8)
predictor = ns.Predictor(ns.load_model("cells_tiny"))

# %%
# The model is asked where the picture says that something may be, then on a grid where nothing was
# found.
proposals = ns.propose_grid(predictor, image, ns.GridSettings(points_per_side=12))
print(len(proposals), "proposals")

# %%
# Labels take milliseconds, so try ranges freely.
everything = ns.proposals_to_labels(proposals, ns.Selection(), image.shape)
certain = ns.proposals_to_labels(
    proposals, ns.Selection(score=(0.6, None), no_edge=True), image.shape
)

figure, axes = plt.subplots(1, 3, figsize=(9, 3.2), layout="constrained")
axes[0].imshow(image, cmap="gray")
axes[0].set_title("picture")
for ax, labels, title in (
    (axes[1], everything, "all"),
    (axes[2], certain, "certain, not at the edge"),
):
    ax.imshow(label2rgb(labels, image, bg_label=0))
    ax.set_title(f"{title}: {labels.max()}")
for ax in axes:
    ax.set_axis_off()
