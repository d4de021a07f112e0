"""`napari-sam segment`: segment all objects in images automatically."""

from __future__ import annotations

import argparse
import sys
from collections import Counter
from dataclasses import asdict
from functools import partial
from math import inf
from pathlib import Path
from typing import TYPE_CHECKING

from napari_sam.cli.labelling import add_label_arguments, label_all, targets, tasks_of
from napari_sam.cli.paths import input_images, output_paths
from napari_sam.cli.progress import Failures
from napari_sam.cli.ways import add_ways, given_ways, search_settings
from napari_sam.errors import InputError
from napari_sam.files import Json

if TYPE_CHECKING:
    from napari_sam.batch.alike import Examples
    from napari_sam.batch.label_output import LabelTask
    from napari_sam.batch.words import Words
    from napari_sam.cli.commands import Commands
    from napari_sam.inference.automatic.settings import SearchSettings


__all__ = ["add"]


def add(commands: Commands) -> None:
    """Add the subcommand to the parser."""
    parser = commands.add_parser(
        "segment",
        help="find all objects in pictures",
        description="Finds everything in a picture and writes it as labels: at once, from what the "
        "model sees in each pixel, or by asking it at many points. Slices of a stack are searched "
        "one by one, and objects that overlap from slice to slice become one: through z (within "
        "each time point, if there are both), else through time. How far apart slices lie is read "
        "from the file.",
    )
    parser.add_argument(
        "--boxes", metavar="CSV", type=Path,
        help="segment one object for each row of a table: y0, x0, y1, x1, for stacks slice, and "
        "id if you like; nothing else is searched",
    )  # fmt: skip
    parser.add_argument(
        "--gap", type=int, default=1, metavar="N",
        help="an object that is missed on up to N slices goes on after them; nothing is filled in "
        "(default 1)",
    )  # fmt: skip
    parser.add_argument(
        "--no-link", action="store_true", help="number the objects of all slices, link none"
    )
    add_ways(parser)
    parser.add_argument(
        "--volume", action="store_true",
        help="look at stacks in depth along all three axes and cut them in 3D, in place of linking "
        "slices: for objects that are about as deep as wide",
    )  # fmt: skip
    parser.add_argument(
        "--like", metavar="LABELS", type=Path,
        help="keep only what is like the objects in these labels, each of which is an example; "
        "see docs/similar.md",
    )  # fmt: skip
    parser.add_argument(
        "--like-in", metavar="IMAGE", type=Path,
        help="the picture that the examples belong to (default: the one that is segmented)",
    )  # fmt: skip
    _add_words(parser)
    add_label_arguments(parser)
    parser.set_defaults(run=run)


def run(chosen: argparse.Namespace) -> int:
    """Segment the images, write the labels, and report the number of objects."""
    from napari_sam.batch.boxes import BoxesTask
    from napari_sam.batch.model import workers_model
    from napari_sam.batch.segment import SegmentTask
    from napari_sam.batch.volume import VolumeTask
    from napari_sam.inference.automatic.settings import InstanceSettings

    words = _word_settings(chosen)
    if chosen.boxes is not None and (others := [*given_ways(chosen), *["--text"] * bool(words)]):
        raise InputError(f"--boxes says what to segment; leave {others[0]} out")
    settings, decoder = _search_settings(chosen)
    _check_like(chosen)
    if chosen.volume:
        _check_volume(chosen, settings, words)
    given = {}
    if chosen.seeds is not None and Path(chosen.seeds).exists():
        given["seeds"] = Path(chosen.seeds)
    if chosen.boxes is not None:
        given["boxes"] = chosen.boxes
    if chosen.like is not None:
        given["like"] = chosen.like
    failures = Failures()
    images = input_images(chosen.images, failures, chosen.output, chosen.quiet)
    outputs = output_paths(images, chosen.images, chosen.output, failures, given.values())
    model = workers_model(chosen.model, chosen.device, decoder)
    names = ("gap", "no_link", "text", "similarity", "top", "semantic", "encoder")
    said = {name: None if value == inf else value for name, value in asdict(settings).items()}
    values = said | {name: getattr(chosen, name) for name in names}
    if chosen.volume:
        values["volume"] = True
    if chosen.like is not None:
        values["like_in"] = None if chosen.like_in is None else str(chosen.like_in)
    target = targets("segment", model, values)
    seeds = str(given["seeds"].resolve()) if "seeds" in given else None

    def task(path: Path, output: Path) -> LabelTask:
        image, to = path.resolve(), target(output, {"image": path, **given})
        if isinstance(settings, InstanceSettings) and chosen.volume:
            return VolumeTask(image, to, settings)
        if chosen.boxes is None:
            link = not chosen.no_link
            examples = _examples(chosen, path)
            return SegmentTask(image, to, settings, seeds, chosen.gap, link, words, examples)
        return BoxesTask(image, to, chosen.boxes.resolve())

    tasks = tasks_of(outputs, failures, task)
    return label_all(tasks, model, chosen, failures, partial(_said, words))


def _search_settings(chosen: argparse.Namespace) -> tuple[SearchSettings, str]:
    """Return how to search, and the digest of the instance decoder that it needs, if of a file."""
    from napari_sam.inference.automatic.settings import GridSettings
    from napari_sam.model.load import known_decoder

    if chosen.boxes is not None:
        return GridSettings(), ""
    decoder = known_decoder(chosen.model)
    settings = search_settings(chosen, decoder is not None)
    return settings, "" if isinstance(settings, GridSettings) else decoder or ""


def _check_volume(
    chosen: argparse.Namespace, settings: SearchSettings, words: Words | None
) -> None:
    """Check that nothing else is asked for than volumes can have."""
    from napari_sam.inference.automatic.settings import InstanceSettings

    for option, given in (
        ("--boxes", chosen.boxes is not None),
        ("--text", words is not None),
        ("--no-link", chosen.no_link),
        ("--way points", not isinstance(settings, InstanceSettings)),
        ("--way refined", isinstance(settings, InstanceSettings) and settings.refine),
    ):
        if given:
            raise InputError(f"--volume looks from three directions at once; leave {option} out")


def _check_like(chosen: argparse.Namespace) -> None:
    """Check what is asked for with examples, and that they are there."""
    if chosen.like is None:
        if chosen.like_in is not None:
            raise InputError("--like-in needs --like: labels whose objects are examples")
        return
    for option in ("boxes", "text", "volume", "top", "semantic"):
        if _is(chosen, option):
            raise InputError(f"--like says what to keep; leave --{option} out")
    for path in (chosen.like, chosen.like_in):
        if path is not None and not path.exists():
            raise InputError(f"there is no file {path}")
    if chosen.similarity is not None and not 0 <= chosen.similarity <= 1:
        raise InputError(f"--similarity must be between 0 and 1; got {chosen.similarity}")


def _examples(chosen: argparse.Namespace, image: Path) -> Examples | None:
    """Return the examples for an image; None without `--like`."""
    if chosen.like is None:
        return None
    from napari_sam.batch.alike import Examples

    picture = chosen.like_in or image
    similarity = 0.5 if chosen.similarity is None else chosen.similarity
    return Examples(chosen.like.resolve(), picture.resolve(), similarity)


def _said(words: Words | None, report: Json) -> tuple[str, list[str]]:
    """Return what was found, for people."""
    return f"{_found(report, words)}{_linked(report)}{_channels(report)}", []


def _found(report: Json, words: Words | None) -> str:
    if "alike" in report:
        least, most = report["alike"]["least"], report["alike"]["most"]
        likely = "" if least == most else f", between {least} and {most} are of their kind"
        return f"{report['objects']} objects like the examples{likely}"
    if words is None:
        return f"{report['objects']} objects"
    kinds = Counter(report["words"].values())
    if not kinds:
        return "nothing fits the words"
    if words.semantic:
        return "areas of " + ", ".join(kinds)
    said = ", ".join(f"{count} {kind}" for kind, count in kinds.most_common())
    return f"{report['objects']} objects ({said})"


def _channels(report: Json) -> str:
    count = report.get("channels", 1)
    return f", each of {count} channels on its own" if count > 1 else ""


def _linked(report: Json) -> str:
    if report["linked"] == "z":
        return f", linked through z, anisotropy {report['anisotropy']:.3g}"
    return ", linked through time" if report["linked"] else ""


def _add_words(parser: argparse.ArgumentParser) -> None:
    """Add the arguments."""
    words = parser.add_argument_group("words", "keep only what they fit; see docs/text.md")
    words.add_argument(
        "--text", action="append", metavar="WORDS",
        help='what to find, such as "bright round nuclei"; more than once for several classes',
    )  # fmt: skip
    words.add_argument(
        "--similarity", type=float, metavar="S",
        help="how well an object has to fit, 0 to 1 (default: the encoder's, with --like 0.5)",
    )  # fmt: skip
    words.add_argument(
        "--top", type=int, metavar="N", help="of each slice the N objects of a class that fit best"
    )
    words.add_argument(
        "--semantic", action="store_true",
        help="one area of everything that fits: labels hold numbers of classes, from 1",
    )  # fmt: skip
    words.add_argument(
        "--encoder", metavar="NAME",
        help="who knows words: words_tiny (the default), or a model such as CLIP that is here",
    )  # fmt: skip


def _word_settings(chosen: argparse.Namespace) -> Words | None:
    """Return what is asked for in words; None without `--text`. Unknown words are told."""
    if chosen.text is None:
        if chosen.like is not None:
            return None
        given = [name for name in ("similarity", "top", "semantic", "encoder") if _is(chosen, name)]
        if given:
            raise InputError(f"--{given[0]} needs --text: say in words what to find")
        return None
    from napari_sam.batch.words import Words, reader_of
    from napari_sam.text import BUILT_IN
    from napari_sam.text.ranking import check_words

    check_words(chosen.text)
    if len(set(chosen.text)) < len(chosen.text):
        raise InputError(f"each --text is a class of its own; got {chosen.text}")
    if chosen.semantic and (chosen.similarity is not None or chosen.top is not None):
        raise InputError("--semantic finds areas, and --similarity and --top are of objects")
    if chosen.top is not None and chosen.top < 1:
        raise InputError(f"--top must be at least 1; got {chosen.top}")
    encoder = chosen.encoder or BUILT_IN
    for remark in reader_of(encoder).remarks(chosen.text).values():
        print(f"warning: {remark}", file=sys.stderr)
    return Words(tuple(chosen.text), chosen.similarity, chosen.top, chosen.semantic, encoder)


def _is(chosen: argparse.Namespace, name: str) -> bool:
    return getattr(chosen, name) not in (None, False)
