"""
Click on an object
==================

One click, three candidates, and a second click that says what does not belong.
"""

# %%
# Open the built-in model and look at the picture once. The embedding answers any number of
# prompts.
import matplotlib.pyplot as plt
from skimage.segmentation import mark_boundaries

import napari_sam as ns
from napari_sam.samples import SAMPLES

image = SAMPLES["tissue"].read()  # (256, 256, 3) uint8: nuclei in stained tissue
predictor = ns.Predictor(ns.load_model("cells_tiny"))
embedding = predictor.embed(image)

# %%
# One lone click can mean a part, a nucleus or a clump, so three masks come back, best first.
# Positions are (row, column).
click = ns.Prompts(points=[(168, 62)], labels=[1])
result = predictor.predict(embedding, click)

figure, axes = plt.subplots(1, 3, figsize=(9, 3.2), layout="constrained")
for ax, mask, score in zip(axes, result.masks, result.scores, strict=True):
    ax.imshow(mark_boundaries(image, mask, color=(1, 1, 0)))
    ax.plot(62, 168, "g.")
    ax.set_title(f"predicted IoU {score:.2f}")
    ax.set_axis_off()

# %%
# A second click refines it: label 1 includes, 0 excludes. The logits of the mask that you chose
# say what it is about.
better = predictor.predict(
    embedding,
    ns.Prompts(points=[(168, 62), (168, 78)], labels=[1, 0], mask=result.logits[0]),
)
print(f"{result.masks[0].sum()} pixels, then {better.masks[0].sum()}")
