"""What a second worker brings, and what a picture costs: ``python -m benchmarks.cluster``.

Drawn pictures of 512 x 512 pixels are segmented and embedded by one worker of one thread and by
two, on this machine. Processor seconds are those of the workers: on a busy machine the time on the
clock says little. Then comes the arithmetic for a million such pictures.
"""

from __future__ import annotations

import argparse
import os
import tempfile
import time
from pathlib import Path

import numpy as np
import tifffile
from distributed import Client, LocalCluster

from napari_sam import GridSettings
from napari_sam.batch.cluster import run_on_cluster
from napari_sam.batch.embed import EmbedTask
from napari_sam.batch.label_output import LabelOutput
from napari_sam.batch.model import workers_model
from napari_sam.batch.segment import SegmentTask
from napari_sam.batch.task import Task
from recipes.synthetic import synthetic_image

ROOM = 10**12


def main() -> None:
    """Run both kinds of work with one worker and with two."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.cluster", description=__doc__)
    parser.add_argument("--pictures", type=int, default=8)
    parser.add_argument("--points", type=int, default=16)
    chosen = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        root = Path(name)
        paths = [root / f"{i}.tif" for i in range(chosen.pictures)]
        for i, path in enumerate(paths):
            drawn = synthetic_image(np.random.default_rng(i), 512)
            tifffile.imwrite(path, drawn.rgb)
        settings = GridSettings(points_per_side=chosen.points)
        for workers in (1, 2):
            there = root / f"{workers}"
            (there / "embeddings").mkdir(parents=True)
            # What segmenting keeps: the workers of one run must not find those of another.
            os.environ["NAPARI_SAM_EMBEDDINGS"] = str(there / "of segment")
            embed = [EmbedTask(path, there / "embeddings", ROOM) for path in paths]
            segment = [
                SegmentTask(path, LabelOutput(there / path.name, {}), settings) for path in paths
            ]
            measure("embed", embed, there / "embeddings", workers)
            measure("segment", segment, there, workers)


def measure(name: str, tasks: list[Task], folder: Path, workers: int) -> None:
    """Print what it took."""
    with (
        LocalCluster(n_workers=workers, threads_per_worker=1, dashboard_address=":0") as cluster,
        Client(cluster) as client,
    ):
        list(
            run_on_cluster(tasks[:1], workers_model("cells_tiny", "cpu"), cluster.scheduler_address)
        )
        before, start = sum(client.run(time.process_time).values()), time.perf_counter()
        list(
            run_on_cluster(tasks[1:], workers_model("cells_tiny", "cpu"), cluster.scheduler_address)
        )
        seconds = time.perf_counter() - start
        used = sum(client.run(time.process_time).values()) - before
    count = len(tasks) - 1
    size = sum(path.stat().st_size for path in folder.glob("*") if path.is_file()) / len(tasks)
    print(
        f"{name}, {workers} workers: {seconds / count:.2f} s a picture, {used / count:.2f} s of a "
        f"processor, {size / 1e6:.3f} MB written; a million: {used / count * 1e6 / 3600:,.0f} "
        f"hours of one core, {size / 1e6:,.2f} TB",
        flush=True,
    )


if __name__ == "__main__":
    main()
