"""Tracks go out and come back, and other programs' own readers understand them."""

from __future__ import annotations

import csv

import geff
import numpy as np
import pytest
import tifffile
from laptrack.data_conversion import geff_networkx_to_tree_coords_mapping

from napari_sam.errors import InputError
from napari_sam.io.spacing import Spacing
from napari_sam.io.tracks.ctc import ctc_masks, read_ctc, write_ctc
from napari_sam.io.tracks.folder import write_tracks
from napari_sam.io.tracks.geff import read_geff, write_geff
from napari_sam.io.tracks.read import holds_tracks, read_tracks
from napari_sam.io.tracks.tables import object_rows, read_table, track_rows, write_table
from napari_sam.tracking.detections import detect
from napari_sam.tracking.linking import link
from napari_sam.tracking.tracks import Tracks
from tests.tracking.drawn import dividing, draw

SPACING = Spacing.of(
    3,
    {
        "axis_labels": "tyx",
        "scale": (5, 0.5, 0.5),
        "units": ("minute", "micrometer", "micrometer"),
    },
)


@pytest.fixture
def series():
    frames = dividing()
    found = detect(frames)
    return frames, found, link(found)


@pytest.fixture
def gap():
    """One object that is missed on two frames, and divides after that."""
    frames = draw(
        lambda t: (30, 30, 7) if t < 6 and t not in (2, 3) else None,
        lambda t: (24, 30, 5) if t >= 6 else None,
        lambda t: (36, 30, 5) if t >= 6 else None,
    )
    found = detect(frames)
    return frames, found, link(found)


def test_the_challenge_has_no_gaps_and_loses_none(tmp_path, gap) -> None:
    frames, _, tracks = gap
    write_ctc(tmp_path, frames, tracks, len(frames))
    assert (tmp_path / "res_track.txt").read_text() == "1 0 1 0\n2 6 7 4\n3 6 7 4\n4 4 5 1\n"
    masks = np.stack(list(ctc_masks(tmp_path)))
    assert np.unique(masks[4]).tolist() == [0, 4]
    again = read_ctc(tmp_path)
    assert sorted(len(some) for some in again.members.values()) == [2, 2, 4]
    assert again.parents == {2: 1, 3: 1}


def test_a_damaged_table_or_a_missing_mask_is_named(tmp_path, series) -> None:
    frames, _, tracks = series
    with pytest.raises(InputError, match=r"has no res_track\.txt"):
        read_ctc(tmp_path)
    write_ctc(tmp_path, frames, tracks, len(frames))
    (tmp_path / "mask003.tif").unlink()
    with pytest.raises(InputError, match="masks of all frames"):
        list(ctc_masks(tmp_path))
    (tmp_path / "res_track.txt").write_text("1 0 x 0\n")
    with pytest.raises(InputError, match="four whole numbers"):
        read_ctc(tmp_path)


def test_geff_reads_our_graph_and_laptrack_takes_it(tmp_path, series) -> None:
    _, found, tracks = series
    write_geff(tmp_path / "tracks.geff", found, tracks, SPACING)
    geff.validate_structure(tmp_path / "tracks.geff")
    graph, metadata = geff.read(tmp_path / "tracks.geff")
    assert metadata.axes[1].scale == 0.5
    assert metadata.axes[0].scaled_unit == "minute"
    assert sum(graph.out_degree(node) == 2 for node in graph) == 1
    assert {data["track"] for _, data in graph.nodes(data=True)} == set(tracks.members)
    tree, places, _ = geff_networkx_to_tree_coords_mapping(graph, "t", ["y", "x"])
    assert (len(tree), tree.number_of_edges()) == (len(found), len(found) - 2)
    np.testing.assert_allclose(sorted(map(tuple, places[0])), sorted(map(tuple, found.centres[:2])))


def test_a_graph_of_geffs_own_comes_in(tmp_path) -> None:
    import networkx

    graph = networkx.DiGraph()
    for node, (t, y, x) in enumerate([(0, 1.0, 2.0), (2, 1.0, 3.0), (1, 1.0, 2.5), (2, 5.0, 3.0)]):
        graph.add_node(node + 10, time=t, y=y, x=x)
    graph.add_edges_from([(10, 12), (12, 11), (12, 13)])
    about = {"axis_names": ["time", "y", "x"], "axis_types": ["time", "space", "space"]}
    geff.write(graph, tmp_path / "other.geff", **about)
    found, tracks = read_geff(tmp_path / "other.geff")
    assert found.labels.tolist() == [1, 1, 1, 2]
    assert tracks.members == {1: {0: 1, 1: 1}, 2: {2: 1}, 3: {2: 2}}
    assert tracks.parents == {2: 1, 3: 1}


def test_numbers_of_tracks_and_gaps_come_back(tmp_path, gap) -> None:
    _, found, tracks = gap
    other = Tracks(
        {n + 6: some for n, some in tracks.members.items()},
        {n + 6: of + 6 for n, of in tracks.parents.items()},
    )
    write_geff(tmp_path / "a.geff", found, other, SPACING)
    again, back = read_geff(tmp_path / "a.geff")
    assert back == other
    np.testing.assert_allclose(again.centres, found.centres)
    write_table(tmp_path / "a.csv", object_rows(found, other, SPACING))
    assert read_table(tmp_path / "a.csv")[1] == other


def test_what_is_no_graph_or_table_is_refused(tmp_path) -> None:
    (tmp_path / "a.geff").mkdir()
    (tmp_path / "a.csv").write_text("track,frame\n1,0\n")
    (tmp_path / "a.xml").write_text("<TrackMate/>x")
    for name, said in (("a.geff", "no GEFF"), ("a.csv", "in y and x"), ("a.xml", "no file of")):
        with pytest.raises(InputError, match=said):
            read_tracks(tmp_path / name)
    assert not holds_tracks(tmp_path)
    with pytest.raises(InputError, match="holds no tracks"):
        read_tracks(tmp_path)


TRACKMATE = """<TrackMate version="7.11"><Model spatialunits="micron" timeunits="min"><AllSpots>
<SpotsInFrame frame="0"><Spot ID="4" FRAME="0" POSITION_X="5" POSITION_Y="10" POSITION_Z="0"
RADIUS="2" VISIBILITY="1"/></SpotsInFrame><SpotsInFrame frame="1">
<Spot ID="5" FRAME="1" POSITION_X="6" POSITION_Y="9" POSITION_Z="0" RADIUS="1" VISIBILITY="1"/>
<Spot ID="6" FRAME="1" POSITION_X="6" POSITION_Y="11" POSITION_Z="0" RADIUS="1" VISIBILITY="1"/>
<Spot ID="7" FRAME="1" POSITION_X="0" POSITION_Y="0" POSITION_Z="0" RADIUS="1" VISIBILITY="0"/>
</SpotsInFrame></AllSpots><AllTracks><Track TRACK_ID="0"><Edge SPOT_SOURCE_ID="4"
SPOT_TARGET_ID="5"/><Edge SPOT_SOURCE_ID="6" SPOT_TARGET_ID="4"/></Track></AllTracks>
<FilteredTracks><TrackID TRACK_ID="0"/></FilteredTracks></Model><Settings><ImageData
pixelwidth="0.5" pixelheight="0.5" voxeldepth="1" nslices="1" timeinterval="3"/></Settings>
</TrackMate>"""


def test_trackmates_spots_become_objects_in_pixels(tmp_path) -> None:
    (tmp_path / "cells.xml").write_text(TRACKMATE)
    series = read_tracks(tmp_path / "cells.xml")
    assert series.found.centres.tolist() == [[20, 10], [18, 12], [22, 12]]
    assert series.found.areas[0] == pytest.approx(np.pi * 16)
    assert series.tracks.members == {1: {0: 5}, 2: {1: 6}, 3: {1: 7}}
    assert series.tracks.parents == {2: 1, 3: 1}
    assert series.spacing.scale == (3, 0.5, 0.5)
    assert series.spacing.units == ("minute", "micrometer", "micrometer")


def test_tables_are_in_units_and_tell_the_lineage(series) -> None:
    _, found, tracks = series
    rows = list(object_rows(found, tracks, SPACING))
    passer = [row for row in rows if row["lineage"] == 2]
    assert [round(row["speed_um_per_min"], 2) for row in passer] == [0] + [0.1] * 7
    assert passer[0]["area_um2"] == found.areas[found.rows[0, passer[0]["label"]]] / 4
    by_number = {row["track"]: row for row in track_rows(found, tracks, SPACING)}
    mother = by_number[1]
    assert (mother["daughters"], mother["last_frame"], mother["duration_min"]) == ("3 4", 3, 15)
    assert (by_number[4]["parent"], by_number[4]["generation"]) == (1, 1)
    assert mother["path_um"] == pytest.approx(3)


def test_a_series_is_written_whole_or_not_at_all(tmp_path, series) -> None:
    frames, found, tracks = series
    folder = tmp_path / "cells_tracks"

    def torn():
        yield frames[0]
        raise OSError("gone")

    with pytest.raises(OSError, match="gone"):
        write_tracks(folder, found, tracks, SPACING, torn())
    assert list(tmp_path.iterdir()) == []
    for _ in range(2):  # a tracked series is replaced
        write_tracks(folder, found, tracks, SPACING, frames)
    assert len(list(folder.glob("mask*.tif"))) == 8
    (folder / "notes.txt").write_text("mine")
    with pytest.raises(InputError, match=r"something else than tracks, notes\.txt"):
        write_tracks(folder, found, tracks, SPACING, frames)
    assert (folder / "notes.txt").exists()


def test_a_written_folder_is_read_again(tmp_path, series) -> None:
    frames, found, tracks = series
    write_tracks(tmp_path / "a", found, tracks, SPACING, frames)
    again = read_tracks(tmp_path / "a")
    assert again.tracks.parents == tracks.parents
    np.testing.assert_allclose(again.found.areas.sum(), found.areas.sum())
    with (tmp_path / "a" / "tracks.csv").open(newline="") as file:
        assert [row["track"] for row in csv.DictReader(file)] == ["1", "2", "3", "4"]
    assert tifffile.imread(tmp_path / "a" / "mask000.tif").dtype == np.uint16
