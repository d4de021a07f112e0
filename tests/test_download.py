from __future__ import annotations

import hashlib
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import numpy as np
import pytest

from napari_sam.download import CHUNK, download
from napari_sam.errors import DownloadError

BODY = np.random.default_rng(0).bytes(2 * CHUNK + 12345)
HASH = f"sha256:{hashlib.sha256(BODY).hexdigest()}"


class Handler(BaseHTTPRequestHandler):
    """Serves `BODY`; the path says how: /plain, /norange, /cut, /other, /nolength, /missing."""

    def do_GET(self):
        self.server.ranges.append(self.headers.get("Range"))
        if self.path == "/missing":
            self.send_error(404)
            return
        body = BODY[::-1] if self.path == "/other" else BODY
        asked = self.headers.get("Range")
        start = int(asked[6:-1]) if asked and self.path != "/norange" else 0
        if start >= len(body):
            self.send_response(416)
            self.send_header("Content-Range", f"bytes */{len(body)}")
            self.end_headers()
            return
        self.send_response(206 if start else 200)
        if self.path != "/nolength":
            self.send_header("Content-Length", str(len(body) - start))
        self.end_headers()
        end = len(body) // 2 if self.path == "/cut" and not start else len(body)
        self.wfile.write(body[start:end])

    def log_message(self, *args):
        pass


@pytest.fixture
def server():
    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        server.ranges = []
        server.url = f"http://127.0.0.1:{server.server_port}"
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        yield server
        server.shutdown()
        thread.join()


@pytest.fixture
def target(tmp_path):
    return tmp_path / "models" / "weights.pt"


def names(target):
    return sorted(path.name for path in target.parent.iterdir())


@pytest.mark.parametrize("way", ["plain", "norange", "nolength"])
@pytest.mark.parametrize("size", [0, len(BODY)])
def test_full_download_reports_progress(server, target, way, size):
    seen = []
    download(f"{server.url}/{way}", target, HASH, size, lambda *step: seen.append(step))
    assert target.read_bytes() == BODY
    assert names(target) == ["weights.pt"]
    done = [step[0] for step in seen]
    assert done[0] == 0
    assert done[-1] == len(BODY)
    assert done == sorted(done)
    assert {step[1] for step in seen} == {0 if way == "nolength" and not size else len(BODY)}


@pytest.mark.parametrize("size", [0, len(BODY)])
def test_a_cut_download_resumes(server, target, size):
    with pytest.raises(DownloadError, match=r"goes on where it stopped.*place it at"):
        download(f"{server.url}/cut", target, HASH, size)
    kept = target.with_name("weights.pt.part").stat().st_size
    assert 0 < kept < len(BODY)
    assert names(target) == ["weights.pt.part"]
    download(f"{server.url}/cut", target, HASH, size)
    assert target.read_bytes() == BODY
    assert server.ranges == [None, f"bytes={kept}-"]


def test_cancelling_keeps_the_part_for_later(server, target):
    class Cancelled(Exception):
        pass

    def stop(done, total):
        if done:
            raise Cancelled

    with pytest.raises(Cancelled):
        download(f"{server.url}/plain", target, HASH, len(BODY), stop)
    assert target.with_name("weights.pt.part").read_bytes() == BODY[:CHUNK]
    download(f"{server.url}/plain", target, HASH, len(BODY))
    assert target.read_bytes() == BODY
    assert server.ranges[-1] == f"bytes={CHUNK}-"


def test_a_server_without_ranges_starts_anew(server, target):
    target.parent.mkdir()
    target.with_name("weights.pt.part").write_bytes(BODY[:1000])
    download(f"{server.url}/norange", target, HASH, len(BODY))
    assert target.read_bytes() == BODY


@pytest.mark.parametrize("size", [0, len(BODY)])
def test_a_complete_part_only_needs_its_hash_checked(server, target, size):
    target.parent.mkdir()
    target.with_name("weights.pt.part").write_bytes(BODY)
    download(f"{server.url}/plain", target, HASH, size)
    assert target.read_bytes() == BODY
    assert len(server.ranges) == (0 if size else 1)


@pytest.mark.parametrize("size", [0, len(BODY)])
def test_a_part_that_is_too_long_does_not_block_for_ever(server, target, size):
    target.parent.mkdir()
    target.with_name("weights.pt.part").write_bytes(BODY + b"more")
    if not size:
        with pytest.raises(DownloadError, match="did not fit"):
            download(f"{server.url}/plain", target, HASH, size)
    download(f"{server.url}/plain", target, HASH, size)
    assert target.read_bytes() == BODY


def test_a_wrong_hash_is_refused_and_nothing_is_left(server, target):
    target.parent.mkdir()
    with pytest.raises(DownloadError, match=r"not the published weights\.pt"):
        download(f"{server.url}/other", target, HASH, len(BODY))
    assert names(target) == []


def test_a_file_of_another_size_is_refused(server, target):
    with pytest.raises(DownloadError, match=f"only {len(BODY)} of {len(BODY) + 5} bytes"):
        download(f"{server.url}/plain", target, HASH, len(BODY) + 5)
    assert "weights.pt" not in names(target)


def test_an_older_file_stays_until_the_new_one_is_verified(server, target):
    target.parent.mkdir()
    target.write_bytes(b"old")
    with pytest.raises(DownloadError, match="404"):
        download(f"{server.url}/missing", target, HASH)
    assert target.read_bytes() == b"old"
    download(f"{server.url}/plain", target, HASH)
    assert target.read_bytes() == BODY


def test_no_server_says_where_to_place_the_file(target):
    with pytest.raises(DownloadError) as caught:
        download("http://127.0.0.1:9/weights.pt", target, HASH, len(BODY))
    assert str(target) in str(caught.value)
    assert "http://127.0.0.1:9/weights.pt" in str(caught.value)


def test_a_full_disk_is_noticed_before_the_download(server, target):
    with pytest.raises(DownloadError, match="the disk has"):
        download(f"{server.url}/plain", target, HASH, size=10**18)
    assert server.ranges == []
