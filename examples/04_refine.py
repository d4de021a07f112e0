"""
Refine rough labels
===================

Labels of a threshold, grown too large on purpose, become sharp again.
"""

# %%
import matplotlib.pyplot as plt
import numpy as np
from skimage.color import rgb2hed
from skimage.filters import gaussian, threshold_otsu
from skimage.measure import label
from skimage.morphology import remove_small_objects
from skimage.segmentation import expand_labels, mark_boundaries

import napari_sam as ns
from napari_sam.samples import SAMPLES

image = SAMPLES["tissue"].read()
stain = gaussian(rgb2hed(image)[..., 0], 2)  # hematoxylin, the stain of nuclei
nuclei = remove_small_objects(stain > threshold_otsu(stain), max_size=100)
rough = expand_labels(label(nuclei), 4)

# %%
# Each object's mask, its box and its deepest point are the prompt. `sharper` maps ids to
# predictions.
predictor = ns.Predictor(ns.load_model("cells_tiny"))
sharper = ns.refine(predictor, image, rough)

# %%
# Where new masks overlap, let the one with the better score have the pixels: it is written last.
labels = np.zeros_like(rough)
for id_, answer in sorted(sharper.items(), key=lambda item: float(item[1].scores[0])):
    labels[answer.masks[0]] = id_

figure, axes = plt.subplots(1, 2, figsize=(8, 4.2), layout="constrained")
for ax, outlines, title in ((axes[0], rough, "rough"), (axes[1], labels, "refined")):
    ax.imshow(mark_boundaries(image, outlines, color=(1, 1, 0)))
    ax.set_title(f"{title}: {np.count_nonzero(outlines)} pixels")
    ax.set_axis_off()
