"""What the build writes itself: the help of all commands, and the picture of the house."""

from __future__ import annotations

import re
import subprocess
import sys
import tomllib
from html import escape
from pathlib import Path

ROOT = Path(__file__).parents[1]
WIDTH, HEIGHT, GAP = 720, 44, 14  # of the house and its rooms, in pixels
ROOMS = {  # that are shown, and what each is for
    "cli": "the commands",
    "widgets": "the panel: napari and Qt",
    "session": "annotation, undo, autosave",
    "distributed": "many machines",
    "batch": "files in parts",
    "training": "learning and measuring",
    "text": "words",
    "inference": "a picture in, masks out",
    "io": "files",
    "model": "the network",
    "zoo": "the catalogue",
    "prompts": "what you say",
    "results": "what comes back",
    "settings": "folders, threads",
    "errors": "what to do",
    "files": "whole or not at all",
}


def write_pages(folder: Path) -> None:
    """Write all of them into a folder that git ignores."""
    folder.mkdir(exist_ok=True)
    (folder / "commands.md").write_text(commands())
    (folder / "house.svg").write_text(house(layers()))


def commands() -> str:
    """Return Markdown with what ``--help`` says of each command."""
    names = re.findall(r"^    (\w+)\b", ask(), re.MULTILINE)
    parts = ["```text\n" + ask() + "```\n"]
    parts += [f"## {name}\n\n```text\n{ask(name)}```\n" for name in names]
    return "\n".join(parts)


def ask(*command: str) -> str:
    """Return the help of a command, as wide as the page."""
    code = "import sys; from napari_sam.cli.main import main; sys.exit(main(sys.argv[1:]))"
    done = subprocess.run(
        [sys.executable, "-c", code, *command, "--help"],
        env={"COLUMNS": "78", "PATH": "", "NO_COLOR": "1", "PYTHONPATH": ":".join(sys.path)},
        capture_output=True,
        text=True,
        check=True,
    )
    return done.stdout


def layers() -> list[list[str]]:
    """Return the rooms, top floor first, as import-linter holds them in CI."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())
    (arrows,) = (x for x in project["tool"]["importlinter"]["contracts"] if x["type"] == "layers")
    floors = [re.findall(r"\w+", layer) for layer in arrows["layers"]]
    here = [[room for room in floor if room in ROOMS and exists(room)] for floor in floors]
    return [floor for floor in here if floor]


def exists(room: str) -> bool:
    """Return whether there is a module or a package of this name; some rules are for later ones."""
    place = ROOT / "src" / "napari_sam" / room
    return place.is_dir() or place.with_suffix(".py").exists()


def house(floors: list[list[str]]) -> str:
    """Return the rooms as an SVG picture: each needs only what stands below it."""
    full = len(floors) * (HEIGHT + GAP) + GAP
    lines = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH + 40} {full}" '
        'font-family="sans-serif" font-size="14" role="img" aria-label="The rooms of the house">',
        '<defs><marker id="tip" viewBox="0 0 8 8" refX="4" refY="7" markerWidth="8" '
        'markerHeight="8"><path d="M0 0h8L4 8z" fill="#5b6b7f"/></marker></defs>',
        f'<rect width="{WIDTH + 40}" height="{full}" rx="10" fill="#f4f6f9"/>',
        f'<path d="M{WIDTH + 20} {GAP}V{full - GAP}" stroke="#5b6b7f" stroke-width="2" '
        'marker-end="url(#tip)"/>',
    ]
    for row, rooms in enumerate(floors):
        width = (WIDTH - GAP) / len(rooms) - GAP
        top = GAP + row * (HEIGHT + GAP)
        for place, room in enumerate(rooms):
            left = GAP + place * (width + GAP)
            colour = {"cli": "#cfe3ff", "widgets": "#cfe3ff"}.get(room, "#ffffff")
            lines.append(
                f'<rect x="{left:.0f}" y="{top}" width="{width:.0f}" height="{HEIGHT}" rx="6" '
                f'fill="{colour}" stroke="#5b6b7f"/>'
                f'<text x="{left + width / 2:.0f}" y="{top + 19}" text-anchor="middle" '
                f'font-weight="bold" fill="#12233a">{room}</text>'
                f'<text x="{left + width / 2:.0f}" y="{top + 36}" text-anchor="middle" '
                f'font-size="12" fill="#3c4a5c">{escape(ROOMS[room])}</text>'
            )
    return "\n".join([*lines, "</svg>\n"])
