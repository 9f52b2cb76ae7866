"""Server addresses as they stand in ``/0/x/0``: a CoAP scheme, a host and a port."""

from __future__ import annotations

from dataclasses import dataclass
from urllib.parse import urlsplit

DEFAULT_PORTS = {"coap": 5683, "coaps": 5684}


class BadUri(ValueError):
    """A server URI that cannot be used; the text says how to write one."""


@dataclass(frozen=True, slots=True)
class ServerAddress:
    """Where a server listens, and whether DTLS is spoken there."""

    host: str
    port: int
    is_secured: bool

    @classmethod
    def parse(cls, uri: str) -> ServerAddress:
        """Read ``coaps://host:port``; raises `BadUri`."""
        try:
            parts = urlsplit(uri)
            host, port = parts.hostname, parts.port
        except ValueError as error:
            raise BadUri(f"{uri!r} is not a server URI ({error}); write coaps://HOST:PORT.") from None
        if parts.scheme not in DEFAULT_PORTS or not host or parts.path.strip("/") or parts.query:
            raise BadUri(f"{uri!r} is not a server URI; write coap://HOST:PORT or coaps://HOST:PORT.")
        return cls(host, port or DEFAULT_PORTS[parts.scheme], parts.scheme == "coaps")

    def __str__(self) -> str:
        scheme = "coaps" if self.is_secured else "coap"
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"{scheme}://{host}:{self.port}"
