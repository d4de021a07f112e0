"""User settings, kept as a small JSON file in the configuration folder."""

from __future__ import annotations

import json
import logging
import os
from dataclasses import asdict, dataclass, field, fields
from pathlib import Path

import platformdirs

from napari_sam.errors import InputError
from napari_sam.files import Json, free_path, replacing

__all__ = ["Settings", "default_threads", "load_settings", "save_settings", "settings_path"]

MAX_MB = 1_000_000_000  # a petabyte
MAX_THREADS = 1024
logger = logging.getLogger(__name__)
OVERLAPS = "keep", "replace", "ask"
PRECISIONS = "auto", "float32", "bfloat16"
UNUSABLE = OSError, ValueError, RecursionError


@dataclass(frozen=True)
class Settings:
    """User settings of this package.

    Parameters
    ----------
    models_folder : str, optional
        Where downloaded weights lie; None is the user's cache folder. The environment variable
        ``NAPARI_SAM_MODELS`` goes before it.
    threads : int, optional
        Processor threads of the model; None is `default_threads`.
    precision : str
        Of the image encoder on a processor: "float32", "bfloat16", or "auto", which takes bfloat16
        where the processor has matrix units.
    hint_dismissed : bool
        True once the panel's first steps have been put away.
    embeddings_folder : str, optional
        Where embeddings are kept; None is the user's cache folder. The environment variable
        ``NAPARI_SAM_EMBEDDINGS`` goes before it.
    embeddings_memory_mb : int
        Megabytes (of a million bytes) by which the process may grow for embeddings: half for those
        at hand, half for making, writing and reading them.
    embeddings_disk_mb : int
        Megabytes that embeddings may take on disk; 0 keeps none there.
    embed_ahead : bool
        Whether the panel embeds the other slices of a stack in the background.
    hover : bool, optional
        Whether the panel shows the mask below the mouse; None decides by the decoder's speed.
    channels : dict of str to bool
        What was answered about axes that look like channels: which axis, and whether it is.
    axes : dict of str to str
        What was answered about stacks of a kind: "z" for depth, "t" for time, a letter an axis.
    stack : dict of str to str
        What was chosen last in the stack tab: objects, direction and rule.
    auto : dict of str to str, number or bool
        What was chosen last in the tab for the automatic mode.
    kinds : dict of str to str
        Kinds of picture that were chosen by hand, by the kind that had been guessed.
    text : dict of str to str
        What was chosen last in the tab for words: the words, and what they stand for.
    keys : dict of str to str
        Keys of the panel's actions that are not the default ones.
    sessions_folder : str, optional
        Where the panel saves what is annotated; None is the user's data folder. The environment
        variable ``NAPARI_SAM_SESSIONS`` goes before it.
    scheduler : str
        Address of the dask scheduler that the panel offers as a device; empty if there is none. The
        environment variable ``NAPARI_SAM_SCHEDULER`` goes before it.
    overlap : str
        Who keeps the pixels where a new object meets an older one: "keep", "replace" or "ask".

    Raises
    ------
    InputError
        For values of another kind, sizes below zero or beyond reason, or fewer than one thread.
    """

    models_folder: str | None = None
    threads: int | None = None
    precision: str = "auto"
    hint_dismissed: bool = False
    embeddings_folder: str | None = None
    embeddings_memory_mb: int = 1_024
    embeddings_disk_mb: int = 20_000
    embed_ahead: bool = True
    hover: bool | None = None
    channels: dict[str, bool] = field(default_factory=dict)
    axes: dict[str, str] = field(default_factory=dict)
    stack: dict[str, str] = field(default_factory=dict)
    auto: dict[str, str | float | bool] = field(default_factory=dict)
    kinds: dict[str, str] = field(default_factory=dict)
    text: dict[str, str] = field(default_factory=dict)
    keys: dict[str, str] = field(default_factory=dict)
    sessions_folder: str | None = None
    scheduler: str = ""
    overlap: str = "keep"

    def __post_init__(self) -> None:
        for name in ("models_folder", "embeddings_folder", "sessions_folder"):
            folder = getattr(self, name)
            if not (folder is None or _is_folder(folder)):
                raise InputError(f"{name} must be a path or null; got {folder!r}")
        for name in ("embeddings_memory_mb", "embeddings_disk_mb"):
            size = getattr(self, name)
            if type(size) is not int or not 0 <= size <= MAX_MB:
                raise InputError(
                    f"{name} must be a whole number of megabytes up to {MAX_MB}; got {size!r}"
                )
        for name in ("hint_dismissed", "embed_ahead"):
            if type(getattr(self, name)) is not bool:
                raise InputError(f"{name} must be true or false; got {getattr(self, name)!r}")
        if self.hover is not None and type(self.hover) is not bool:
            raise InputError(f"hover must be true, false or null; got {self.hover!r}")
        answers = self.channels.values() if isinstance(self.channels, dict) else [self.channels]
        if not all(isinstance(answer, bool) for answer in answers):
            raise InputError(
                f"channels must name axes and say true or false; got {self.channels!r}"
            )
        for name, known in (("overlap", OVERLAPS), ("precision", PRECISIONS)):
            said = getattr(self, name)
            if said not in known:
                raise InputError(f"{name} must be one of {', '.join(known)}; got {said!r}")
        if not (
            isinstance(self.scheduler, str) and (not self.scheduler or "://" in self.scheduler)
        ):
            raise InputError(
                f"scheduler must be an address such as tcp://host:8786; got {self.scheduler!r}"
            )
        for name in ("axes", "stack", "kinds", "text", "keys"):
            said = getattr(self, name)
            chosen = said.values() if isinstance(said, dict) else [None]
            if not all(isinstance(choice, str) for choice in chosen):
                raise InputError(f"{name} must name what was chosen; got {said!r}")
        automatic = self.auto.values() if isinstance(self.auto, dict) else [None]
        if not all(
            isinstance(choice, str) or (isinstance(choice, int | float) and abs(choice) <= MAX_MB)
            for choice in automatic
        ):
            raise InputError(f"auto must name what was chosen; got {self.auto!r}")
        if self.threads is not None and (
            type(self.threads) is not int or not 1 <= self.threads <= MAX_THREADS
        ):
            raise InputError(
                f"threads must be a whole number from 1 to {MAX_THREADS}, or null; "
                f"got {self.threads!r}"
            )


def _is_folder(name: object) -> bool:
    try:
        return isinstance(name, str) and "\0" not in name and bool(Path(name).expanduser())
    except RuntimeError:  # the home of somebody who is not known here
        return False


def default_threads() -> int:
    """Return the default number of processor threads for the model.

    All processors but one, at least one; ``OMP_NUM_THREADS`` goes before it. One processor is left
    to the rest of the machine: threads of one operation wait for each other, so a single one that
    has to share its processor holds up all of them.
    """
    asked = os.environ.get("OMP_NUM_THREADS", "")
    if asked.isdigit() and int(asked) > 0:
        return int(asked)
    allowed = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    return max(1, (allowed or 1) - 1)


def settings_path() -> Path:
    """Return the path of the settings file."""
    return Path(platformdirs.user_config_dir("napari-sam", appauthor=False)) / "settings.json"


def load_settings(path: Path | None = None) -> Settings:
    """Read the settings; a missing file gives the defaults.

    So does a damaged one, with a warning: it is kept under another name.
    """
    path = path or settings_path()
    known = {field.name for field in fields(Settings)}
    try:
        return Settings(**{key: value for key, value in _read(path).items() if key in known})
    except UNUSABLE as error:
        _set_aside(path, error)
        return Settings()


def save_settings(settings: Settings, path: Path | None = None) -> None:
    """Write the settings atomically; keys of other versions are kept.

    Raises
    ------
    OSError
        When the folder cannot be written.
    """
    path = path or settings_path()
    try:
        kept = _read(path)
    except UNUSABLE as error:
        _set_aside(path, error)
        kept = {}
    text = json.dumps({**kept, **asdict(settings)}, indent=2) + "\n"
    with replacing(path) as part:
        part.write_text(text, encoding="utf-8")


def _set_aside(path: Path, error: Exception) -> None:
    """Say that a file cannot be used, and keep it where it is neither read nor written over."""
    reason = "its brackets are nested too deeply" if isinstance(error, RecursionError) else error
    aside = free_path(path.with_suffix(".damaged.json"))
    try:
        path.rename(aside)
    except OSError:
        aside = path
    logger.warning("%s cannot be used, defaults apply: %s. It is kept as %s", path, reason, aside)


def _read(path: Path) -> Json:
    if not path.exists():
        return {}
    values = json.loads(path.read_text(encoding="utf-8"))
    if not isinstance(values, dict):
        raise ValueError(f"expected an object of keys and values, found {type(values).__name__}")
    return values
