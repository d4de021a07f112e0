from __future__ import annotations

import contextlib
import gzip
import hashlib
import subprocess
import sys
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import urljoin

import numpy as np
import pytest
import requests

from napari_sam.errors import DownloadError
from napari_sam.zoo.download import CHUNK, download
from napari_sam.zoo.transfer import HttpsSession

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


class Odd(BaseHTTPRequestHandler):
    """Answers as its server's `answer` says; counts what it was asked for."""

    def do_GET(self):
        self.server.ranges.append(self.headers.get("Range"))
        self.server.answer(self)

    def log_message(self, *args):
        pass


@pytest.fixture
def odd():
    with ThreadingHTTPServer(("127.0.0.1", 0), Odd) as server:
        server.ranges, server.done = [], threading.Event()
        server.url = f"http://127.0.0.1:{server.server_port}/weights.pt"
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        yield server
        server.done.set()
        server.shutdown()
        thread.join()


def answering(status, body, **headers):
    """An answer with these headers; names with _ for -."""

    def answer(handler):
        handler.send_response(status)
        for name, value in headers.items():
            handler.send_header(name.replace("_", "-"), value)
        handler.end_headers()
        with contextlib.suppress(ConnectionError):
            handler.wfile.write(body)

    return answer


def partly(target, content):
    target.parent.mkdir(exist_ok=True)
    target.with_name("weights.pt.part").write_bytes(content)


@pytest.mark.parametrize("size", [0, len(BODY)])
@pytest.mark.parametrize(
    "headers", [{"Content_Type": "text/html; charset=utf-8"}, {}, {"Content_Length": "19"}]
)
def test_a_log_in_page_is_not_kept_and_takes_nothing_with_it(odd, target, size, headers):
    odd.answer = answering(200, b"<html>log in</html>", **headers)
    partly(target, BODY[:1000])
    for _ in range(2):
        with pytest.raises(DownloadError, match=r"log in first|only 19 of"):
            download(odd.url, target, HASH, size)
        assert target.with_name("weights.pt.part").read_bytes() == BODY[:1000]


@pytest.mark.parametrize("length", ["abc", "-5", "", "1e9", "²"])
def test_a_length_that_is_no_number_is_as_none(odd, target, length):
    odd.answer = answering(200, BODY, Content_Length=length.encode().decode("latin-1"))
    download(odd.url, target, HASH)
    assert target.read_bytes() == BODY


@pytest.mark.parametrize("length", [str(len(BODY) + 1), str(10**15), "50000000"])
def test_more_than_was_published_is_refused_before_a_byte_is_written(odd, target, length):
    odd.answer = answering(200, BODY + bytes(9), Content_Length=length)
    with pytest.raises(DownloadError, match=rf"offers {length} bytes in place of {len(BODY)}"):
        download(odd.url, target, HASH, len(BODY))
    assert names(target) == []


def test_a_file_without_end_is_stopped_at_its_size(odd, target):
    odd.answer = answering(200, BODY + bytes(5_000_000))
    seen = []
    with pytest.raises(DownloadError, match=rf"sends more than {len(BODY)} bytes"):
        download(odd.url, target, HASH, len(BODY), lambda *step: seen.append(step[0]))
    assert max(seen) <= len(BODY)
    assert names(target) == []


def test_a_size_that_the_disk_cannot_take_is_said_before_a_byte_is_written(odd, target):
    odd.answer = answering(200, BODY, Content_Length=str(10**17))
    with pytest.raises(DownloadError, match=r"the disk has .* left, 100000000000 MB needed"):
        download(odd.url, target, HASH)
    assert names(target) == []


@pytest.mark.parametrize(
    "said",
    [
        f"bytes 7-{len(BODY) - 1}/{len(BODY)}",
        f"bytes 1000-{len(BODY) + 8}/{len(BODY) + 9}",
        "bytes abc",
        "bytes -5-9/10",
        "bytes 1000-9/" + "9" * 5000,
    ],
)
@pytest.mark.parametrize("size", [0, len(BODY)])
def test_another_part_than_was_asked_for_is_not_joined(odd, target, said, size):
    odd.answer = answering(
        206, BODY[1000:], Content_Range=said, Content_Length=str(len(BODY) - 1000)
    )
    partly(target, BODY[:1000])
    with pytest.raises(DownloadError, match="did not fit and was deleted"):
        download(odd.url, target, HASH, size)
    assert names(target) == []


@pytest.mark.parametrize("size", [0, len(BODY)])
def test_a_part_of_an_older_file_costs_one_more_try_and_no_error(server, target, size):
    partly(target, BODY[:999] + b"!")
    download(f"{server.url}/plain", target, HASH, size)
    assert target.read_bytes() == BODY
    assert server.ranges == ["bytes=1000-", None]


@pytest.mark.parametrize(
    ("status", "words"),
    [
        (401, "does not give"),
        (403, "does not give"),
        (404, "not there any more"),
        (429, "too many downloads"),
        (503, "too busy"),
        (511, "log in first"),
        (418, "418"),
        (204, "204"),
    ],
)
def test_what_a_server_refuses_is_said_in_words(odd, target, status, words):
    odd.answer = answering(status, b"")
    partly(target, BODY[:1000])
    with pytest.raises(DownloadError, match=rf"{status}.*{words}" if words[0] > "9" else words):
        download(odd.url, target, HASH, len(BODY))
    assert target.with_name("weights.pt.part").read_bytes() == BODY[:1000]


def test_a_compressed_answer_is_unpacked(odd, target):
    packed = gzip.compress(BODY)
    odd.answer = answering(200, packed, Content_Encoding="gzip", Content_Length=str(len(packed)))
    download(odd.url, target, HASH, len(BODY))
    assert target.read_bytes() == BODY


def stalling(done, count):
    def answer(handler):
        handler.send_response(200)
        handler.send_header("Content-Length", str(len(BODY)))
        handler.end_headers()
        handler.wfile.write(BODY[:count])
        handler.wfile.flush()
        done.wait(20)

    return answer


@pytest.mark.parametrize("count", [0, 2 * CHUNK])
def test_cancelling_does_not_wait_for_a_silent_server(odd, target, count):
    odd.answer = stalling(odd.done, count)
    start = time.monotonic()

    def cancel(done, total):
        if done == count and time.monotonic() - start > 0.3:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        download(odd.url, target, HASH, len(BODY), cancel)
    assert time.monotonic() - start < 2
    kept = target.with_name("weights.pt.part")
    assert (kept.read_bytes() if kept.exists() else b"") == BODY[:count]


def test_cancelling_does_not_wait_for_the_first_word_of_a_server(odd, target):
    odd.answer = lambda handler: odd.done.wait(20)
    start = time.monotonic()
    with pytest.raises(KeyboardInterrupt):
        download(odd.url, target, HASH, len(BODY), interrupt)
    assert time.monotonic() - start < 2


def interrupt(*_):
    raise KeyboardInterrupt


def test_all_that_came_before_the_line_broke_is_kept(odd, target):
    sent = len(BODY) - 777
    odd.answer = answering(200, BODY[:sent], Content_Length=str(len(BODY)))
    with pytest.raises(DownloadError, match="are kept"):
        download(odd.url, target, HASH, len(BODY))
    assert target.with_name("weights.pt.part").read_bytes() == BODY[:sent]


def slowly(handler):
    asked = handler.headers.get("Range")
    start = int(asked[6:-1]) if asked else 0
    handler.send_response(206 if start else 200)
    handler.send_header("Content-Length", str(len(BODY) - start))
    handler.end_headers()
    with contextlib.suppress(ConnectionError):
        for place in range(start, len(BODY), CHUNK):
            handler.wfile.write(BODY[place : place + CHUNK])
            time.sleep(0.15)


def test_the_second_of_two_waits_and_loads_nothing_again(odd, target):
    odd.answer = slowly
    seen = [[], []]

    def one(number):
        download(odd.url, target, HASH, len(BODY), lambda *step: seen[number].append(step))

    threads = [threading.Thread(target=one, args=(number,)) for number in (0, 1)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert odd.ranges == [None]
    assert all(steps for steps in seen)
    assert target.read_bytes() == BODY
    assert names(target) == ["weights.pt"]


def test_the_second_of_two_can_be_cancelled(odd, target):
    odd.answer = slowly
    first = threading.Thread(target=download, args=(odd.url, target, HASH, len(BODY)))
    first.start()
    while not odd.ranges:
        time.sleep(0.01)
    with pytest.raises(KeyboardInterrupt):
        download(odd.url, target, HASH, len(BODY), interrupt)
    first.join()
    assert target.read_bytes() == BODY


def test_what_a_killed_program_left_is_taken_over(odd, target):
    odd.answer = slowly
    kill = f"""
import os
from pathlib import Path
from napari_sam.zoo.download import download
download({odd.url!r}, Path({str(target)!r}), {HASH!r}, {len(BODY)}, lambda n, _: n and os._exit(9))
"""
    assert subprocess.run([sys.executable, "-c", kill], check=False).returncode == 9
    assert names(target) == ["weights.pt.part", "weights.pt.part.lock"]
    download(odd.url, target, HASH, len(BODY))
    assert target.read_bytes() == BODY
    assert names(target) == ["weights.pt"]
    assert odd.ranges == [None, f"bytes={CHUNK}-"]


def test_a_folder_that_cannot_be_written_is_said(odd, target):
    target.parent.write_text("a file")
    with pytest.raises(DownloadError, match=r"Could not download weights\.pt"):
        download(odd.url, target, HASH)


@pytest.mark.parametrize(
    ("here", "there"),
    [
        ("https://a.org/x", "http://a.org/x"),
        ("HTTPS://a.org/x", "HTTP://b.org/y"),
        ("https://a.org/x", "ftp://a.org/x"),
        ("https://a.org/x", "file:///etc/passwd"),
    ],
)
def test_encrypted_connections_lead_to_no_others(here, there):
    answer = requests.Response()
    answer.status_code, answer.url, answer.headers["Location"] = 302, here, there
    with pytest.raises(DownloadError, match=r"not encrypted.*another network"):
        HttpsSession().get_redirect_target(answer)


@pytest.mark.parametrize("there", ["https://b.org/y", "/y", "//b.org/y", "y"])
def test_encrypted_connections_may_lead_to_encrypted_ones(there):
    answer = requests.Response()
    answer.status_code, answer.url, answer.headers["Location"] = 302, "https://a.org/x", there
    assert HttpsSession().get_redirect_target(answer) == urljoin(answer.url, there)
