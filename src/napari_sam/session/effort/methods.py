"""Methods section of a paper: how labels were made, as a paragraph and as JSON.

No time of day, and no names of files, classes or people unless they are asked for.
"""

from __future__ import annotations

import platform
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

from napari_sam.errors import DISTRIBUTION
from napari_sam.files import Json, file_hash
from napari_sam.session.effort.effort import effort_of, total
from napari_sam.session.session import Session
from napari_sam.zoo import catalogue
from napari_sam.zoo.own_models import own_models

__all__ = ["describe_methods", "methods_paragraph"]

PACKAGES = DISTRIBUTION, "napari", "numpy", "torch"


def describe_methods(sessions: Mapping[str, Session], names: bool = False) -> Json:
    """Return how the objects of sessions were made, as a JSON object.

    Parameters
    ----------
    sessions : mapping of str to Session
        By the name of their picture.
    names : bool
        Whether to tell the names of pictures and classes.

    Returns
    -------
    dict
        ``pictures``, ``models`` (name, digest, citation), ``versions``, ``settings``, ``objects``
        (how many by how they came about), ``effort`` (prompts, seconds, rates); with `names` also
        ``names`` and ``classes``.
    """
    efforts = [effort_of(session) for session in sessions.values()]
    work = total(efforts)
    looked_at = total(one for one in efforts if one.seconds or one.untimed)  # not only searched
    ledgers = [session.ledger for session in sessions.values()]
    models = dict.fromkeys(name for ledger in ledgers for name in ledger.tally.models)
    schemes = [ledger.scheme for ledger in ledgers]
    classes = {held.class_id for ledger in ledgers for held in ledger.objects.values()}
    figures = asdict(work)
    effort = {name: figures.pop(name) for name in ("prompts", "corrections", "undone", "untimed")}
    effort["seconds"] = round(figures.pop("seconds"), 1)
    effort["objects_per_hour"] = _rounded(looked_at.per_hour)
    effort["prompts_per_object"] = _rounded(work.prompts_per_object)
    settings = _settings(ledger.view for ledger in ledgers)
    if not work.found:
        settings.pop("auto", None)  # nothing came of them
    about: Json = {
        "pictures": len(sessions),
        "models": [_model(name) for name in models],
        "versions": _versions(),
        "settings": settings,
        "labels": sorted({"classes" if one.semantic else "objects" for one in schemes}),
        "number_of_classes": len(classes),
        "objects": {"total": figures.pop("objects"), "accepted": work.accepted, **figures},
        "effort": effort,
    }
    if names:
        about["names"] = list(sessions)
        said = [(n, name) for one in schemes for n, name in one.classes.items() if n in classes]
        about["classes"] = {str(n): name for n, name in sorted(said)}
    return about


def methods_paragraph(about: Mapping[str, object]) -> str:
    """Return the paragraph for what `describe_methods` tells."""
    objects, effort = _table(about, "objects"), _table(about, "effort")
    versions = _table(about, "versions")
    pictures = _counted(about["pictures"], "picture")
    parts = [
        f"Objects in {pictures} were annotated with {DISTRIBUTION} {versions[DISTRIBUTION]} "
        f"(napari {versions['napari']}, PyTorch {versions['torch']}){_models(about)}.",
        f"They are {_counted(objects['total'], 'object')}: {_origins(objects)}.",
    ]
    if objects["followed"]:
        parts.append(f"{_were(objects['followed'])} followed through slices by the model.")
    if objects["corrected"]:
        parts.append(
            f"{_were(objects['corrected'])} corrected by hand after the first mask "
            f"({_counted(effort['corrections'], 'further prompt')})."
        )
    if objects["to_review"]:
        parts.append(f"{_were(objects['to_review'])} not accepted by then.")
    if objects["found"]:
        parts.append("Those found were accepted by a person or by their score.")
    if effort["prompts"]:
        rate = effort["prompts_per_object"]
        per = f", {rate} for each object that was clicked or corrected" if rate else ""
        parts.append(f"{_counted(effort['prompts'], 'prompt')} were set{per}.")
    if effort["objects_per_hour"]:
        minutes = float(str(effort["seconds"])) / 60
        parts.append(
            f"Active work took {minutes:.0f} min without pauses, "
            f"{float(str(effort['objects_per_hour'])):.0f} objects per hour."
        )
    names = about.get("classes")
    if isinstance(names, Mapping) and names:
        parts.append(f"Classes: {', '.join(map(str, names.values()))}.")
    return " ".join(parts)


def _model(name: str) -> Json:
    """Return name, digest and citation of a model; of a file its name without folders."""
    entry = catalogue.entries().get(name)
    if entry is not None:
        built_in = not (entry.sha256 or entry.xxh128)
        digest = _digest(catalogue.places(entry)[0]) if built_in else entry.digest
        return {"name": name, "digest": digest, "citation": entry.citation}
    trained = own_models().get(name)
    path = trained.path if trained else Path(name)
    return {"name": path.stem if not trained else name, "digest": _digest(path), "citation": ""}


def _digest(path: Path) -> str:
    """Return the hash of a file; empty if it is not there any more."""
    return f"sha256:{file_hash(path, 'sha256')}" if path.is_file() else ""


def _versions() -> dict[str, str]:
    used = {name: _version(name) for name in PACKAGES}
    return used | {"python": platform.python_version()}


def _version(package: str) -> str:
    try:
        return version(package)
    except PackageNotFoundError:
        return "not installed"


def _settings(views: Iterable[Mapping[str, object]]) -> Json:
    """Return the settings that the views of sessions hold; a list of values where they differ."""
    found: dict[str, list[object]] = {}
    for view in views:
        said = view.get("settings")
        for name, value in said.items() if isinstance(said, Mapping) else ():
            values = found.setdefault(str(name), [])
            if value not in values:
                values.append(value)
    return {name: some[0] if len(some) == 1 else some for name, some in sorted(found.items())}


def _models(about: Mapping[str, object]) -> str:
    models = about["models"]
    if not isinstance(models, Sequence) or not models:
        return ""
    said = []
    for model in models:
        digest = str(model["digest"]).partition(":")
        mark = f" ({digest[0]} {digest[2][:12]}…)" if digest[2] else ""
        said.append(f"{model['name']}{mark}")
    return f", with the model {' and then '.join(said)}"


def _origins(objects: Mapping[str, object]) -> str:
    """Say how many came about in each way."""
    ways = {
        "clicked": "drawn with clicks, boxes or shapes",
        "found": "found automatically",
        "followed_only": "found by following",
        "painted": "painted",
        "imported": "taken from existing labels",
    }
    said = [f"{objects[way]} {words}" for way, words in ways.items() if objects[way]]
    return ", ".join(said) or "none is left"


def _were(number: object) -> str:
    return "1 was" if number == 1 else f"{number} were"


def _counted(number: object, noun: str) -> str:
    return f"{number} {noun}{'' if number == 1 else 's'}"


def _table(about: Mapping[str, object], name: str) -> Mapping[str, object]:
    found = about[name]
    assert isinstance(found, Mapping)
    return found


def _rounded(value: float | None) -> float | None:
    return None if value is None else round(value, 2)
