"""How these pages are built: ``tox run -e docs``."""

from __future__ import annotations

import os
import sys
from pathlib import Path

HERE = Path(__file__).parent
sys.path.insert(0, str(HERE))
os.environ.setdefault("MPLBACKEND", "agg")

from pages import write_pages  # noqa: E402  (it lies beside this file)

import napari_sam  # noqa: E402

write_pages(HERE / "generated")

project = "napari-sam"
author = "napari-sam contributors"
copyright = "2026, napari-sam contributors"
release = napari_sam.__version__
extensions = [
    "myst_parser",
    "sphinx.ext.autodoc",
    "sphinx.ext.autosummary",
    "sphinx.ext.napoleon",
    "sphinx_gallery.gen_gallery",
]
exclude_patterns = ["_build", "generated/*.md"]
templates_path = ["_templates"]
html_theme = "napari_sphinx_theme"
html_title = "napari-sam"
html_static_path = ["_static"]
html_css_files = ["house.css"]
html_theme_options = {
    "github_url": "https://github.com/napari-sam/napari-sam",
    "navbar_align": "left",
    "header_links_before_dropdown": 6,
    "footer_start": ["copyright"],
    "footer_end": ["sphinx-version"],
}
html_show_sourcelink = False
html_sidebars = {"five-minute-start": [], "index": []}  # nothing would stand there

myst_enable_extensions = ["colon_fence"]
myst_heading_anchors = 4
default_role = "literal"  # single backticks in docstrings

autodoc_typehints = "none"  # numpydoc's say more: shapes and order of axes
autosummary_generate = True
napoleon_google_docstring = False
napoleon_use_rtype = False

sphinx_gallery_conf = {
    "examples_dirs": "../examples",
    "gallery_dirs": "gallery",
    "filename_pattern": r"/\d",
    "within_subsection_order": "FileNameSortKey",
    "min_reported_time": 1_000,
    "write_computation_times": False,
    "show_memory": False,
    "show_signature": False,
    "download_all_examples": False,
    "remove_config_comments": True,
    "default_thumb_file": str(HERE / "images" / "panel.png"),
}
