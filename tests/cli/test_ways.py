"""Options of a search say which way it goes."""

from __future__ import annotations

import argparse
from math import inf

import pytest

from napari_sam.cli.ways import add_ways, search_settings
from napari_sam.errors import InputError
from napari_sam.inference.automatic.settings import GridSettings, InstanceSettings, best_settings


def settings(*options, has_decoder=True):
    parser = argparse.ArgumentParser()
    add_ways(parser)
    chosen = parser.parse_args(options)
    chosen.model = "net"
    return search_settings(chosen, has_decoder)


def test_the_model_decides():
    assert settings() == best_settings(True)
    assert settings(has_decoder=False) == GridSettings()
    assert settings("--min-score", "0.7", has_decoder=False) == GridSettings(min_score=0.7)


@pytest.mark.parametrize(
    ("options", "expected"),
    [
        (["--way", "instances"], InstanceSettings()),
        (["--way", "refined"], InstanceSettings(refine=True)),
        (["--way", "points"], GridSettings()),
        (["--points", "8"], GridSettings(points_per_side=8)),
        (["--seeds", "grid", "--min-stability", "0.5"], GridSettings("grid", min_stability=0.5)),
        (["--seeds", "maxima", "--min-score", "0.5"], GridSettings("maxima", min_score=0.5)),
        (["--diameter", "20"], InstanceSettings(diameter=20)),
        (["--way", "instances", "--min-score", "0.5"], InstanceSettings(quality=0.5)),
        (
            ["--way", "refined", "--foreground", "0.3", "--split", "0.6"],
            InstanceSettings(refine=True, foreground=0.3, split=0.6),
        ),
        (["--min-size", "10", "--max-size", "99"], InstanceSettings(smallest=10, largest=99)),
    ],
)
def test_options_decide(options, expected):
    assert settings(*options) == expected


def test_a_file_of_seeds_means_points(tmp_path):
    (tmp_path / "seeds.csv").touch()
    assert settings("--seeds", str(tmp_path / "seeds.csv")) == GridSettings()


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (
            ["--way", "points", "--diameter", "9"],
            "--diameter is for instances and .* --way points",
        ),
        (["--way", "instances", "--seeds", "grid"], "--seeds is for points and .* --way instances"),
        (["--way", "refined", "--points", "9"], "--points is for points and .* --way refined"),
        (["--min-size", "9", "--min-stability", "1"], "--min-stability is .* with --min-size"),
        (["--seeds", "stars"], "--seeds must be one of .*, or a file; got 'stars'"),
        (["--points", "0"], "points_per_side must be at least 1"),
        (["--foreground", "2"], "foreground must be between 0 and 1; got 2"),
        (["--min-size", "9", "--max-size", "3"], "smallest area must be .* got 9.0 and 3.0"),
        (["--diameter", "0"], "diameter must be above 0"),
    ],
)
def test_what_does_not_go_together_is_said(options, words):
    with pytest.raises(InputError, match=words):
        settings(*options)


@pytest.mark.parametrize(
    "options", [["--way", "instances"], ["--way", "refined"], ["--split", "1"]]
)
def test_a_way_that_the_model_does_not_know(options):
    said = rf"{options[0]}.* needs an instance decoder, which net has not; take --way points"
    with pytest.raises(InputError, match=said):
        settings(*options, has_decoder=False)


def test_nothing_is_limited_by_default():
    assert (InstanceSettings().smallest, InstanceSettings().largest) == (0, inf)
