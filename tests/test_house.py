"""The promises that the README, the metadata and CI make to one another."""

from __future__ import annotations

import ast
import configparser
import re
import sys
import tomllib
from pathlib import Path

import pytest

from napari_sam.errors import DISTRIBUTION
from tests.documented import PAGES, ROOT

PYPROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())
PROJECT, CONTRACTS = PYPROJECT["project"], PYPROJECT["tool"]["importlinter"]["contracts"]

EXTRAS = ("bioio", "cluster", "formats")
DISTRIBUTIONS = {"PIL": "pillow", "skimage": "scikit-image"}  # where the import has another name


def imported_distributions() -> set[str]:
    modules: set[str] = set()
    for path in (ROOT / "src").rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.Import):
                modules |= {alias.name for alias in node.names}
            elif isinstance(node, ast.ImportFrom) and node.module:
                modules.add(node.module)
    packages = {module.split(".")[0] for module in modules} - sys.stdlib_module_names
    return {DISTRIBUTIONS.get(package, package) for package in packages - {"napari_sam"}}


def readme_commands() -> list[str]:
    blocks = re.findall(r"```sh\n(.*?)```", (ROOT / "README.md").read_text(), re.DOTALL)
    return [line for block in blocks for line in block.splitlines()]


def name_of(requirement: str) -> str:
    return re.split(r"[\[<>=!~ ;]", requirement)[0].lower()


def test_readme_has_one_command_to_use_it_and_one_to_test_it() -> None:
    use, test = readme_commands()
    assert use.endswith("napari-sam demo")
    assert "tox run -e unit" in test


@pytest.mark.parametrize("page", [*PAGES, ROOT / "CONTRIBUTING.md"], ids=lambda page: page.name)
def test_extras_environments_and_modules_that_a_page_names_exist(page: Path) -> None:
    text = page.read_text()
    extras = re.findall(r"(?:\.|napari-sam)\[([a-z,]+)\]", text)
    assert {x for some in extras for x in some.split(",")} <= set(PROJECT["optional-dependencies"])
    tox = configparser.ConfigParser(interpolation=None)
    tox.read(ROOT / "tox.ini")
    named = {x for some in re.findall(r"tox run -e ([\w,-]+)", text) for x in some.split(",")}
    assert all(f"testenv:{name}" in tox or re.match(r"py3\d\d$", name) for name in named)
    modules = re.findall(r"python -m ((?:benchmarks|napari_sam|recipes)[\w.]*)", text)
    places = [ROOT / root / name.replace(".", "/") for name in modules for root in ("", "src")]
    found = [p for p in places if p.with_suffix(".py").exists() or (p / "__main__.py").exists()]
    assert len(found) == len(modules)


def test_the_arrows_of_contributing_are_those_of_the_contracts() -> None:
    said = " ".join((ROOT / "CONTRIBUTING.md").read_text().split())
    layers = [one["layers"] for one in CONTRACTS if one["type"] == "layers"]
    assert set(re.findall(r"`([^`]+ -> [^`]+)`", said)) == {" -> ".join(some) for some in layers}


def test_whatever_bears_the_name_of_the_distribution_bears_the_same() -> None:
    # Where another name has to stand, too, if `name` in pyproject.toml changes: see releasing.md.
    manifest = (ROOT / "src" / "napari_sam" / "napari.yaml").read_text()
    extras = [one for some in PROJECT["optional-dependencies"].values() for one in some]
    own = {name_of(one) for one in extras if "[" in one} - {"napari"}
    named = {"errors.py": {DISTRIBUTION}, "extras of extras": own}
    named["entry point"] = set(PROJECT["entry-points"]["napari.manifest"])
    named["manifest"] = set(re.findall(r"^name: (.+)$", manifest, re.MULTILINE))
    named["manifest's commands"] = set(re.findall(r"(?:id|command): ([^.\s]+)\.", manifest))
    texts = [*PAGES, ROOT / "CONTRIBUTING.md", ROOT / "CHANGELOG.md"]
    install = re.compile(r"pip install [\"']([\w.-]+)\[")
    named |= {page.name: set(install.findall(page.read_text())) for page in texts}
    assert {place: names for place, names in named.items() if names - {PROJECT["name"]}} == {}
    code = [path.read_text() for path in (ROOT / "src").rglob("*.py")]
    assert not any(install.search(text) for text in code)  # they look it up in errors.py


def test_ci_takes_its_commands_from_the_readme() -> None:
    script = (ROOT / ".ci" / "run").read_text()
    assert "README.md" in script
    assert not any(command in script for command in readme_commands())


def test_ci_opens_the_windows_of_other_rooms() -> None:
    tests = ROOT / "tests"
    mark = re.compile(r"^(@|pytestmark = )pytest\.mark\.gui", re.MULTILINE)
    marked = [path for path in tests.rglob("test_*.py") if mark.search(path.read_text())]
    outside = [path.relative_to(ROOT) for path in marked if tests / "widgets" not in path.parents]
    assert outside
    assert all(path.as_posix() in (ROOT / "tox.ini").read_text() for path in outside)


def test_dependencies_are_what_the_source_imports() -> None:
    needed = {name_of(requirement) for requirement in PROJECT["dependencies"]}
    extras = PROJECT["optional-dependencies"]
    offered = {name_of(one) for name, some in extras.items() if name != "dev" for one in some}
    assert needed <= imported_distributions() <= needed | offered


def test_every_dependency_is_pinned_for_ci_and_open_for_users() -> None:
    lines = (ROOT / "constraints.txt").read_text().splitlines()
    pinned = {name_of(line) for line in lines if "==" in line}
    extras = [PROJECT["optional-dependencies"][extra] for extra in EXTRAS]
    assert {name_of(one) for one in sum(extras, PROJECT["dependencies"])} <= pinned
    assert not any("==" in requirement for requirement in PROJECT["dependencies"])


def test_no_qt_binding_is_forced_on_a_user() -> None:
    bindings = {"pyqt5", "pyqt6", "pyside2", "pyside6"}
    assert not bindings & {name_of(requirement) for requirement in PROJECT["dependencies"]}
