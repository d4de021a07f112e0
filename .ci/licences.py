"""Write a page of the licences of everything that is installed along with the package."""

from __future__ import annotations

import sys
from importlib.metadata import Distribution, PackageNotFoundError, distribution
from pathlib import Path

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from napari_sam.errors import DISTRIBUTION

EXTRAS = {"all", "bioio", "train"}
HEAD = f"""# Licences of the dependencies

What `pip install "{DISTRIBUTION}[all,bioio]"` brings along on Linux, with the licence that each
package declares. Made by `tox run -e licences`; the package itself is BSD-3-Clause, and the
licences of weights stand in `napari-sam models list` and in the
[model cards](model-cards/cells_tiny.md).
PyQt6, which comes with the extra only, is under the GPL: who hands on a program of both has to
follow it, or takes PySide6 in its place. `bioio-czi`, which reads `.czi`, is under
the GPL, too, and left to those who install it themselves.

| Package | Version | Licence |
| --- | --- | --- |
"""


def licence(package: Distribution) -> str:
    """Return what a package declares: an expression, classifiers, or the first line of a text."""
    about = package.metadata
    if about["License-Expression"]:
        return str(about["License-Expression"])
    classifiers = about.get_all("Classifier") or []
    said = [one.split(" :: ")[-1] for one in classifiers if one.startswith("License ::")]
    said = [one for one in said if one != "OSI Approved"]
    first = (about["License"] or "").strip().splitlines()[:1]
    return "; ".join(said or first) or "not declared"


def closure(name: str, extras: set[str]) -> dict[str, Distribution]:
    """Return all packages that one needs on this machine, itself left out."""
    found: dict[str, Distribution] = {}
    done: set[tuple[str, str]] = set()
    queue = [(name, extra) for extra in ("", *sorted(extras))]
    while queue:
        one, extra = queue.pop()
        if (one, extra) in done:
            continue
        done.add((one, extra))
        try:
            package = distribution(one)
        except PackageNotFoundError:
            continue
        found[one] = package
        for line in package.requires or []:
            need = Requirement(line)
            if need.marker is None or need.marker.evaluate({"extra": extra}):
                key = canonicalize_name(need.name)
                queue += [(key, wanted) for wanted in ("", *need.extras)]
    del found[name]
    return found


if __name__ == "__main__":
    packages = closure(DISTRIBUTION, EXTRAS)
    rows = [
        f"| [{name}](https://pypi.org/project/{name}/) | {one.version} | {licence(one)} |"
        for name, one in sorted(packages.items())
    ]
    Path(sys.argv[1]).write_text(HEAD + "\n".join(rows) + "\n", encoding="utf-8")
    print(f"{len(rows)} packages, licence not declared: {sum('not declared' in r for r in rows)}")
