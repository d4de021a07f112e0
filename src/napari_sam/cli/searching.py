"""Search all slices of a picture file, large ones in tiles, and link what is found."""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from shutil import rmtree
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from napari_sam.cli.wording import Wanted
    from napari_sam.inference.embeddings import EmbeddingStore
    from napari_sam.inference.grid_settings import GridSettings
    from napari_sam.inference.predictor import Predictor
    from napari_sam.io.spacing import Spacing
    from napari_sam.results import Proposal

__all__ = ["searched"]

BAR = "{desc}: {percentage:3.0f}%|{bar}| {n:.1f} of {total_fmt}{unit} [{elapsed}<{remaining}]"


@contextmanager
def searched(
    path: Path,
    output: Path,
    chosen: argparse.Namespace,
    predictor: Predictor,
    settings: GridSettings,
    store: EmbeddingStore,
    words: Wanted | None = None,
) -> Iterator[tuple[NDArray[np.int32], Spacing, bool]]:
    """Give labels of all slices, their spacing, and whether all of them were searched.

    With `words`, only of what they fit; they know afterwards which label is what.
    The labels lie in a file, of which the system keeps in memory what there is room for.
    """
    import numpy as np
    from tqdm import tqdm

    from napari_sam import link_slices
    from napari_sam.batch.slices import runs, scratch, search_slice, seeds_of
    from napari_sam.inference.sampling import sample_stack
    from napari_sam.inference.segmenter import Segmenter
    from napari_sam.inference.selection import arrange
    from napari_sam.io.pictures import Plane, open_picture, read_plane
    from napari_sam.io.scale import read_spacing

    with (
        open_picture(path) as data,
        tqdm(desc=path.name, unit=" slices", bar_format=BAR, disable=chosen.quiet) as bar,
        # Windows does not delete a file that is still mapped.
        TemporaryDirectory(
            dir=output.parent, prefix=".napari-sam-", ignore_cleanup_errors=True
        ) as room,
        ExitStack() as held,
    ):
        ndim = data.ndim - (data.ndim > 2 and data.shape[-1] in (3, 4))
        spacing = read_spacing(path, ndim)
        segmenter = Segmenter(predictor, store)
        stacked = segmenter.contrast(sample_stack(data, ndim)) if ndim > 2 else None
        labels: NDArray[np.int32] = np.lib.format.open_memmap(
            Path(room) / "labels.npy", "w+", np.int32, data.shape[:ndim]
        )
        seeds = held.enter_context(seeds_of(chosen.seeds, labels.shape))
        linked = not (chosen.no_link or chosen.semantic)
        sequences = runs(labels.shape[:-2], spacing.along if linked else None)
        places = {plane: i for i, plane in enumerate(plane for run in sequences for plane in run)}
        bar.total = len(places)

        def find(plane: tuple[int, ...]) -> list[Proposal]:
            kept: list[Proposal] = []
            there, folder = Plane(data, plane), scratch(output, plane)
            for step in search_slice(
                predictor, there, settings, seeds(plane), stacked, store, folder
            ):
                bar.update(places[plane] + step.done / max(step.total, 1) - bar.n)
                kept = step.kept or kept
            return kept if words is None else words.keep(there[:, :], kept, stacked)

        def found(plane: tuple[int, ...]) -> NDArray[np.int32]:
            kept = find(plane)
            some, order = arrange(kept, shape=labels.shape[-2:])
            if words is not None:
                kinds[plane] = words.kinds([kept[i] for i in order])[some]
            return some

        kinds: dict[tuple[int, ...], NDArray[np.int32]] = {}  # of slices that are being linked
        last, done = 0, False
        try:
            for run in sequences:
                if words is not None and words.semantic:
                    labels[run[0]] = words.map(segmenter, read_plane(data, run[0]), stacked)
                    words.note(labels[run[0]], labels[run[0]])
                    bar.update(1)
                    continue
                if len(run) == 1 and words is None:  # nothing to link; it may be very large
                    kept, there = find(run[0]), labels[run[0]]
                    last += len(arrange(kept, shape=there.shape, out=there, first=last + 1)[1])
                    continue
                through = link_slices(
                    map(found, run), gap=chosen.gap, anisotropy=spacing.anisotropy
                )
                for plane, some in zip(run, through, strict=True):
                    labels[plane] = np.where(some > 0, some + last, 0)
                    if words is not None:
                        words.note(labels[plane], kinds.pop(plane))
                last = max([last, *(int(labels[plane].max()) for plane in run)])
            done = True
        except KeyboardInterrupt:
            pass
        yield labels, spacing, done
    if done:
        rmtree(scratch(output), ignore_errors=True)
