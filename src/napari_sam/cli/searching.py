"""Search all slices of a picture file, large ones in tiles, and link what is found."""

from __future__ import annotations

import argparse
from collections.abc import Callable, Iterator
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

    from napari_sam.batch.slices import axes, label_slices, runs, scratch, search_slice, seeds_of
    from napari_sam.inference.sampling import sample_stack
    from napari_sam.inference.segmenter import Segmenter
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
        ndim = axes(data)
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

        done = False
        try:
            if words is None:
                label_slices(labels, sequences, find, chosen.gap, spacing.anisotropy)
            elif words.semantic:
                for [plane] in sequences:
                    labels[plane] = words.map(segmenter, read_plane(data, plane), stacked)
                    words.note(labels[plane], labels[plane])
                    bar.update(1)
            else:
                _label_words(labels, sequences, find, chosen.gap, spacing.anisotropy, words)
            done = True
        except KeyboardInterrupt:
            pass
        yield labels, spacing, done
    if done:
        rmtree(scratch(output), ignore_errors=True)


def _label_words(
    labels: NDArray[np.int32],
    order: list[list[tuple[int, ...]]],
    find: Callable[[tuple[int, ...]], list[Proposal]],
    gap: int,
    anisotropy: float,
    words: Wanted,
) -> None:
    """Do what `label_slices` does, and let the words know which label is what."""
    import numpy as np

    from napari_sam.inference.linking import link_slices
    from napari_sam.inference.selection import arrange

    kinds: dict[tuple[int, ...], NDArray[np.int32]] = {}  # of slices that are being linked

    def found(plane: tuple[int, ...]) -> NDArray[np.int32]:
        kept = find(plane)
        some, kept_order = arrange(kept, shape=labels.shape[-2:])
        kinds[plane] = words.kinds([kept[i] for i in kept_order])[some]
        return some

    last = 0
    for run in order:
        linked = link_slices(map(found, run), gap=gap, anisotropy=anisotropy)
        for plane, some in zip(run, linked, strict=True):
            labels[plane] = np.where(some > 0, some + last, 0)
            words.note(labels[plane], kinds.pop(plane))
        last = max([last, *(int(labels[plane].max()) for plane in run)])
