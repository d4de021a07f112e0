"""The sizes of SAM 2.1, and what all of them have in common. Numbers: Ravi et al. 2024."""

from __future__ import annotations

from napari_sam.model.config import HieraConfig, SamConfig

__all__ = ["MAPS", "MEMORY_WIDTH", "POINTERS", "SAM2_CONFIGS"]

MEMORY_WIDTH = 64  # channels of what is remembered of a slice
MAPS = 7  # places in time: the slices with prompts share one, the last six followed have the others
POINTERS = 16  # slices, at most, of which an object pointer is looked at

SAM2_CONFIGS: dict[str, SamConfig] = {
    config.name: config
    for config in (
        SamConfig("sam2_tiny", HieraConfig(96, 1, (1, 2, 7, 2), (5, 7, 9))),
        SamConfig("sam2_small", HieraConfig(96, 1, (1, 2, 11, 2), (7, 10, 13))),
        SamConfig(
            "sam2_base_plus", HieraConfig(112, 2, (2, 3, 16, 3), (12, 16, 20), background=14)
        ),
        SamConfig(
            "sam2_large", HieraConfig(144, 2, (2, 6, 36, 4), (23, 33, 43), windows=(8, 4, 16, 8))
        ),
    )
}
