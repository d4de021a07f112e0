"""SAM 2.1 against the transformers package's in one run: ``python -m benchmarks.sam2``.

Time of a processor: medians of interleaved pairs, on one thread. Peak memory is that of a process
which builds one model, embeds a clip of four slices and follows one object through it. Weights are
random, drawn anew: nothing is said of how good masks are. The numbers that come out are compared
in ``tests/model/sam2``.
"""

from __future__ import annotations

import argparse
import resource
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import replace
from statistics import median
from typing import Any

import torch
from torch import Tensor

from napari_sam.model.config import SamConfig
from napari_sam.model.sam2.config import SAM2_CONFIGS
from napari_sam.model.sam2.sam2 import Sam2
from napari_sam.model.sam2.tracker import Tracker
from tests.model.sam2.peers import randomise, reference, session

SLICES = 4
CLICK = (0.4, 0.5)  # (x, y), shares of the frame

Task = Callable[[], Any]


def main() -> None:
    """Print all figures, or one peak for the process that asked for it."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--pairs", type=int, default=3, help="pairs of runs per figure")
    parser.add_argument("--models", nargs="+", default=["sam2_tiny"], choices=list(SAM2_CONFIGS))
    parser.add_argument(
        "--frame", type=int, default=1024, help="side of the frame, a multiple of 32"
    )
    parser.add_argument("--peak", choices=["reference", "ours"], help=argparse.SUPPRESS)
    options = parser.parse_args()
    torch.set_num_threads(1)
    configs = [replace(SAM2_CONFIGS[name], frame=options.frame) for name in options.models]
    if options.peak:
        print(peak(options.peak, configs[0]))
        return
    print(f"random weights; {'':17}{'reference, ours, ratio':>32}")
    for config in configs:
        theirs, ours = (peak_elsewhere(who, config) for who in ("reference", "ours"))
        name = config.name
        print(f"{name + ' peak memory':32}{theirs:10.2f} GiB{ours:8.2f} GiB{theirs / ours:8.2f}")
        for what, pair in make_tasks(config).items():
            report(f"{name} {what}", pair, options.pairs)


@torch.inference_mode()
def make_tasks(config: SamConfig) -> dict[str, tuple[Task, Task]]:
    """Return (reference, ours) for each thing that is timed."""
    model, clip = Sam2(config), make_clip(config)
    theirs = reference(model.config, randomise(model))
    features = [model.encode(one[None]) for one in clip]
    points = click(config)
    labels = torch.tensor([[1]])
    state, tracker = (
        follow_theirs(theirs, clip, points),
        Tracker(model, features.__getitem__, SLICES),
    )
    tracker.prompt(1, 0, points, labels)
    list(tracker.follow())
    last = SLICES - 1
    sees = theirs.get_image_features(clip[:1], return_dict=True).fpn_hidden_states
    maps = [x.permute(1, 2, 0).unflatten(-1, (int(len(x) ** 0.5), -1)) for x in sees]
    theirs(state, frame_idx=last)  # its features stay
    return {
        "encoder": (
            lambda: theirs.get_image_features(clip[:1]),
            lambda: model.encode(clip[:1]),
        ),
        "one click": (
            lambda: theirs._single_frame_forward(
                input_points=points[None],
                input_labels=labels[None],
                image_embeddings=maps,
                multimask_output=True,
            ),
            lambda: model.answer(features[0].embedding, features[0].skips, points, labels),
        ),
        f"one slice followed, {SLICES - 1} known": (
            lambda: theirs(state, frame_idx=last),
            lambda: tracker.step(1, last, False),
        ),
    }


def click(config: SamConfig) -> Tensor:
    """Return where both are clicked on, (1, 1, 2)."""
    return torch.tensor([[CLICK]]) * config.frame


def make_clip(config: SamConfig) -> Tensor:
    """Return slices of noise, normalised."""
    return torch.randn(
        SLICES, 3, config.frame, config.frame, generator=torch.Generator().manual_seed(0)
    )


def follow_theirs(model: Any, clip: Tensor, points: Tensor) -> Any:
    """Follow one object through the clip with the reference, and return its state."""
    state = session(model, clip)
    given = {"point_coords": points[None], "point_labels": torch.tensor([[[1]]])}
    state.add_point_inputs(state.obj_id_to_idx(1), 0, given)
    state.obj_with_new_inputs.append(1)
    model(state, frame_idx=0)
    list(model.propagate_in_video_iterator(state, 0))
    return state


@torch.inference_mode()
def report(what: str, pair: tuple[Task, Task], pairs: int) -> None:
    """Time both tasks in turn and print medians and their ratio."""
    used: tuple[list[float], list[float]] = ([], [])
    for _ in range(pairs):
        for side, task in enumerate(pair):
            begin = time.process_time()
            task()
            used[side].append(time.process_time() - begin)
    theirs, ours = map(median, used)
    print(f"{what:32}{theirs:12.3f} s{ours:10.3f} s{theirs / ours:8.2f}", flush=True)


def peak_elsewhere(who: str, config: SamConfig) -> float:
    """Return `peak` of a fresh process."""
    command = [
        *(sys.executable, "-m", "benchmarks.sam2", "--peak", who),
        *("--models", config.name, "--frame", str(config.frame)),
    ]
    return float(subprocess.run(command, check=True, capture_output=True, text=True).stdout)


@torch.inference_mode()
def peak(who: str, config: SamConfig) -> float:
    """Return the peak memory of this process in GiB after it followed an object."""
    model, clip = Sam2(config).eval(), make_clip(config)
    if who == "ours":
        tracker = Tracker(model, lambda index: model.encode(clip[index : index + 1]), SLICES)
        tracker.prompt(1, 0, click(config), torch.tensor([[1]]))
        list(tracker.follow())
    else:
        follow_theirs(reference(model.config, model.state_dict()), clip, click(config))
    unit = 2**30 if sys.platform == "darwin" else 2**20  # bytes or KiB
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / unit


if __name__ == "__main__":
    main()
