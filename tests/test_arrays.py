"""Numbers in any form become plain arrays, or are refused with a word why."""

from __future__ import annotations

import dask.array as da
import numpy as np
import pytest
import torch

from napari_sam.arrays import plain
from napari_sam.errors import InputError

X = np.arange(6.0, dtype=np.float32).reshape(2, 3)


@pytest.mark.parametrize(
    "values",
    [
        X.astype(">f4"),
        X.astype(np.longdouble),
        X[::-1, ::-1][::-1, ::-1],
        np.asfortranarray(X),
        np.matrix(X),
        np.ma.array(X),
        X.tolist(),
        torch.from_numpy(X).requires_grad_(),
        da.from_array(X),
    ],
)
def test_every_form_of_the_same_numbers_is_read(values):
    found = plain(values, "it")
    assert type(found) is np.ndarray
    assert found.dtype.isnative
    assert found.dtype.itemsize <= 8
    np.testing.assert_array_equal(found, X)


@pytest.mark.parametrize(
    "masked",
    [
        np.ma.masked_greater(X, 4),
        da.from_array(np.ma.masked_greater(X, 4)),
        da.ma.masked_greater(da.from_array(X), 4),
    ],
)
def test_masked_values_are_refused(masked):
    with pytest.raises(InputError, match=r"masked values in the picture.*array\.filled\(0\)"):
        plain(masked, "the picture")


@pytest.mark.parametrize(
    "values", [[[1], [2, 3]], torch.eye(3).to_sparse(), torch.ones(2, dtype=torch.bfloat16)]
)
def test_what_is_no_array_is_refused(values):
    with pytest.raises(InputError, match="the seeds must be numbers; got"):
        plain(values, "the seeds")
