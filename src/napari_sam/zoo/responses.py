"""Checks of an HTTP response's headers and first bytes: whether it is the requested file."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import requests

__all__ = ["MisfitError", "check_beginning", "check_response"]

WHOLE, PART, PAST_THE_END = 200, 206, 416
NOT_FOR_ALL = "it does not give the file away"
BUSY = "it is out of order or too busy; wait a while"
LOG_IN = "the network wants you to log in first"
WORDS = {
    401: NOT_FOR_ALL,
    403: NOT_FOR_ALL,
    404: "the file is not there any more",
    407: LOG_IN,
    410: "the file is not there any more",
    429: "too many downloads from this network; wait a while",
    **dict.fromkeys((500, 502, 503, 504), BUSY),
    511: LOG_IN,
}
PAGE = "a web page came in place of the file: the network may want you to log in first"
PAGES = b"<!doctype", b"<html", b"<head", b"<body", b"<?xml"


class MisfitError(OSError):
    """Raised if the response does not continue the partial file."""


def check_response(response: requests.Response, have: int, size: int) -> tuple[int, int]:
    """Return the first byte of the response, and the size of the whole file.

    Parameters
    ----------
    have : int
        Bytes that are here.
    size : int
        Bytes of the published file; 0 when unknown.

    Returns
    -------
    start, total : int
        The total is 0 when nobody knows it.

    Raises
    ------
    MisfitError
        If the server does not go on where the part that is here ends.
    OSError
        If it does not send the file.
    """
    status = response.status_code
    if status == PAST_THE_END:
        if response.headers.get("Content-Range") == f"bytes */{have}":
            return have, have
        raise MisfitError("the server has less than is here already")
    if status not in (WHOLE, PART):
        raise OSError(f"the server answers {status}: {WORDS.get(status, response.reason)}")
    if response.headers.get("Content-Type", "").lower().startswith("text/html"):
        raise OSError(PAGE)
    start = have if status == PART else 0
    length = _length(response)
    totals = {size, 0 if length is None else start + length}
    if status == PART and "Content-Range" in response.headers:
        first, whole = _range(response.headers["Content-Range"])
        totals.add(whole)
        if first != start:
            raise MisfitError(f"the server begins at byte {first} in place of {start}")
    known = totals - {0}
    if len(known) > 1:
        kind = MisfitError if status == PART else OSError
        low, high = min(known), max(known)
        offer = f"only {low} of {high} bytes" if high == size else f"{high} bytes in place of {low}"
        raise kind(f"the server offers {offer}")
    return start, max(totals)


def check_beginning(first: bytes) -> None:
    """Refuse the log-in page of a captive portal.

    Raises
    ------
    OSError
        If these first bytes are a page's.
    """
    if first.lstrip().lower().startswith(PAGES):
        raise OSError(PAGE)


def _length(response: requests.Response) -> int | None:
    """Return how many bytes follow; None if that is not said, or said of a packed form of them."""
    said = response.headers.get("Content-Length", "")
    packed = response.headers.get("Content-Encoding", "identity").lower() != "identity"
    return int(said) if said.isascii() and said.isdigit() and not packed else None


def _range(said: str) -> tuple[int, int]:
    """Return the first byte and the bytes in all, -1 and 0 where they are not said."""
    found = re.fullmatch(r"bytes (\d{1,18})-\d{1,18}/(\d{1,18}|\*)", said.strip(), re.ASCII)
    if found is None:
        return -1, 0
    return int(found[1]), 0 if found[2] == "*" else int(found[2])
