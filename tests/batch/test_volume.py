"""`napari-sam segment --volume`: stacks in depth are cut in 3D."""

import numpy as np
import pytest
import tifffile

from napari_sam.cli.main import main


def write(path, axes, **shape):
    z, y, x = np.indices((40, 36, 40))
    balls = [np.sqrt((z - c) ** 2 + (y - 18) ** 2 + (x - 20) ** 2) < 8 for c in (11, 28)]
    noise = np.random.default_rng(0).normal(0, 4, z.shape)
    volume = (25 + 150 * (balls[0] | balls[1]) + noise).clip(0, 255).astype(np.uint8)
    tifffile.imwrite(path, volume, imagej=True, metadata={"axes": axes})
    return volume


def test_balls_on_top_of_each_other_are_two_objects(tmp_path, capsys):
    write(tmp_path / "balls.tif", "ZYX")
    output = tmp_path / "labels.tif"
    command = ["segment", tmp_path / "balls.tif", "-o", output, "--volume", "--json"]
    assert main([*map(str, command)]) == 0
    assert '"way": "volume"' in capsys.readouterr().out
    labels = tifffile.imread(output)
    assert labels.shape == (40, 36, 40)
    assert {int(labels[11, 18, 20]), int(labels[28, 18, 20])} == {1, 2}
    assert labels.max() == 2


def test_a_movie_has_no_depth(tmp_path, capsys):
    write(tmp_path / "movie.tif", "TYX")
    command = ["segment", tmp_path / "movie.tif", "-o", tmp_path / "labels.tif", "--volume"]
    assert main([*map(str, command)]) != 0
    assert (
        "--volume is for stacks in depth; the axes of this one are tyx" in capsys.readouterr().err
    )
    assert not (tmp_path / "labels.tif").exists()


@pytest.mark.parametrize("more", [["--way", "points"], ["--way", "refined"], ["--no-link"]])
def test_what_does_not_go_with_it_is_told(tmp_path, capsys, more):
    write(tmp_path / "balls.tif", "ZYX")
    command = ["segment", tmp_path / "balls.tif", "-o", tmp_path / "labels.tif", "--volume", *more]
    assert main([*map(str, command)]) != 0
    assert f"leave {' '.join(more)} out" in capsys.readouterr().err
