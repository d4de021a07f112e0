"""Why a file cannot be read, in words of ours."""

from __future__ import annotations

import numpy as np
import pytest

from napari_sam.errors import InputError
from napari_sam.io.images.file_checks import check_claim, whole_numbers, why_unreadable


def test_words_of_readers_stand_behind_ours_where_they_help():
    said = why_unreadable(ValueError("bad data\nand more"))
    assert said.startswith("it is damaged, or of an unknown")
    assert "(bad data); save it anew" in said
    for error in (KeyError(0), AttributeError("no 'itemsize'"), TypeError("'<' not supported")):
        assert why_unreadable(error) == (
            "it is damaged, or of an unknown kind; save it anew in the program it comes from"
        )


def test_a_package_that_is_missing_is_named():
    for missing in ("imagecodecs", "compression"):
        error = ModuleNotFoundError(f"No module named {missing!r}", name=missing)
        assert why_unreadable(error).endswith("that is not installed: pip install imagecodecs")
    error = ModuleNotFoundError("No module named 'blosc'", name="blosc")
    assert why_unreadable(error).endswith("pip install blosc")


def test_what_the_system_says_is_said_without_numbers_and_names():
    assert why_unreadable(PermissionError(13, "Permission denied", "a.tif")) == "permission denied"


def test_well_packed_pictures_are_no_false_claims():
    check_claim(2**30, 100)
    check_claim(10**12, 10**9)
    with pytest.raises(InputError, match="it says that it holds 3 GB of pixels"):
        check_claim(3 * 10**9, 10**6)


@pytest.mark.parametrize("values", [[0.5], [np.nan], [np.inf], [1e30], [-1.0], [-1]])
def test_labels_that_are_no_whole_numbers_from_zero(values):
    with pytest.raises(InputError, match="labels must"):
        whole_numbers(np.array(values))


@pytest.mark.parametrize("dtype", [bool, "u1", ">u2", "i4", "u8", "f4", "f8"])
def test_labels_that_are(dtype):
    labels = np.array([[0, 1], [1, 0]], dtype)
    found = whole_numbers(labels)
    np.testing.assert_array_equal(found, labels)
    assert found.dtype == (np.int64 if labels.dtype.kind == "f" else labels.dtype)
