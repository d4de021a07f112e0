"""`napari-sam models`: list, download and verify weights, and remove fine-tuned ones."""

from __future__ import annotations

import argparse
import sys
from dataclasses import asdict
from typing import TYPE_CHECKING

from napari_sam.cli.progress import byte_bar
from napari_sam.cli.streams import print_json
from napari_sam.files import Json
from napari_sam.zoo import catalogue, own_models

if TYPE_CHECKING:
    from napari_sam.cli.commands import Commands

__all__ = ["add"]


def add(commands: Commands) -> None:
    """Add the subcommand, with four of its own, to the parser."""
    parser = commands.add_parser("models", help="list, download, verify or remove weights")
    actions = parser.add_subparsers(required=True, metavar="ACTION")
    for run, text in (
        (list_models, "show every known model and whether it is here"),
        (download, "download a model, or the rest of it"),
        (verify, "hash the files that are here and compare with what was published"),
        (remove, "delete a model that you trained"),
    ):
        action = actions.add_parser(run.__name__.removesuffix("_models"), help=text)
        action.add_argument("--json", action="store_true", help="print JSON")
        action.set_defaults(run=run)
        if run is not list_models:
            action.add_argument("name", metavar="NAME", nargs="?" if run is verify else None)


def list_models(chosen: argparse.Namespace) -> int:
    """Print every catalogue entry, grouped by author, and the user's fine-tuned models."""
    entries = catalogue.entries().values()
    own = own_models.own_models().values()
    if chosen.json:
        reports = [*map(_report, entries), *map(_own_report, own)]
        print_json(reports)
        return 0
    title = ""
    for entry in entries:
        if entry.title != title:
            title = entry.title
            about = [title, entry.purpose, entry.citation, f"licence: {entry.licence}"]
            print("\n" + "\n  ".join(filter(None, about)))
        note = "" if entry.loadable else "  (loaded with its model)"
        print(f"    {entry.name:<32} {catalogue.status(entry)}{note}")
    if own:
        print("\nYour own models")
    for model in own:
        print(f"    {model.name:<32} {model.about()}")
    print(f"\nDownloads go to {catalogue.models_folder()}")
    return 0


def download(chosen: argparse.Namespace) -> int:
    """Download a model and print its path."""
    entry = catalogue.lookup(chosen.name)
    print(f"{entry.citation}\nlicence: {entry.licence}", file=sys.stderr)
    with byte_bar(entry.name) as progress:
        path = catalogue.fetch(entry.name, progress)
    if chosen.json:
        print_json({**_report(entry), "path": str(path)})
    else:
        print(path)
    return 0


def verify(chosen: argparse.Namespace) -> int:
    """Verify the hashes of one model, or of all; return 1 on a mismatch or a missing file."""
    entries = [catalogue.lookup(chosen.name)] if chosen.name else catalogue.entries().values()
    found = [
        {"name": entry.name, "path": str(path), "intact": intact}
        for entry in entries
        for path, intact in catalogue.verify(entry).items()
    ]
    if chosen.json:
        print_json(found)
    else:
        for file in found:
            print(f"{'ok' if file['intact'] else 'WRONG':<6}{file['name']:<32} {file['path']}")
        if not found:
            print(f"no file of {chosen.name or 'any model'} is here")
    return 0 if all(file["intact"] for file in found) and (found or not chosen.name) else 1


def remove(chosen: argparse.Namespace) -> int:
    """Delete a fine-tuned model and print its former path."""
    path = own_models.remove(chosen.name)
    if chosen.json:
        print_json({"name": chosen.name, "path": str(path)}, None)
    else:
        print(path)
    return 0


def _report(entry: catalogue.Entry) -> Json:
    return {**asdict(entry), "loadable": entry.loadable, "status": catalogue.status(entry)}


def _own_report(model: own_models.OwnModel) -> Json:
    """Return the header, and the keys that published models have, too."""
    common = {"name": model.name, "title": "Your own models", "loadable": True, "status": "yours"}
    return {**model.header, **common, "path": str(model.path)}
