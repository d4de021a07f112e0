"""Hyperparameters of a training run."""

from __future__ import annotations

from dataclasses import dataclass

__all__ = ["Recipe"]


@dataclass(frozen=True)
class Recipe:
    """Hyperparameters of one run; the defaults train `cells_tiny` from scratch.

    Parameters
    ----------
    what : {"instances", "decoder", "adapters", "everything"}
        Which weights change (see `napari_sam.training.optim`).
    pretrain, train : int
        Steps of the instance head alone, and steps with prompts.
    pictures, objects : int
        Crops per batch, and objects per crop.
    accumulate : int
        Batches whose gradients make one step.
    together : int
        Crops whose objects get prompts of the same kind and are decoded together; several small
        crops cost less than one by one.
    crop : float
        Side of a crop as a share of the model's frame; smaller ones cost less.
    clicks : tuple of int
        How many corrections follow the first prompt; each crop draws one of these. 8 gives the
        paper's 11 rounds (see `simulated_prompts.corrections`).
    merged : float
        Share of the objects whose first answer is shown as if it held the touching neighbour, too.
    nothing : float
        Share of the lone clicks that are followed by clicks where nothing is.
    ramp : float
        Share of the prompted steps over which focal : dice rises from 1 : 1 to the paper's 20 : 1;
        0 for weights that already know what an object is.
    rate, decay, layer_decay : float
        AdamW's learning rate (linear warm-up, then constant, then a linear fall) and weight
        decay; the rate shrinks by `layer_decay` from each layer of the encoder to the one below.
    warmup : int
        Steps of the warm-up.
    fall : float
        Share of the steps over which the learning rate falls.
    clip : float
        Largest norm of the gradient.
    average : float
        Decay of the moving average of the weights; the average is what ships.
    instances : float
        Weight of the instance head's loss beside the prompts'; 0 leaves the head as it is.
    batch_statistics : bool
        False keeps batch normalisation as it was, for few pictures.
    workers : int
        Processes that cut the crops; 0 cuts them in the training thread.
    seed : int
    """

    what: str = "everything"
    pretrain: int = 600
    train: int = 4000
    pictures: int = 8
    objects: int = 4
    accumulate: int = 1
    together: int = 1
    crop: float = 1.0
    clicks: tuple[int, ...] = (0, 0, 1, 2, 4)
    merged: float = 0.25
    nothing: float = 0.25
    ramp: float = 0.5
    rate: float = 1.5e-3
    decay: float = 0.05
    layer_decay: float = 1.0
    warmup: int = 100
    fall: float = 0.4
    clip: float = 1.0
    average: float = 0.998
    instances: float = 0.2
    batch_statistics: bool = True
    workers: int = 0
    seed: int = 0

    @property
    def steps(self) -> int:
        """Total number of steps."""
        return self.pretrain + self.train

    def rate_at(self, step: int) -> float:
        """Return the learning rate of a step, counted from 0.

        Examples
        --------
        >>> recipe = Recipe(pretrain=0, train=100, warmup=10, fall=0.5, rate=1.0)
        >>> [recipe.rate_at(step) for step in (0, 9, 50, 75)]
        [0.1, 1.0, 1.0, 0.5]
        """
        rise = (step + 1) / max(self.warmup, 1)
        fall = (self.steps - step) / max(self.fall * self.steps, 1)
        return self.rate * min(rise, 1.0, max(0.02, fall))

    def ramp_at(self, step: int) -> float:
        """Return the ramp of the loss weights towards the paper's, 0 to 1."""
        progress = (step - self.pretrain) / max(self.train, 1)
        return 1.0 if self.ramp == 0 else min(1.0, max(0.0, progress) / self.ramp)
