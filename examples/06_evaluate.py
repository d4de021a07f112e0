"""
Measure a model on your labels
==============================

How good is one click, how good a box, and is the model better than no model at all?
"""

# %%
# Two made-up pictures with their true labels stand for your own. `load_images` reads a folder of
# samples.
import matplotlib.pyplot as plt
import numpy as np
from skimage import data, filters, measure

import napari_sam as ns
from napari_sam.data.samples import images_from_arrays
from napari_sam.evaluation.evaluate import evaluate
from napari_sam.evaluation.report import by_dataset, means, score_table


def blobs(seed):
    """Return a picture of bright blobs in noise, with its labels."""
    mask = data.binary_blobs(128, blob_size_fraction=0.2, volume_fraction=0.3, rng=seed)
    noise = np.random.default_rng(seed).normal(0, 20, mask.shape)
    image = (60 + 120 * filters.gaussian(mask, 1) + noise).clip(0, 255).astype(np.uint8)
    return images_from_arrays(f"blobs {seed}", image, measure.label(mask))


pictures = [picture for seed in (0, 1) for picture in blobs(seed)]
predictor = ns.Predictor(ns.load_model("cells_tiny"))

# %%
# A simulated annotator clicks on the largest error each time. The drawings (disc, ellipse) know
# nothing of the picture: a model that loses to them is of no use here.
rows = by_dataset(evaluate(predictor, pictures, max_objects=4))
print(score_table(rows))

# %%
mean = means(rows)["all objects"]
clicks = [1, 2, 3, 5, 8]
plt.figure(figsize=(5, 3), layout="constrained")
plt.plot(clicks, [mean[f"click {n}"] for n in clicks], "o-", label="clicks")
plt.axhline(mean["box"], color="C1", label="a box")
plt.axhline(mean["disc"], color="gray", linestyle=":", label="a disc at the click, no model")
plt.xlabel("clicks")
plt.ylabel("mean IoU")
plt.ylim(0, 1)
plt.legend()
