"""`napari-sam methods`: say how the objects of saved sessions were made."""

from __future__ import annotations

import argparse
import json
from pathlib import Path
from typing import TYPE_CHECKING

from napari_sam.cli.streams import print_json
from napari_sam.errors import InputError

if TYPE_CHECKING:
    from napari_sam.cli.commands import Commands
    from napari_sam.session.session import Session

__all__ = ["add"]


def add(commands: Commands) -> None:
    """Add the subcommand to the parser."""
    parser = commands.add_parser(
        "methods",
        help="say how saved objects were made, for a methods section",
        description="Writes a paragraph: the model and its hash, versions, how many objects were "
        "clicked, found, followed, painted and corrected, and what it took. No time of day, and no "
        "names unless --names is given.",
    )
    parser.add_argument(
        "sessions", metavar="SESSION", nargs="+", type=Path,
        help="folders of saved sessions; or pictures, folders of them or the table of a queue, "
        "whose saved sessions are meant",
    )  # fmt: skip
    parser.add_argument(
        "-o", "--output", metavar="JSON", type=Path, help="also write all figures to this file"
    )
    parser.add_argument(
        "--names", action="store_true", help="tell the names of pictures and classes, too"
    )
    parser.add_argument("--json", action="store_true", help="print JSON")
    parser.set_defaults(run=run)


def run(chosen: argparse.Namespace) -> int:
    """Print the paragraph, or all figures as JSON."""
    from napari_sam.files import replacing
    from napari_sam.session.effort.methods import describe_methods, methods_paragraph

    about = describe_methods(_sessions(chosen.sessions), chosen.names)
    said = {"paragraph": methods_paragraph(about), **about}
    if chosen.output is not None:
        with replacing(chosen.output) as part:
            part.write_text(json.dumps(said, indent=2) + "\n", encoding="utf-8")
    if chosen.json:
        print_json(said)
    else:
        print(said["paragraph"])
    return 0


def _sessions(named: list[Path]) -> dict[str, Session]:
    """Return the sessions that are meant, by the names of their pictures."""
    from napari_sam.session.disk.folder import read_session
    from napari_sam.session.disk.library import sessions_folder
    from napari_sam.session.disk.manifest import FILE, Manifest
    from napari_sam.session.queue.pictures import named_queue
    from napari_sam.session.queue.progress import sessions_of

    found: dict[str, Session] = {}
    pictures = [path for path in named if not (path / FILE).is_file()]
    for path in (path for path in named if path not in pictures):
        manifest = Manifest.read(path)
        found[manifest.source or manifest.name or str(path)] = read_session(path)
    if pictures:
        _, entries = named_queue(pictures)
        found |= {str(e.path): one for e, one in sessions_of(entries, sessions_folder())}
    if not found:
        raise InputError(f"no saved session belongs to what {named[0]} names")
    return found
