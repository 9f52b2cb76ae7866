"""Fetches a file that a device was told the address of: one line for each protocol that it has."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from urllib.parse import urlsplit

from coap import Tuning
from simulator import coap_download, http_download
from simulator.download_errors import BrokenOff, NotThere, WrongProtocol

__all__ = ["BrokenOff", "NotThere", "WrongProtocol", "get"]

_SCHEMES: dict[str, Callable[[str, Tuning], Awaitable[bytes]]] = {
    "coap": coap_download.get,
    "http": lambda uri, tuning: http_download.get(uri),
}


async def get(uri: str, tuning: Tuning) -> bytes:
    """The file. Raises `WrongProtocol`, `NotThere` or `BrokenOff`."""
    try:
        scheme = urlsplit(uri).scheme
    except ValueError:
        raise NotThere(uri) from None
    if scheme not in _SCHEMES:
        raise WrongProtocol(uri)
    return await _SCHEMES[scheme](uri, tuning)
