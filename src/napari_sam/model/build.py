"""The network of each size, untrained."""

from __future__ import annotations

from napari_sam.model.config import CONFIGS, HieraConfig, SamConfig
from napari_sam.model.sam import Sam
from napari_sam.model.sam2.config import SAM2_CONFIGS
from napari_sam.model.sam2.sam2 import Sam2

__all__ = ["SIZES", "build"]

SIZES: dict[str, SamConfig] = {**CONFIGS, **SAM2_CONFIGS}


def build(config: SamConfig) -> Sam:
    """Return a model of this size, a `Sam2` where the encoder is SAM 2's.

    Examples
    --------
    >>> import torch
    >>> with torch.device("meta"):  # shapes without memory
    ...     model = build(SIZES["sam2_tiny"])
    >>> type(model).__name__, len(model.state_dict())
    ('Sam2', 471)
    """
    return (Sam2 if isinstance(config.encoder, HieraConfig) else Sam)(config)
