"""Style sheets of the buttons that stand out from napari's own."""

from __future__ import annotations

__all__ = ["COMPACT", "FRAMED", "primary", "tool"]

COMPACT = "QPushButton { padding: 3px 1px; }"  # of rows that have to fit a narrow panel

FRAMED = (  # of buttons that are pictures; the grey shows on dark and on light
    "QToolButton { padding: 4px 1px; border: 1px solid #808080; border-radius: 3px; }"
    "QToolButton:hover, QToolButton:focus { border-color: #26913f; }"
)

ACCENT, LIGHTER, DARKER = "#1f7a34", "#26913f", "#175c27"
ON_ACCENT, ON_TOOL = "#ffffff", "#101418"  # at least 4.5 to 1 against what they stand on


def primary(padding: int = 6) -> str:
    """Return the style of the button that goes on; it is in colour only while it can be pressed."""
    return (
        f"QPushButton {{ padding: {padding}px; border: 1px solid transparent; font-weight: bold; }}"
        f"QPushButton:enabled {{ background-color: {ACCENT}; color: {ON_ACCENT}; }}"
        f"QPushButton:enabled:hover {{ background-color: {LIGHTER}; }}"
        f"QPushButton:enabled:pressed {{ background-color: {DARKER}; }}"
        f"QPushButton:enabled:focus {{ border-color: {ON_ACCENT}; }}"
    )


def tool(colour: str) -> str:
    """Return the style of a drawing tool: a line in its colour, and filled with it while it draws.

    The weight of the text stays, as its width is that of the button.
    """
    return (
        "QPushButton { padding: 3px 1px; border: 1px solid transparent; "
        f"border-bottom: 3px solid {colour}; }}"
        f"QPushButton:focus {{ border-top-color: {colour}; }}"
        f"QPushButton:enabled:checked {{ background-color: {colour}; color: {ON_TOOL}; }}"
        f"QPushButton:enabled:checked:focus {{ border-top-color: {ON_TOOL}; }}"
        "QPushButton:disabled { border-bottom-color: transparent; }"
    )
