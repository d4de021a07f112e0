"""What a user chooses for a fine-tuning, and what follows: recipe, time, memory. Without torch."""

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
    """What to train, for how long.

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
    """Return the recipe of a plan: no new start, batch normalisation kept as it was."""
    return Recipe(
        what=plan.what,
        pretrain=0,
        train=plan.steps,
        pictures=8 if config.dense else 2,
        objects=4 if config.dense else 8,
        clicks=(0, 0, 0, 1, 2),
        ramp=0,
        rate=RATES[plan.what],
        layer_decay=0.8,
        warmup=20,
        fall=0.5,
        average=0.98,
        auxiliary=0,
        batch_statistics=False,
        seed=plan.seed,
    )


def estimate(config_name: str, what: str, pictures: int, steps: int) -> tuple[float, float]:
    """Return about how long a run takes and how much memory it needs.

    From figures that ``python -m benchmarks.training`` measured on two processor cores; a graphics
    card is faster.

    Parameters
    ----------
    config_name, what : str
        The base model's size, and what is trained.
    pictures : int
        To learn from.
    steps : int

    Returns
    -------
    seconds, gibibytes : float
    """
    view, step, memory = COSTS[config_name, what]
    looks = views_for(CONFIGS[config_name], pictures) if what == "decoder" else 0
    return looks * view + steps * step, memory


def views_for(config: SamConfig, pictures: int) -> int:
    """Return how many augmented views of the pictures are embedded for a decoder-only run.

    Our own model sees crops and embeds them quickly; SAM's sizes see whole pictures, slowly.
    """
    return min(max(16 * pictures, 64), 384) if config.dense else min(max(4 * pictures, 8), 64)


# Seconds per view and per step, and GiB.
COSTS = {
    ("cells_tiny", "decoder"): (0.07, 1.0, 1.2),
}
RATES = {"decoder": 5e-4, "adapters": 1e-3, "everything": 2e-4}
