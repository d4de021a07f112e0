"""The rating of candidates: a small network from what the maps say of one to its expected IoU."""

from __future__ import annotations

import torch
from torch import Tensor, nn

__all__ = ["FEATURES", "THRESHOLDS", "CandidateRating"]

FEATURES = (
    "foreground",  # means over the candidate
    "boundary",
    "depth",
    "predicted",  # octaves of the predicted diameter above the measured one
    "predicted_away",  # how far, whichever way
    "predicted_spread",
    "predicted_deepest",  # the same at the deepest cell
    "others_foreground",  # means of what the other levels say there
    "others_boundary",
    "others_predicted",
    "rim_foreground",  # means over the cells of the rim, and those outside it
    "rim_boundary",
    "rim_others",
    "outside_foreground",
    "threshold",  # of the foreground, above the one that the user chose
    "peak",
    "valley",  # height of the lowest saddle within, relative to the peak
    "pass",  # and of the saddle to the neighbours
    "parts",  # octaves of the number of regions
    "compactness",  # octaves, below those of a disc
    "elongation",
    "ellipse",  # octaves of the area above that of an ellipse with the same moments
    "plain",  # octaves of the quality without a rating
    "agreement",  # IoU with the best match on another level,
    "least_agreement",  # and on that which agrees least
)
THRESHOLDS = 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9  # IoUs; the rating is the share that is reached
HIDDEN = 32
FARTHEST = 4.0  # standard deviations that a feature may be away from its mean


class CandidateRating(nn.Module):
    """Two layers that predict how well a candidate fits the object it stands for.

    The weights are buffers, and no parameters: they are fitted once a head is trained, by
    `recipes.rating`, and training on prompts leaves them as they are.
    """

    mean: Tensor
    spread: Tensor
    weight1: Tensor
    bias1: Tensor
    weight2: Tensor
    bias2: Tensor

    def __init__(self) -> None:
        super().__init__()
        features, thresholds = len(FEATURES), len(THRESHOLDS)
        for name, shape in {
            "mean": (features,),
            "spread": (features,),
            "weight1": (HIDDEN, features),
            "bias1": (HIDDEN,),
            "weight2": (thresholds, HIDDEN),
            "bias2": (thresholds,),
        }.items():
            self.register_buffer(name, torch.zeros(shape))

    def logits(self, features: Tensor) -> Tensor:
        """Return of candidates (n, f) whether they reach each of `THRESHOLDS`, (n, m)."""
        x = ((features.to(self.mean) - self.mean) / self.spread).clamp(-FARTHEST, FARTHEST)
        hidden = torch.tanh(x @ self.weight1.T + self.bias1)
        return hidden @ self.weight2.T + self.bias2

    def forward(self, features: Tensor) -> Tensor:
        """Return the mean probability over the thresholds, (n,)."""
        return self.logits(features).sigmoid().mean(dim=1)
