from __future__ import annotations

import json
import logging
import os

import pytest

from napari_sam.errors import InputError
from napari_sam.settings import Settings, default_threads, load_settings, save_settings


def test_missing_file_gives_defaults_without_a_warning(tmp_path, caplog):
    assert load_settings(tmp_path / "none.json") == Settings()
    assert not caplog.records


def test_round_trip_keeps_keys_of_other_versions(tmp_path):
    path = tmp_path / "deep" / "settings.json"
    path.parent.mkdir()
    path.write_text('{"colour": "teal", "threads": 9}')
    settings = Settings(models_folder="/models", threads=3)
    save_settings(settings, path)
    assert load_settings(path) == settings
    assert json.loads(path.read_text())["colour"] == "teal"
    assert os.listdir(path.parent) == ["settings.json"]


@pytest.mark.parametrize(
    "text",
    [
        "{",
        "[1]",
        '{"threads": 0}',
        '{"threads": "many"}',
        '{"models_folder": 3}',
        "\x00",
        "[" * 100_000,
    ],
)
def test_damaged_file_gives_defaults_with_one_warning_and_is_kept(tmp_path, caplog, text):
    path = tmp_path / "settings.json"
    path.write_text(text)
    with caplog.at_level(logging.WARNING):
        assert load_settings(path) == Settings()
        assert load_settings(path) == Settings()
    (said,) = caplog.messages
    assert str(path) in said
    assert (tmp_path / "settings.damaged.json").read_text() == text


def test_a_damaged_file_is_replaced_on_save(tmp_path):
    path = tmp_path / "settings.json"
    path.write_bytes(b"\xff\xfe{")
    save_settings(Settings(threads=2), path)
    assert load_settings(path).threads == 2
    assert (tmp_path / "settings.damaged.json").read_bytes() == b"\xff\xfe{"


@pytest.mark.parametrize("threads", [0, -1, 1.5, True, 10**6, 10**400])
def test_threads_must_be_a_positive_whole_number(threads):
    with pytest.raises(InputError, match="threads"):
        Settings(threads=threads)


@pytest.mark.parametrize("size", [-1, 1.5, True, None, 10**400, float("nan")])
@pytest.mark.parametrize("name", ["embeddings_memory_mb", "embeddings_disk_mb"])
def test_budgets_must_be_whole_megabytes(name, size):
    with pytest.raises(InputError, match=name):
        Settings(**{name: size})


@pytest.mark.parametrize("name", ["models_folder", "embeddings_folder"])
def test_folders_must_be_paths(name):
    with pytest.raises(InputError, match=name):
        Settings(**{name: 3})


@pytest.mark.parametrize(("processors", "expected"), [(1, 1), (2, 1), (8, 7)])
def test_one_processor_is_left_to_others(monkeypatch, processors, expected):
    monkeypatch.delenv("OMP_NUM_THREADS", raising=False)
    monkeypatch.setattr(os, "sched_getaffinity", lambda pid: set(range(processors)), raising=False)
    assert default_threads() == expected


@pytest.mark.parametrize(("asked", "expected"), [("5", 5), ("0", 3), ("4,2", 3), ("", 3)])
def test_a_usable_omp_num_threads_goes_first(monkeypatch, asked, expected):
    monkeypatch.setenv("OMP_NUM_THREADS", asked)
    monkeypatch.setattr(os, "sched_getaffinity", lambda pid: set(range(4)), raising=False)
    assert default_threads() == expected


@pytest.mark.parametrize("channels", [["axis 0"], {"axis 0": "yes"}, None])
def test_answers_about_channels_are_yes_or_no(channels):
    with pytest.raises(InputError, match="channels"):
        Settings(channels=channels)


@pytest.mark.parametrize("name", ["models_folder", "embeddings_folder"])
@pytest.mark.parametrize("folder", ["a\0b", "~nobody-at-all/models"])
def test_folders_that_cannot_be_are_refused(name, folder):
    with pytest.raises(InputError, match=name):
        Settings(**{name: folder})


@pytest.mark.parametrize("name", ["hint_dismissed", "embed_ahead"])
def test_switches_are_true_or_false(name):
    with pytest.raises(InputError, match=name):
        Settings(**{name: "no"})


@pytest.mark.parametrize("value", [float("nan"), float("inf"), 10**400, None, [1]])
def test_choices_are_words_or_numbers_that_can_be_shown(value):
    with pytest.raises(InputError, match="auto"):
        Settings(auto={"points": value})
