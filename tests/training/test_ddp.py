"""Two processes take the step that one would take."""

import copy
import dataclasses

import pytest
import torch
from torch import multiprocessing

from napari_sam.errors import InputError
from napari_sam.training.ddp import DDP
from napari_sam.training.recipe import Recipe
from napari_sam.training.trainer import Trainer
from napari_sam.training.views import FreshViews

RECIPE = Recipe(
    pretrain=1, train=2, pictures=1, objects=2, accumulate=2, clicks=(1,), warmup=1,
    batch_statistics=False,
)  # fmt: skip


def weights_after(model, pictures, ddp):
    model = copy.deepcopy(model)
    trainer = Trainer(model, RECIPE, FreshViews(pictures, model.config, RECIPE), ddp)
    assert [report["step"] for report in trainer.run()] == [1, 2, 3]
    return trainer.ema.values


def member(rank, folder, model, pictures):
    torch.set_num_threads(1)
    meet = f"file://{folder / 'meet'}"
    torch.distributed.init_process_group("gloo", init_method=meet, rank=rank, world_size=2)
    torch.save(weights_after(model, pictures, DDP(rank, 2)), folder / f"{rank}.pt")
    torch.distributed.destroy_process_group()


def test_two_processes_agree_with_each_other_and_with_one(model, pictures, tmp_path):
    multiprocessing.spawn(member, (tmp_path, model, pictures), nprocs=2)
    first, second = (torch.load(tmp_path / f"{rank}.pt") for rank in (0, 1))
    alone = weights_after(model, pictures, DDP())
    start = model.state_dict()
    for name, value in alone.items():
        assert torch.equal(first[name], second[name])
        if value.is_floating_point():
            moved = float((value - start[name]).abs().max())
            # A key's bias adds the same to all scores that a softmax compares. Its gradient is what
            # rounding leaves, which differs between processors, and the optimiser enlarges it.
            least = 1e-5 if name.endswith("k_proj.bias") else 1e-6
            torch.testing.assert_close(first[name], value, rtol=0, atol=max(0.05 * moved, least))


def test_batches_that_cannot_be_shared_equally_are_refused(model, pictures):
    views = FreshViews(pictures, model.config, RECIPE)
    with pytest.raises(InputError, match="3 processes cannot share 2 batches"):
        Trainer(model, RECIPE, views, DDP(0, 3))


def test_shares_cover_all_batches_once():
    shares = [number for rank in range(3) for number in DDP(rank, 3).numbers(6, 15)]
    assert sorted(shares) == list(range(6, 15))


def test_statistics_stay_as_they_are_alone(model):
    before = {k: v.clone() for k, v in model.named_buffers()}
    DDP().average_buffers(model)
    assert all(torch.equal(v, before[k]) for k, v in model.named_buffers())
    assert dataclasses.astuple(DDP.join()) == (0, 1)
