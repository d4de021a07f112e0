"""Labels in the group "labels" of an OME-Zarr picture: other readers find them there."""

from __future__ import annotations

import json
import logging
import warnings

import bioio_ome_zarr
import numpy as np
import pytest
import zarr
from bioio import BioImage

from napari_sam.cli.main import main
from napari_sam.errors import InputError
from napari_sam.io.export import read_objects, write_objects
from napari_sam.io.labels import open_labels
from napari_sam.io.spacing import Spacing

VERSIONS = pytest.mark.parametrize(("version", "form"), [("0.4", 2), ("0.5", 3)])


def cells():
    labels = np.zeros((41, 50), np.uint16)
    labels[4:20, 6:22] = 3
    labels[30:40, 30:50] = 700
    return labels


def picture(path, version, form, levels=((41, 50), (20, 25))):
    group = zarr.create_group(path, zarr_format=form)
    for number, shape in enumerate(levels):
        group.create_array(str(number), shape=shape, chunks=(20, 20), dtype="u2")[:] = 7
    about = {
        "multiscales": [
            {
                "version": version,
                "axes": [{"name": name, "type": "space"} for name in "yx"],
                "datasets": [
                    {
                        "path": str(number),
                        "coordinateTransformations": [
                            {"type": "scale", "scale": [2.0**number] * 2}
                        ],
                    }
                    for number in range(len(levels))
                ],
            }
        ]
    }
    group.attrs.update(about if form == 2 else {"ome": {"version": version, **about}})
    return path


def about(path):
    attributes = zarr.open_group(path, mode="r").attrs.asdict()
    return attributes.get("ome", attributes)


def all_files(path):
    return {file: file.read_bytes() for file in path.rglob("*") if file.is_file()}


class Torn:
    """Labels whose second plane cannot be read."""

    shape, dtype = (2, 41, 50), np.dtype(np.uint8)

    def __getitem__(self, index):
        if index[0] == 1:
            raise OSError("the disk is gone")
        return np.ones(self.shape[1:], self.dtype)


@VERSIONS
def test_labels_are_listed_in_the_version_and_levels_of_their_picture(tmp_path, version, form):
    path = picture(tmp_path / "a.zarr", version, form)
    write_objects(path / "labels" / "cells.zarr", cells())
    assert about(path / "labels")["labels"] == ["cells.zarr"]
    group = zarr.open_group(path / "labels" / "cells.zarr", mode="r")
    assert group.metadata.zarr_format == form
    said = about(path / "labels" / "cells.zarr")
    assert said["image-label"]["source"] == {"image": "../../"}
    assert version in (said.get("version"), said["multiscales"][0].get("version"))
    finest, coarser = said["multiscales"][0]["datasets"]
    np.testing.assert_array_equal(group[finest["path"]], cells())
    assert group[coarser["path"]].shape == (20, 25)
    assert {*np.unique(group[coarser["path"]])} == {0, 3, 700}
    scale, shift = coarser["coordinateTransformations"]
    assert scale["scale"] == [41 / 20, 2]
    assert shift["translation"] == [pytest.approx((41 / 20 - 1) / 2), 0.5]


@VERSIONS
def test_a_reader_of_ome_zarr_opens_them_and_still_the_picture(tmp_path, version, form):
    path = picture(tmp_path / "a.zarr", version, form)
    write_objects(path / "labels" / "cells.zarr", cells())
    image = BioImage(path / "labels" / "cells.zarr", reader=bioio_ome_zarr.Reader)
    np.testing.assert_array_equal(image.xarray_data.squeeze(), cells())
    assert BioImage(path, reader=bioio_ome_zarr.Reader).shape[-2:] == (41, 50)
    with open_labels(path / "labels" / "cells.zarr") as labels:
        np.testing.assert_array_equal(labels[...], cells())


@VERSIONS
def test_others_stay_in_the_list_and_none_stands_in_it_twice(tmp_path, version, form):
    path = picture(tmp_path / "a.zarr", version, form)
    labels = zarr.create_group(path / "labels", zarr_format=form)
    said = {"labels": ["old"], "mine": 1}
    labels.attrs.update(said if form == 2 else {"ome": {"version": version, **said}, "more": 2})
    for _ in range(2):
        write_objects(path / "labels" / "cells.zarr", cells())
    write_objects(path / "labels" / "by hand" / "b.zarr", cells())
    assert about(path / "labels")["labels"] == ["old", "cells.zarr", "by hand/b.zarr"]
    assert about(path / "labels")["mine"] == 1
    nested = about(path / "labels" / "by hand" / "b.zarr")
    assert nested["image-label"]["source"] == {"image": "../../../"}
    whole = zarr.open_group(path, mode="r")
    assert whole["labels/by hand/b.zarr/0"].shape == (41, 50)


@VERSIONS
def test_copies_of_the_metadata_are_renewed(tmp_path, version, form):
    path = picture(tmp_path / "a.zarr", version, form)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # version 3 does not define copies
        zarr.consolidate_metadata(path, zarr_format=form)
    write_objects(path / "labels" / "cells.zarr", cells())
    whole = zarr.open_group(path, mode="r", use_consolidated=True)
    np.testing.assert_array_equal(whole["labels/cells.zarr/0"], cells())


@VERSIONS
def test_what_fails_halfway_leaves_labels_and_list_as_they_were(tmp_path, version, form):
    path = picture(tmp_path / "a.zarr", version, form)
    write_objects(path / "labels" / "cells.zarr", cells())
    before = all_files(path)
    for name in ("cells.zarr", "new.zarr"):
        with pytest.raises(OSError, match="the disk is gone"):
            write_objects(path / "labels" / name, Torn(), Spacing.usual(3))
    assert all_files(path) == before


def test_a_damaged_list_is_said_and_kept(tmp_path):
    path = picture(tmp_path / "a.zarr", "0.4", 2)
    (path / "labels").mkdir()
    for text in ("{", '{"labels": 7}', "[1]"):
        (path / "labels" / ".zattrs").write_text(text)
        with pytest.raises(InputError, match="mend it, or delete it"):
            write_objects(path / "labels" / "cells.zarr", cells())
        assert (path / "labels" / ".zattrs").read_text() == text
        assert [one.name for one in (path / "labels").iterdir()] == [".zattrs"]


def test_labels_outside_of_a_picture_stand_alone(tmp_path):
    path = picture(tmp_path / "a.zarr", "0.5", 3)
    for place in (tmp_path / "labels" / "b.zarr", path / "b.zarr"):
        write_objects(place, cells())
        assert "source" not in about(place)["image-label"]
        assert zarr.open_group(place, mode="r").metadata.zarr_format == 2
    assert not (tmp_path / "labels" / ".zattrs").exists()
    assert not (path / "labels").exists()


def test_an_older_version_of_the_picture_is_said(tmp_path, caplog):
    path = picture(tmp_path / "a.zarr", "0.3", 2)
    with caplog.at_level(logging.WARNING):
        write_objects(path / "labels" / "cells.zarr", cells())
    assert "OME-Zarr 0.3; its labels are written as 0.4" in caplog.text
    assert about(path / "labels")["labels"] == ["cells.zarr"]


def test_convert_writes_into_the_picture_from_within(tmp_path, monkeypatch):
    path = picture(tmp_path / "a.zarr", "0.5", 3)
    write_objects(tmp_path / "cells.tif", cells())
    monkeypatch.chdir(path)
    assert main(["convert", str(tmp_path / "cells.tif"), "-o", "labels/cells.zarr"]) == 0
    assert json.loads((path / "labels" / "zarr.json").read_text())["attributes"]["ome"] == {
        "version": "0.5",
        "labels": ["cells.zarr"],
    }
    assert {piece.id for piece in read_objects(path / "labels" / "cells.zarr").pieces} == {3, 700}
