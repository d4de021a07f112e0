"""What the build writes itself: the help of all commands, and the picture of the house."""

from __future__ import annotations

import re
import subprocess
import sys
import tomllib
from html import escape
from pathlib import Path

ROOT = Path(__file__).parents[1]
WIDTH, HEIGHT, LOW, GAP = 760, 44, 26, 10  # of the house and its rooms, in pixels
ROOMS = {  # what each is for
    "cli": "the commands",
    "widgets": "the panel: napari and Qt",
    "session": "annotation, undo, autosave",
    "batch": "files in parts, many machines",
    "training": "learning",
    "evaluation": "measuring",
    "data": "samples with labels",
    "text": "words",
    "serving": "a model and its one thread",
    "inference": "an image in, masks out",
    "io": "files",
    "model": "the network",
    "zoo": "catalogue, downloads",
    "prompts": "what you say",
    "results": "what comes back",
    "settings": "folders, threads",
    "samples": "four pictures to try",
    "masks": "one mask and its box",
    "numbering": "numbers of labels",
    "arrays": "of any library",
    "planes": "a slice of a stack",
    "progress": "done, total, time left",
    "files": "whole or not at all",
    "errors": "what to do",
    "reasons": "any error in a sentence",
}
WIDGETS = {
    "window": "napari with the panel in it",
    "panel": "puts the parts together",
    "prompt": "tab Prompt, options",
    "auto": "tab Auto",
    "text": "tab Text",
    "bug_report": "versions, last error",
    "commands": "for menus and palette",
    "preferences": "page of napari's preferences",
    "model_use": "the model that is asked",
    "notices": "told while the panel is hidden",
    "objects": "list, review",
    "search": "what was found",
    "refine": "Refine labels",
    "stack": "tab Stack",
    "saved": "saved work",
    "annotation": "session and napari, joined",
    "train": "tab Train",
    "jobs": "work beside the window",
    "layers": "napari's layers and ours",
    "common": "forms, keys, choices",
}


def write_pages(folder: Path) -> None:
    """Write all of them into a folder that git ignores."""
    folder.mkdir(exist_ok=True)
    (folder / "commands.md").write_text(commands())
    (folder / "house.svg").write_text(house())


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


def floors(container: str) -> list[list[str]]:
    """Return the rooms of a package, top floor first, as import-linter holds them in CI."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())
    contracts = project["tool"]["importlinter"]["contracts"]
    (arrows,) = (one for one in contracts if one.get("containers") == [container])
    return [re.findall(r"\w+", layer) for layer in arrows["layers"]]


def house() -> str:
    """Return the rooms as an SVG picture: each needs only what stands below it."""
    rooms: list[str] = []
    top = GAP
    for names in floors("napari_sam"):
        if "widgets" in names:
            inside, end = within(top + LOW + GAP // 2)
            rooms += [*floor(names, ROOMS, top, GAP, end - top), *inside]
            top = end + GAP
        else:
            rooms += floor(names, ROOMS, top, GAP, tall(names))
            top += tall(names) + GAP
    return "\n".join(
        [
            f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH + 40} {top}" '
            'font-family="sans-serif" font-size="14" role="img" aria-label="The rooms, by floors">',
            '<defs><marker id="tip" viewBox="0 0 8 8" refX="4" refY="7" markerWidth="8" '
            'markerHeight="8"><path d="M0 0h8L4 8z" fill="#5b6b7f"/></marker></defs>',
            f'<rect width="{WIDTH + 40}" height="{top}" rx="10" fill="#f4f6f9"/>',
            f'<path d="M{WIDTH + 20} {GAP}V{top - GAP}" stroke="#5b6b7f" stroke-width="2" '
            'marker-end="url(#tip)"/>',
            *rooms,
            "</svg>\n",
        ]
    )


def within(top: int) -> tuple[list[str], int]:
    """Return the floors of widgets, and where the room around them ends."""
    rooms: list[str] = []
    for names in floors("napari_sam.widgets"):
        rooms += floor(names, WIDGETS, top, 2 * GAP, tall(names))
        top += tall(names) + GAP
    return rooms, top


def tall(names: list[str]) -> int:
    """Return how high a floor is: wide rooms need one line, narrow ones two."""
    return LOW if len(names) < 4 else HEIGHT


def floor(names: list[str], words: dict[str, str], top: int, margin: int, height: int) -> list[str]:
    """Return the rooms of one floor, as wide as the house but for a margin on both sides."""
    lines = []
    width = (WIDTH - 2 * margin + GAP) / len(names) - GAP
    for place, name in enumerate(names):
        left = margin + place * (width + GAP)
        at = f'<text x="{left + width / 2:.0f}" text-anchor="middle"'
        colour = "#cfe3ff" if name in ("cli", "widgets") else "#ffffff"
        title = f'<tspan font-weight="bold" fill="#12233a">{name}</tspan>'
        what = f'<tspan font-size="12" fill="#3c4a5c">{escape(words.get(name, ""))}</tspan>'
        lines.append(
            f'<rect x="{left:.0f}" y="{top}" width="{width:.0f}" height="{height}" rx="6" '
            f'fill="{colour}" stroke="#5b6b7f"/>'
        )
        if tall(names) == LOW:
            lines.append(f'{at} y="{top + 18}">{title} {what}</text>')
        else:
            lines.append(f'{at} y="{top + 18}">{title}</text>{at} y="{top + 36}">{what}</text>')
    return lines
