"""Entry point of `napari-sam`, and what all subcommands share."""

from __future__ import annotations

import argparse
import logging
import sys
from collections.abc import Sequence

import napari_sam
from napari_sam.cli.commands import (
    clean,
    convert,
    demo,
    embed,
    evaluate,
    gui,
    methods,
    models,
    propagate,
    queue,
    refine,
    segment,
    track,
    train,
)
from napari_sam.cli.streams import tolerant_streams
from napari_sam.errors import NapariSamError
from napari_sam.reasons import reason, shown

__all__ = ["main"]

logger = logging.getLogger(__name__)
COMMANDS = (
    *(demo, gui, queue, methods, models, embed, segment, propagate, refine, clean),
    *(track, train, evaluate, convert),
)
STATUS = (
    "Exit status: 0 done, 1 failed or one of several files failed, 2 the command was not "
    "understood, 130 interrupted."
)


class Version(argparse.Action):
    """Argparse action that prints the version, looked up only when asked for."""

    def __call__(self, parser: argparse.ArgumentParser, *args: object) -> None:
        """Print the version and exit."""
        print(f"napari-sam {napari_sam.__version__}")
        parser.exit()


def main(arguments: Sequence[str] | None = None) -> int:
    """Run a subcommand and return the exit status; see `STATUS`."""
    with tolerant_streams():
        return _run(arguments)


def _run(arguments: Sequence[str] | None) -> int:
    parser = argparse.ArgumentParser(
        prog="napari-sam", description=napari_sam.__doc__, epilog=STATUS
    )
    parser.add_argument("--version", action=Version, nargs=0, help="print the version and exit")
    commands = parser.add_subparsers(required=True, metavar="COMMAND")
    for command in COMMANDS:
        command.add(commands)
    chosen = parser.parse_args(arguments)
    logging.basicConfig(level=logging.WARNING, format="%(levelname)s: %(message)s")
    try:
        status = int(chosen.run(chosen))
        sys.stdout.flush()
        return status
    except (NapariSamError, OSError, MemoryError) as error:
        logger.debug("%s", chosen.run.__module__, exc_info=True)
        print(f"napari-sam: {shown(reason(error))}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("napari-sam: interrupted", file=sys.stderr)
        return 130
