"""Fine-tuning plan, its recipe, and estimates of time and memory. Imports no torch."""

from __future__ import annotations

from dataclasses import dataclass

from napari_sam.model.config import CONFIGS, SamConfig
from napari_sam.training.recipe import Recipe

__all__ = ["ABOUT", "WHAT", "Plan", "estimate", "recipe_for", "views_for"]

WHAT = {"decoder": "Decoder only", "adapters": "Adapters", "everything": "Everything"}
ABOUT = {
    "decoder": "Pictures are looked at once, then only the answer to prompts is learned. "
    "Minutes on a laptop; the best start.",
    "adapters": "Small additions to the attention layers are learned; the new model is a small "
    "file over its base. Slower: pictures are looked at in every step.",
    "everything": "All weights are learned. Slowest; for many pictures that look unlike what the "
    "model knows.",
}


@dataclass(frozen=True)
class Plan:
    """Fine-tuning plan: which weights to train, and for how many steps.

    Parameters
    ----------
    what : {"decoder", "adapters", "everything"}
        See `ABOUT`.
    steps : int
    seed : int
    """

    what: str = "decoder"
    steps: int = 300
    seed: int = 0


def recipe_for(plan: Plan, config: SamConfig) -> Recipe:
    """Return the recipe of a plan; batch normalisation stays frozen."""
    return Recipe(
        what=plan.what,
        pretrain=0,
        train=plan.steps,
        # Of SAM's sizes one whole picture is all that fits into memory at a time.
        pictures=8 if config.dense else 1,
        accumulate=1 if config.dense else 2,
        objects=4 if config.dense else 8,
        clicks=(0, 0, 0, 1, 2),
        ramp=0,
        rate=RATES[plan.what],
        layer_decay=0.8,
        warmup=20,
        fall=0.5,
        average=0.98,
        instances=0.2,
        batch_statistics=False,
        seed=plan.seed,
    )


def estimate(
    config_name: str, what: str, images: int, steps: int, decoder: bool = False
) -> tuple[float, float]:
    """Return an estimate of a run's time in seconds and its memory in gibibytes.

    On one processor core, as ``python -m benchmarks.training`` measured it; a graphics card is
    faster. The two largest encoders are extrapolated.

    Parameters
    ----------
    config_name, what : str
        The base model's size, and what is trained.
    images, steps : int
        How many to learn from, and the steps.
    decoder : bool
        Whether the base has an instance decoder of micro-sam's, which learns where the encoder
        does. The head of `cells_tiny` always learns and is counted in.
    """
    longer, larger = BEYOND_VIT_B.get(config_name, (1.0, 1.0))
    view, steps_of = COSTS["vit_b" if config_name in BEYOND_VIT_B else config_name]
    step, memory = steps_of[what]
    if what == "decoder":  # only the views need the image encoder
        looks = views_for(CONFIGS[config_name], images)
        return looks * view * longer + steps * step, memory * larger
    more_seconds, more_memory = DECODER if decoder else (0.0, 0.0)
    return steps * (step * longer + more_seconds), memory * larger + more_memory


def views_for(config: SamConfig, images: int) -> int:
    """Return how many augmented views of the pictures are embedded for a decoder-only run.

    Our own model sees crops and embeds them quickly; SAM's sizes see whole pictures, slowly.
    """
    return min(max(16 * images, 64), 384) if config.dense else min(max(4 * images, 8), 64)


# Seconds per view; and, for each choice of what is trained, seconds per step and GiB.
COSTS = {
    "cells_tiny": (0.03, {"decoder": (1.6, 0.8), "adapters": (1.4, 0.7), "everything": (2.1, 1.1)}),
    "vit_t": (1.3, {"decoder": (2.5, 1.2), "adapters": (5.0, 1.9), "everything": (7.3, 3.1)}),
    "vit_b": (10.0, {"decoder": (2.5, 1.7), "adapters": (64.0, 12.3), "everything": (78.0, 14.0)}),
}
# What micro-sam's instance decoder adds: of two pictures a step; worked out from smaller frames.
DECODER = 130.0, 7.0
# Times as long (operations) and as much memory (layers and heads) as vit_b; not measured.
BEYOND_VIT_B = {"vit_l": (3.4, 2.7), "vit_h": (7.1, 3.6)}
RATES = {"decoder": 5e-4, "adapters": 1e-3, "everything": 2e-4}
