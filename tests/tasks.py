"""Tasks that need no model, to be done by other processes."""

from __future__ import annotations

import os
import time
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from napari_sam.files import replacing


@dataclass(frozen=True)
class Counting:
    """Writes each part's number, and at the end all of them."""

    source: Path
    output: Path
    count: int = 1
    seconds: float = 0.0

    def part(self, number):
        return self.output.with_name(f".{self.output.name}.parts") / str(number)

    def log(self, what):
        with self.output.with_name("log.txt").open("a") as log:
            log.write(f"{os.getpid()} {self.output.name} {what}\n")

    @contextmanager
    def opened(self, predictor):
        if not self.source.exists():
            raise FileNotFoundError(f"{self.source} is not there")
        yield self

    @property
    def parts(self):
        return range(self.count)

    @property
    def folder(self):
        return self.output.parent

    def do(self, part):
        if self.part(part).exists():
            return
        self.log(f"begin {part}")
        time.sleep(self.seconds)
        with replacing(self.part(part)) as file:
            file.write_text(str(part))
        self.log(f"end {part}")
        yield 1.0

    def finish(self):
        text = "\n".join(self.part(part).read_text() for part in self.parts)
        with replacing(self.output) as file:
            file.write_text(text)
        self.log("finish")
        return len(text)
