"""Download in a background thread, so that the caller can cancel at any time."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from queue import Empty, Full, Queue
from typing import Any
from urllib.parse import urljoin

import requests

from napari_sam.errors import DownloadError

__all__ = ["HttpsSession", "Transfer"]

TIMEOUT = 10.0, 60.0  # seconds to connect, and to wait for the next bytes
POLL_SECONDS = 0.2  # seconds between two looks at whether somebody still waits


class Transfer:
    """HTTP request that runs in a background thread.

    Parameters
    ----------
    url : str
    start : int
        Byte to begin with; the server may begin with the first nevertheless.
    most : int
        Bytes in one piece.
    waiting : callable
        Called now and then while nothing comes; an exception that it raises ends the wait.

    Attributes
    ----------
    answer : requests.Response
        Status and headers.

    Raises
    ------
    DownloadError
        If the server leads from an encrypted connection to one that is not.
    OSError
        If there is no connection; when iterated over, too, where it breaks.
    """

    def __init__(self, url: str, start: int, most: int, waiting: Callable[[], None]) -> None:
        self._waiting = waiting
        self._pieces: Queue[Any] = Queue(maxsize=64)
        self._gone = threading.Event()
        threading.Thread(target=self._listen, args=(url, start, most), daemon=True).start()
        try:
            self.response: requests.Response = self._next()
        except BaseException:
            self._gone.set()
            raise

    def __enter__(self) -> Transfer:
        return self

    def __exit__(self, *_: object) -> None:
        self._gone.set()

    def __iter__(self) -> Iterator[bytes]:
        """Yield the chunks of the response."""
        while piece := self._next():
            yield piece

    def _next(self) -> Any:
        while True:
            try:
                found = self._pieces.get(timeout=POLL_SECONDS)
            except Empty:
                self._waiting()
                continue
            if isinstance(found, Exception):
                raise found
            return found

    def _listen(self, url: str, start: int, most: int) -> None:
        headers = {"Accept-Encoding": "identity"}  # a compressed answer has other byte ranges
        if start:
            headers["Range"] = f"bytes={start}-"
        try:
            with (
                HttpsSession() as session,
                session.get(url, headers=headers, stream=True, timeout=TIMEOUT) as response,
            ):
                self._put(response)
                packed = "Content-Encoding" in response.headers
                # Undecoded, so that what came before a line broke is handed on.
                for piece in response.raw.stream(most, decode_content=packed):
                    if not self._put(piece):
                        return
            self._put(b"")
        except (OSError, DownloadError) as error:  # all errors of requests are the first
            self._put(error)
        except Exception as error:  # of a broken line, or an answer that makes no sense
            self._put(OSError(f"the connection broke: {error}"))

    def _put(self, piece: object) -> bool:
        """Hand something over; return False where nobody waits any more."""
        while not self._gone.is_set():
            try:
                self._pieces.put(piece, timeout=POLL_SECONDS)
                return True
            except Full:
                pass
        return False


class HttpsSession(requests.Session):
    """Requests session that refuses redirects from https to http."""

    def get_redirect_target(self, resp: requests.Response) -> str | None:
        """Return the redirect target of a response, or None.

        Raises
        ------
        DownloadError
            If it leads from an encrypted connection to one that is not.
        """
        target = super().get_redirect_target(resp)
        if target is not None and resp.url.lower().startswith("https:"):
            target = urljoin(resp.url, target)
            if not target.lower().startswith("https:"):
                raise DownloadError(
                    f"{resp.url} leads to {target}, which is not encrypted, so it is refused. Try "
                    "another network, or download the file by hand from a source that you trust"
                )
        return target
