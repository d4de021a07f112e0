"""The page of napari's preferences and the settings file are the same, whoever changes one."""

from __future__ import annotations

from dataclasses import replace

import pytest
from napari.settings import get_plugin_settings
from npe2 import PluginManifest
from pydantic import ValidationError

from napari_sam.errors import DISTRIBUTION
from napari_sam.session.disk.library import sessions_folder
from napari_sam.settings import load_settings, save_settings
from napari_sam.widgets.preferences import PAGES, Preferences


@pytest.fixture(autouse=True)
def registered(plugin_settings, npe2pm):
    npe2pm.register(PluginManifest.from_distribution(DISTRIBUTION))


@pytest.fixture
def preferences():
    preferences = Preferences()
    yield preferences
    preferences.close()


@pytest.fixture
def page(preferences):
    return get_plugin_settings(DISTRIBUTION)


def test_the_page_shows_what_is_saved():
    save_settings(replace(load_settings(), overlap="ask", threads=2, embeddings_disk_mb=7))
    Preferences().close()
    page = get_plugin_settings(DISTRIBUTION)
    assert (page.work.overlap, page.model.threads, page.memory.embeddings_disk_mb) == ("ask", 2, 7)


def test_every_field_of_the_page_is_a_setting_and_the_other_way_round(page):
    for name, fields in PAGES.items():
        assert set(type(getattr(page, name)).model_fields) == set(fields)
        assert all(hasattr(load_settings(), field) for field in fields)


def test_a_change_on_the_page_is_saved_and_told(preferences, page):
    told = []
    preferences.changed.connect(lambda settings: told.append(settings.overlap))
    page.work.overlap = "replace"
    assert load_settings().overlap == "replace"
    assert told == ["replace"]
    page.model.threads = 0
    assert load_settings().threads is None


def test_the_folder_of_saved_work_is_used_at_once(page, monkeypatch, tmp_path):
    monkeypatch.delenv("NAPARI_SAM_SESSIONS")
    page.work.sessions_folder = str(tmp_path / "elsewhere")
    assert sessions_folder() == tmp_path / "elsewhere"


def test_what_cannot_be_is_refused_and_the_page_shows_the_old_value(preferences, page):
    told = []
    preferences.refused.connect(told.append)
    page.work.sessions_folder = "a\0b"
    assert "sessions_folder" in told[0]
    assert page.work.sessions_folder == ""
    with pytest.raises(ValidationError):
        page.work.overlap = "anybody"
    assert load_settings().overlap == "keep"


def test_the_panel_and_the_page_follow_each_other(panel):
    page = get_plugin_settings(DISTRIBUTION)
    panel.controls.choices["rule"].value = "ask"
    assert page.work.overlap == load_settings().overlap == "ask"
    page.work.overlap = "replace"
    assert panel.controls.choices["rule"].value == "replace"
