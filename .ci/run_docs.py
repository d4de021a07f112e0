"""Run each command of the README and the docs as it stands there, at full size, and say how long.

Left out, and printed at the end: what makes an environment (``.ci/run`` does), needs a model host,
or needs a folder of the reader's own. A cluster's address becomes this machine's.
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np

from recipes.synthetic import synthetic_image
from tests.documented import PAGES, is_whole, lay_out, lines, mentioned

SIDE, SLICES, STEP = 512, 8, 2  # of the stack: pixels, and how far things move per slice
FIRST = ("dask ",)  # these go on until the page is done
RUN = ("napari-sam ", "pip install ")


def prepare(folder: Path) -> None:
    """Write the files that the pages name: drawn nuclei that move to the right."""
    drawn = synthetic_image(np.random.default_rng(0), SIDE)
    moved = [
        np.stack([np.roll(plane, STEP * z, axis=1) for z in range(SLICES)])
        for plane in (drawn.rgb[..., 0], drawn.labels)
    ]
    lay_out(folder, *(one.astype(np.uint8) for one in moved), middle=SLICES // 2)


def run_page(page: Path, folder: Path) -> tuple[list[str], list[str]]:
    """Run the commands of a page in a folder; return those that failed and those left out."""
    commands = lines(page, "sh", "bash")
    commands += [one for one in mentioned(page) if is_whole(one) and one not in commands]
    if any(one.startswith((*RUN, *FIRST)) for one in commands):
        prepare(folder)
    scratch = {f"NAPARI_SAM_{name}": str(folder / name) for name in ("MODELS", "EMBEDDINGS")}
    how = {"cwd": folder, "env": {**os.environ, **scratch}, "shell": True}
    failed = []
    running = [
        subprocess.Popen(here(one), stderr=subprocess.DEVNULL, start_new_session=True, **how)
        for one in commands
        if one.startswith(FIRST)
    ]
    for command in commands:
        if command.startswith(RUN):
            begin = time.perf_counter()
            print(f"{page.name}: {command}", flush=True)
            done = subprocess.run(here(command), capture_output=True, text=True, **how)
            print(f"= {time.perf_counter() - begin:.1f} s, status {done.returncode}", flush=True)
            if done.returncode:
                print(done.stdout, done.stderr, flush=True)
                failed.append(command)
    for one in running:
        os.killpg(one.pid, 15)
        one.wait()
    return failed, [one for one in commands if not one.startswith((*RUN, *FIRST))]


def here(command: str) -> str:
    """Return the command with this machine, and its cores, in the place of the pages' cluster."""
    command = command.replace("10.0.0.5", "127.0.0.1")
    command = command.replace("--nworkers 8", f"--nworkers {os.cpu_count()}")
    return f"{command} --host 127.0.0.1" if command == "dask scheduler" else command


def main(names: list[str]) -> int:
    """Run the pages of these names, or all; return 0 if all commands did what they should."""
    failed, left_out = [], []
    for page in [page for page in PAGES if page.name in names or not names]:
        with tempfile.TemporaryDirectory() as name:
            did_not, not_run = run_page(page, Path(name))
        failed += [f"{page.name}: {one}" for one in did_not]
        left_out += [f"{page.name}: {one}" for one in not_run]
    print("left out:", *left_out, sep="\n  ")
    print("failed:", *(failed or ["none"]), sep="\n  ")
    return int(bool(failed))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
