"""The package's settings as a page of napari's preferences, and back."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import suppress
from dataclasses import asdict, replace

from napari.settings import get_plugin_settings
from napari.utils.events import Event, EventedModel
from psygnal import Signal

from napari_sam.errors import DISTRIBUTION, InputError
from napari_sam.settings import Settings, load_settings, save_settings
from napari_sam.widgets.common.choices import Choices

__all__ = ["Preferences"]

# Pages of the manifest's configurations; a field is the setting of the same name.
PAGES = {
    "work": ("sessions_folder", "overlap", "embed_ahead"),
    "model": ("models_folder", "threads", "precision", "scheduler"),
    "memory": ("embeddings_memory_mb", "embeddings_disk_mb", "embeddings_folder"),
}
CONTROLS = {"embed_ahead": "embed_ahead", "overlap": "rule"}  # settings that the panel shows, too


class Preferences:
    """Keeps napari's page of preferences and the settings file the same.

    The settings file is what the commands read, so it goes first: the page is filled from it when a
    panel opens, and what somebody changes there is written into it. Without a page (the plugin is
    not registered, or napari is older) there is nothing to do.

    Attributes
    ----------
    changed : psygnal.Signal
        Emitted with the new settings when somebody has changed one on the page.
    refused : psygnal.Signal
        Emitted with why a value cannot be taken or saved; the page shows the old one again.
    """

    changed = Signal(Settings)
    refused = Signal(str)

    def __init__(self) -> None:
        self._filling = False
        self._choices: Choices | None = None
        self._pages: dict[str, EventedModel] = {}
        with suppress(KeyError, AttributeError):
            page = get_plugin_settings(DISTRIBUTION)
            self._pages = {name: getattr(page, name) for name in PAGES}
        self.fill()
        for page in self._pages.values():
            page.events.connect(self._take)

    def fill(self) -> None:
        """Show the saved settings on the page."""
        values = _shown(load_settings())
        self._filling = True
        try:
            for name, page in self._pages.items():
                for one in PAGES[name]:
                    with suppress(ValueError):  # a page that knows fewer values
                        setattr(page, one, values[one])
        finally:
            self._filling = False

    def bind(self, choices: Choices) -> None:
        """Show the saved settings in controls of the panel, and save what is chosen there."""
        self._choices = choices
        self._show(load_settings())
        for control in CONTROLS.values():
            choices[control].changed.connect(self._keep)

    def _keep(self) -> None:
        if self._choices is not None:
            chosen = {one: self._choices[control].value for one, control in CONTROLS.items()}
            save_settings(replace(load_settings(), **chosen))
            self.fill()

    def _show(self, settings: Settings) -> None:
        if self._choices is not None:
            for one, control in CONTROLS.items():
                self._choices[control].value = getattr(settings, one)

    def close(self) -> None:
        """Follow the page no longer."""
        for page in self._pages.values():
            page.events.disconnect(self._take)

    def _take(self, event: Event) -> None:
        if self._filling:
            return
        read = {one: getattr(page, one) for n, page in self._pages.items() for one in PAGES[n]}
        try:
            settings = replace(load_settings(), **_meant(read))  # type: ignore[arg-type]
            save_settings(settings)
        except (InputError, OSError) as error:
            self.refused.emit(str(error))
            self.fill()
            return
        self._show(settings)
        self.changed.emit(settings)


def _shown(settings: Settings) -> dict[str, object]:
    """Return settings as the page shows them: no folder is an empty text, no number zero."""
    values = asdict(settings)
    texts = {one: values[one] or "" for one in values if one.endswith("_folder")}
    return {**values, **texts, "threads": settings.threads or 0}


def _meant(shown: Mapping[str, object]) -> dict[str, object]:
    """Return what the page shows as settings."""
    empty = {one: value or None for one, value in shown.items() if one.endswith("_folder")}
    return {**shown, **empty, "threads": shown["threads"] or None}
