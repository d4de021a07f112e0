"""
Measure a model on your labels
==============================

How good is one click, how good a box, and is the model better than no model at all?
"""

# %%
# Two drawn pictures with their true labels stand for your own. `load_pictures` reads a folder of
# samples.
import matplotlib.pyplot as plt
import numpy as np

import napari_sam as ns
from napari_sam.training.evaluate import evaluate
from napari_sam.training.report import by_dataset, means, table
from napari_sam.training.synthetic import synthetic_picture

pictures = [synthetic_picture(np.random.default_rng(seed), 128) for seed in (2, 11)]
predictor = ns.Predictor(ns.load_model("cells_tiny"))

# %%
# A simulated annotator clicks on the largest error each time. The drawings (disc, ellipse) know
# nothing of the picture: a model that loses to them is of no use here.
rows = by_dataset(evaluate(predictor, pictures, most=4))
print(table(rows))

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
