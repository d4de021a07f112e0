"""torch-em's UNETR and its watershed, with seeded random weights.

torch-em's own __init__ files import its trainers and all that these need; of the package only the
files in question are imported here. Of python-elf, of which they use nothing here, there are
stand-ins.
"""

from __future__ import annotations

import importlib
import importlib.util
import sys
from types import ModuleType
from typing import Any

from torch import Tensor, nn

from tests.model.peers import randomise

__all__ = ["randomised_unetr", "reference_ais", "reference_maps", "torch_em"]

EMPTY = "torch_em", "torch_em.model", "torch_em.util"
ELF = {
    "elf": {},
    "elf.segmentation": {},
    "elf.segmentation.utils": {"normalize_input": None},
    "elf.segmentation.mutex_watershed": {"mutex_watershed": None},
}


def torch_em(name: str) -> Any:
    """Return a module of torch-em, imported without its packages' own __init__ files."""
    spec = importlib.util.find_spec("torch_em")
    assert spec is not None, "install the peer: pip install --no-deps -c constraints.txt torch-em"
    [folder] = spec.submodule_search_locations or []
    stand_ins = {one: ModuleType(one) for one in (*EMPTY, *ELF)}
    for one in EMPTY:
        stand_ins[one].__path__ = [folder + one.removeprefix("torch_em").replace(".", "/")]
    for one, members in ELF.items():
        vars(stand_ins[one]).update(members)
    added = {one: module for one, module in stand_ins.items() if one not in sys.modules}
    sys.modules.update(added)
    try:
        return importlib.import_module(f"torch_em.{name}")
    finally:
        for one in added:
            del sys.modules[one]


class NoEncoder(nn.Module):
    """What the UNETR asks of an encoder when it is built; embeddings are given to it here."""

    embed_dim, in_chans = 256, 3

    def __init__(self, grid: int) -> None:
        super().__init__()
        self.img_size = 16 * grid

    def forward(self, embedding: Tensor) -> Tensor:
        return embedding


def randomised_unetr(transposed: bool, grid: int, seed: int = 0) -> nn.Module:
    """Return torch-em's UNETR for embeddings (B, 256, grid, grid), every weight drawn."""
    model = torch_em("model.unetr").UNETR(
        img_size=16 * grid,
        encoder=NoEncoder(grid),
        out_channels=3,
        use_sam_stats=True,
        final_activation="Sigmoid",
        use_skip_connection=False,
        use_conv_transpose=transposed,
    )
    randomise(model, seed)
    return model


def reference_maps(unetr: nn.Module, embedding: Tensor) -> Tensor:
    """Return foreground, centre and boundary distance (B, 3, h, w) of an embedding."""
    side = (unetr.img_size, unetr.img_size)
    return unetr.decode((embedding, [], embedding), side, side)


def reference_ais(
    foreground: Any, centre: Any, boundary: Any, smoothing: float, **settings: Any
) -> Any:
    """Return torch-em's labels, after the smoothing of the foreground that micro-sam does first."""
    if smoothing:
        filters = importlib.import_module("bioimage_cpp").filters
        foreground = filters.gaussian_smoothing(foreground, smoothing)
    function = torch_em("util.segmentation").watershed_from_center_and_boundary_distances
    return function(centre, boundary, foreground, **settings)
