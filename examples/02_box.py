"""
Draw boxes
==========

A box says more than a click. Many objects are asked about at once.
"""

# %%
# Corners are (y0, x0, y1, x1) in pixels.
import matplotlib.pyplot as plt
import numpy as np
from skimage.segmentation import mark_boundaries

import napari_sam as ns
from napari_sam.samples import SAMPLES

image = SAMPLES["tissue"].read()
predictor = ns.Predictor(ns.load_model("cells_tiny"))
embedding = predictor.embed(image)
boxes = [(153, 112, 188, 125), (152, 50, 186, 74), (53, 186, 82, 210)]

# %%
# `predict_batch` gives what as many calls of `predict` would give, in less time.
answers = predictor.predict_batch(embedding, [ns.Prompts(box=box) for box in boxes])
labels = np.zeros(image.shape[:2], np.uint16)
for id_, answer in enumerate(answers, 1):
    labels[answer.masks[0]] = id_

# %%
plt.figure(figsize=(4.5, 4.5), layout="constrained")
plt.imshow(mark_boundaries(image, labels, color=(1, 1, 0)))
for y0, x0, y1, x1 in boxes:
    plt.plot([x0, x1, x1, x0, x0], [y0, y0, y1, y1, y0], "c", linewidth=1)
plt.axis("off")
print("scores", [round(float(answer.scores[0]), 2) for answer in answers])
