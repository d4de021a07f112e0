"""What the README and the documentation show works, and their links lead somewhere."""

from __future__ import annotations

import re
import shlex
from pathlib import Path

import numpy as np
import pytest
import tifffile
from skimage.data import immunohistochemistry

from napari_sam.cli.main import main
from napari_sam.zoo.own_models import own_models
from recipes.synthetic import synthetic_image
from tests.documented import PAGES, ROOT, blocks, is_whole, lay_out, lines, mentioned
from tests.inference.moving import draw
from tests.text.drawn import PLACES, is_bright, nuclei


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_relative_links_lead_to_files(page: Path) -> None:
    links = re.findall(r"\]\(([^)#]+)", page.read_text())
    made = ("gallery/", "generated/")  # by the build
    links = [link for link in links if "://" not in link and not link.startswith(made)]
    assert not [link for link in links if not (page.parent / link).exists()]


def on_the_map() -> set[str]:
    text = (ROOT / "docs" / "architecture.md").read_text()
    return set(re.findall(r"`([\w./]+\.(?:ini|py|toml|yaml|yml))`", text))


def test_the_map_of_the_house_leads_to_files() -> None:
    roots = ROOT / "src" / "napari_sam", ROOT
    assert not [name for name in on_the_map() if not any((x / name).exists() for x in roots)]


def test_every_room_is_on_the_map_of_the_house() -> None:
    package = ROOT / "src" / "napari_sam"
    rooms = {path.parent.relative_to(package).as_posix() for path in package.rglob("*/__init__.py")}
    assert rooms - {name.rpartition("/")[0] for name in on_the_map()} == set()


TRAINING = ROOT / "docs" / "training.md"
STACKS = ROOT / "docs" / "stacks.md"
AUTOMATIC = ROOT / "docs" / "automatic.md"
TEXT = ROOT / "docs" / "text.md"
REFINE = ROOT / "docs" / "refine.md"
EDITING = ROOT / "docs" / "editing.md"
TRACKS = ROOT / "docs" / "tracks.md"
OTHERS = (TRAINING, STACKS, AUTOMATIC, TEXT, REFINE, EDITING, TRACKS, ROOT / "docs" / "api.md")
PREDICTING = [page for page in PAGES if blocks(page, "python") and page not in OTHERS]


@pytest.mark.parametrize("page", PREDICTING, ids=lambda page: page.name)
def test_python_on_a_page_runs(page: Path) -> None:
    # The README leaves the picture and the place of the click to the reader.
    names = {"image": immunohistochemistry(), "row": 392, "column": 182}
    for block in blocks(page, "python"):
        exec(block, names)
    result = names["result"]
    assert result.masks.shape == (3, 512, 512)
    assert np.all(np.diff(result.scores) <= 0)
    assert result.masks[0, 392, 182]


def test_the_page_on_editing_fills_a_hole() -> None:
    names: dict[str, np.ndarray] = {}
    for block in blocks(EDITING, "python"):
        exec(block, names)
    assert names["cleaned"].tolist() == [[7, 7, 7, 0], [7, 7, 7, 9], [7, 7, 7, 9]]


def test_the_page_on_words_finds_nuclei() -> None:
    names = {"image": nuclei()}
    for block in blocks(TEXT, "python"):
        exec(block, names)
    bright = [place for place in PLACES if is_bright(place[1])]
    assert len({names["labels"][place] for place in bright} - {0}) == len(bright)
    assert np.mean([names["nuclei"].masks[0][place] for place in PLACES]) > 0.8
    assert names["nuclei"].masks[0].mean() < 0.5


def test_the_page_on_the_automatic_mode_finds_objects(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    discs = draw({1: lambda z: (24, 20, 9), 2: lambda z: (25, 46, 8)}, 1, (50, 66))[0]
    noise = np.random.default_rng(0).integers(0, 50, discs.shape)
    names = {"image": (np.isin(discs, (1, 2)) * 150 + noise).astype(np.uint8)}
    for block in blocks(AUTOMATIC, "python"):
        exec(block, names)
    labels = tifffile.imread("labels.tif")
    assert labels[24, 20] != labels[25, 46]
    for place, id_ in (((24, 20), 1), ((25, 46), 2)):
        found = labels == labels[place]
        assert (found & (discs == id_)).sum() > 0.7 * (found | (discs == id_)).sum()


def test_the_page_on_refining_makes_labels_sharper() -> None:
    rows, columns = np.indices((60, 60))
    truth = np.hypot(rows - 30, columns - 28) < 12
    noise = np.random.default_rng(0).integers(0, 50, truth.shape)
    rough = (np.hypot(rows - 30, columns - 28) < 16).astype(int)
    names = {"image": (truth * 150 + noise).astype(np.uint8), "rough": rough}
    for block in blocks(REFINE, "python"):
        exec(block, names)
    overlaps = [(x & truth).sum() / (x | truth).sum() for x in (rough == 1, names["labels"] == 1)]
    assert overlaps[1] > overlaps[0] + 0.1


def test_the_page_on_stacks_follows_objects(
    capsys: pytest.CaptureFixture[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    discs = draw(
        {1: lambda z: (24, 20, 9), 2: lambda z: (25, 46, 8) if z < 4 else None}, 5, (50, 66)
    )
    noise = np.random.default_rng(0).integers(0, 50, discs.shape)
    stack = (np.isin(discs, (1, 2)) * 150 + noise).astype(np.uint8)
    names = {"stack": stack, "labels": np.zeros(stack.shape, int)}
    for block in blocks(STACKS, "python"):
        exec(block, names)
    for id_ in (1, 2):
        found, truth = names["labels"] == id_, discs == id_
        assert (found & truth).sum() / (found | truth).sum() > 0.7
    assert not (names["labels"][4] == 2).any()


def test_the_page_on_tracks_links_and_breaks_them(capsys: pytest.CaptureFixture[str]) -> None:
    discs = draw({1: lambda z: (24, 20, 9) if z < 4 else None, 2: lambda z: (25, 46, 8)}, 6)
    names = {"movie_labels": np.where(discs < 100, discs, 0)}
    for block in blocks(TRACKS, "python"):
        exec(block, names)
    assert "track 1, frame 3: ends in mid-picture" in capsys.readouterr().out
    assert sorted(len(frames) for frames in names["tracks"].members.values()) == [2, 2, 6]


def test_the_training_page_makes_a_model(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("NAPARI_SAM_MODELS", str(tmp_path))
    monkeypatch.setattr("napari_sam.training.finetune.views_for", lambda config, pictures: 4)
    for seed in range(2):
        drawn = synthetic_image(np.random.default_rng(seed), 128)
        sample = tmp_path / "my_samples" / str(seed)
        sample.mkdir(parents=True)
        tifffile.imwrite(sample / "image.tif", drawn.rgb)
        tifffile.imwrite(sample / "labels.tif", drawn.labels)
    (block,) = blocks(TRAINING, "python")
    exec(block.replace("steps=300", "steps=2"), {})  # the page's own 300 take minutes
    assert list(own_models()) == ["my cells"]


def commands(page: Path) -> list[list[str]]:
    """Return those that a test can run; the demonstration has a test of its own."""
    typed = [line for line in lines(page, "sh") if line.startswith("napari-sam ")]
    typed += [one for one in mentioned(page) if is_whole(one) and one not in typed]
    split = [shlex.split(one)[1:] for one in typed]
    return [words for words in split if words[0] not in ("demo", "--version")]


SLOW = (TRAINING, AUTOMATIC, TEXT)  # their commands take up to some minutes
COMMANDED = [
    pytest.param(page, marks=pytest.mark.slow if page in SLOW else (), id=page.name)
    for page in PAGES
    if commands(page)
]


@pytest.mark.parametrize("page", COMMANDED)
def test_the_commands_of_a_page_run(
    page: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    for variable in ("MODELS", "EMBEDDINGS"):
        monkeypatch.setenv(f"NAPARI_SAM_{variable}", str(tmp_path / variable))
    discs = draw({1: lambda z: (24, 20, 9), 2: lambda z: (25, 46, 8)}, 3, (50, 66))
    discs[:, 0, 0] = 0  # a mark for other tests
    noise = np.random.default_rng(0).integers(0, 50, discs.shape)
    lay_out(tmp_path, ((discs > 0) * 150 + noise).astype(np.uint8), discs, middle=1)
    for words in commands(page):
        few = ["--steps", "2"] if words[0] == "train" else []
        assert main([*words, *few]) == 0
        if "-o" in words and words[0] != "train":
            assert Path(words[words.index("-o") + 1]).exists()


@pytest.mark.parametrize("page", [page for page in PAGES if mentioned(page)], ids=lambda p: p.name)
def test_the_commands_that_a_page_mentions_are_known(
    page: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for _, *words in map(shlex.split, mentioned(page)):
        command = [word for word in words[: 2 if words[0] == "models" else 1] if word[0] != "-"]
        with pytest.raises(SystemExit, match=r"^0$"):
            main([*command, "--help"])
        shown = capsys.readouterr().out
        assert not [word for word in words if word.startswith("-") and word not in shown]
