"""Server addresses as they stand in ``/0/x/0``: a CoAP scheme, a host and a port, or ``tel:`` and a number."""

from __future__ import annotations

import re
from dataclasses import dataclass
from urllib.parse import urlsplit

DEFAULT_PORTS = {"coap": 5683, "coaps": 5684}


_NUMBER = re.compile(r"\+?[0-9]{3,15}\Z")
_SHORTEST_INTERNATIONAL = 7


class BadUri(ValueError):
    """A server URI that cannot be used; the text says how to write one."""


@dataclass(frozen=True, slots=True)
class ServerAddress:
    """Where a server listens, and whether DTLS is spoken there. With a ``number`` it is reached by SMS."""

    host: str
    port: int
    is_secured: bool
    number: str = ""

    @classmethod
    def parse(cls, uri: str) -> ServerAddress:
        """Read ``coaps://host:port`` or ``tel:+491700000001``; raises `BadUri`."""
        if uri.startswith("tel:"):
            return cls("", 0, False, telephone_number(uri.removeprefix("tel:")))
        try:
            parts = urlsplit(uri)
            host, port = parts.hostname, parts.port
        except ValueError as error:
            raise BadUri(f"{uri!r} is not a server URI ({error}); write coaps://HOST:PORT.") from None
        if parts.scheme not in DEFAULT_PORTS or not host or parts.path.strip("/") or parts.query:
            raise BadUri(f"{uri!r} is not a server URI; write coap://HOST:PORT or coaps://HOST:PORT.")
        return cls(host, port or DEFAULT_PORTS[parts.scheme], parts.scheme == "coaps")

    def __str__(self) -> str:
        if self.number:
            return f"tel:{self.number}"
        scheme = "coaps" if self.is_secured else "coap"
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"{scheme}://{host}:{self.port}"


def telephone_number(text: str) -> str:
    """A server's number as ``+`` and digits, a short code as digits; raises `BadUri`.

    ``/0/x/9`` is an MSISDN, which has no plus (3GPP TS 23.003), while ``tel:`` has one (RFC 3966).
    """
    plain = re.sub(r"[-. ()]", "", text)
    if not _NUMBER.match(plain):
        raise BadUri(f"{text!r} is not a number; write +491700000001.")
    digits = plain.removeprefix("+")
    return f"+{digits}" if len(digits) >= _SHORTEST_INTERNATIONAL else digits


def is_telephone_number(text: str) -> bool:
    """Whether `telephone_number` takes it."""
    try:
        telephone_number(text)
    except BadUri:
        return False
    return True
