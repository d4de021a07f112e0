"""Archives that are not as torch writes them are refused before torch reads them."""

from __future__ import annotations

import pickle
import zipfile

import numpy as np
import pytest
import torch

from napari_sam.errors import CheckpointError
from napari_sam.model.weights.torch_files import MOST_TUPLES, read_torch

VALUES = torch.arange(6.0)


@pytest.fixture
def good(tmp_path):
    torch.save({"a": VALUES}, tmp_path / "good.pt")
    return tmp_path / "good.pt"


def packed(good, change=lambda name, content: content, compression=zipfile.ZIP_STORED, more=()):
    """The same archive, written anew with changes."""
    path = good.with_name("packed.pt")
    with zipfile.ZipFile(good) as source, zipfile.ZipFile(path, "w", compression) as file:
        for name in source.namelist():
            file.writestr(name, change(name, source.read(name)))
        for name, content in more:
            file.writestr(name, content)
    return path


def test_an_archive_written_anew_is_read(good):
    assert torch.equal(read_torch(packed(good))["a"], VALUES)


def test_every_flipped_byte_of_the_values_is_noticed(good):
    whole = good.read_bytes()
    start = whole.index(VALUES.numpy().tobytes())
    for place in range(start, start + VALUES.nbytes):
        flipped = bytearray(whole)
        flipped[place] ^= 1
        good.write_bytes(flipped)
        with pytest.raises(CheckpointError, match="checksum of its part good/data/0 is wrong"):
            read_torch(good)


def test_a_packed_archive_is_refused_before_it_is_unpacked(good):
    bomb = packed(good, compression=zipfile.ZIP_DEFLATED, more=[("good/data/9", bytes(10**8))])
    assert bomb.stat().st_size < 10**6
    with pytest.raises(CheckpointError, match="compressed"):
        read_torch(bomb)


@pytest.mark.filterwarnings("ignore:Duplicate name")
def test_two_parts_of_one_name_are_refused(good):
    with pytest.raises(CheckpointError, match="same name"):
        read_torch(packed(good, more=[("good/data/0", bytes(24))]))


def test_parts_larger_than_the_file_are_refused(good):
    """Entries that share their bytes: a small file of many gigabytes."""
    whole = good.read_bytes()
    with zipfile.ZipFile(good) as file:
        [part] = [p for p in file.infolist() if p.filename.endswith("data/0")]
    size = part.file_size.to_bytes(4, "little")
    directory = whole.index(b"PK\x01\x02")
    at = whole.index(2 * size, directory)
    good.write_bytes(whole[:at] + 2 * (10**9).to_bytes(4, "little") + whole[at + 8 :])
    with pytest.raises(CheckpointError, match="larger than the file"):
        read_torch(good)


def test_a_table_that_is_said_to_be_longer_than_its_part_is_refused(good):
    """Else torch would show memory that nobody wrote."""

    def longer(name, content):
        if not name.endswith("data.pkl"):
            return content
        assert content.count(b"K\x06") == 2  # of the part and of the table
        return content.replace(b"K\x06", b"M\xff\xff")

    with pytest.raises(CheckpointError, match="damaged"):
        read_torch(packed(good, longer))


@pytest.mark.parametrize("zipped", [True, False])
def test_tuples_without_end_are_refused_and_not_hashed(good, zipped):
    """Such a key overflows the stack: the process would be gone."""
    key = b"K\x01" + (MOST_TUPLES + 1) * b"\x85"
    content = b"\x80\x02}" + key + b"K\x02s."
    if zipped:
        path = packed(good, lambda name, old: content if name.endswith(".pkl") else old)
    else:
        heads = (pickle.dumps(part, 2) for part in (0x1950A86A20F9469CFC6C, 1001, {}))
        path = good.with_name("legacy.pt")
        path.write_bytes(b"".join(heads) + content + pickle.dumps([], 2))
    with pytest.raises(CheckpointError, match="more containers than weights"):
        read_torch(path)


@pytest.mark.parametrize(
    "content",
    [b"P", b"PK\x03\x04", b"PK\x05\x06" + bytes(18), b"\x1f\x8b" + bytes(50), b"hello " * 9],
)
def test_other_files_are_told_in_plain_words(tmp_path, content):
    (tmp_path / "w.pt").write_bytes(content)
    with pytest.raises(CheckpointError, match=r"w\.pt.*weights file: (it does|its end is)"):
        read_torch(tmp_path / "w.pt")


def test_folders_and_links_to_themselves_are_named(tmp_path):
    (tmp_path / "loop.pt").symlink_to(tmp_path / "loop.pt")
    for name in ("loop.pt", "."):
        with pytest.raises(CheckpointError, match="cannot read the weights"):
            read_torch(tmp_path / name)


def test_values_of_large_files_are_equal(tmp_path):
    values = torch.from_numpy(np.random.default_rng(0).normal(size=300_000))
    torch.save({"a": values}, tmp_path / "w.pt")
    assert torch.equal(read_torch(tmp_path / "w.pt")["a"], values)
