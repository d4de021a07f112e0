"""
Say what to segment
===================

Words in place of clicks: every object that fits, and one area of all that does. Needs the extra
``text``.
"""

# %%
# The sample that comes with the package: stained nuclei in tissue.
import matplotlib.pyplot as plt
from skimage.color import label2rgb

import napari_sam as ns
from napari_sam.samples import SAMPLES

image = SAMPLES["tissue"].read()
predictor = ns.Predictor(ns.load_model("cells_tiny"))

# %%
# Everything is found first, then each object is compared with the words.
settings = ns.GridSettings(points_per_side=12)
found = ns.text.find(predictor, image, ["nuclei", "bacteria"], settings)
labels, kept = found.labels(image.shape[:2], min_similarity=0.3)
for number, (proposal, kind) in enumerate(kept, 1):
    print(number, found.words[kind], f"{found.similarity[proposal, kind]:.2f}")

# %%
# Or the words are the prompt, and the answer is one mask. It is rougher.
embedding = predictor.embed(image)
area = predictor.predict(embedding, ns.Prompts(text=ns.text.encode("nuclei")))

figure, axes = plt.subplots(1, 3, figsize=(9, 3.2), layout="constrained")
axes[0].imshow(image)
axes[0].set_title("picture")
axes[1].imshow(label2rgb(labels, image, bg_label=0))
axes[1].set_title("every object that fits")
axes[2].imshow(label2rgb(area.masks[0].astype(int), image, bg_label=0))
axes[2].set_title(f"one area, score {area.scores[0]:.2f}")
for ax in axes:
    ax.set_axis_off()
