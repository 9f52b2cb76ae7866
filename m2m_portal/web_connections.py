"""HTTP connections within bounds: so many at once, and no longer than somebody has something to say on them.

uvicorn closes a connection that is idle between two requests; one that never ends its headers, or its body, it keeps.
"""

from __future__ import annotations

import asyncio
import socket
from typing import Any

from uvicorn.protocols.http.auto import AutoHTTPProtocol

from southbound.process import descriptors

HEADER_SECONDS = 20.0
"""From the first moment of a connection, or the first byte of a further request, to the end of the headers."""
BODY_SECONDS = 30.0
"""Between two pieces of a body."""
UNACKNOWLEDGED_SECONDS = 120
"""After so long TCP gives up a client that takes nothing of what was answered."""

_FULL = (
    b"HTTP/1.1 503 Service Unavailable\r\nRetry-After: 5\r\nConnection: close\r\nContent-Length: 0\r\n\r\n"
)
_LATE = b"HTTP/1.1 408 Request Timeout\r\nConnection: close\r\nContent-Length: 0\r\n\r\n"


def options() -> dict[str, Any]:
    """For uvicorn: what both the all-in-one and `manage.py web` bound."""
    return {"http": BoundedProtocol, "limit_concurrency": room()}


def room() -> int:
    """How many connections a process may have, WebSockets among them."""
    return descriptors.part(descriptors.PAGES)


class BoundedProtocol(AutoHTTPProtocol):  # type: ignore[misc, valid-type]
    """uvicorn's, with a deadline for whatever a client has begun and not ended."""

    _deadline: asyncio.TimerHandle | None = None
    _is_header = False
    _has_said = False

    def connection_made(self, transport: Any) -> None:
        super().connection_made(transport)
        _give_up_who_is_gone(transport.get_extra_info("socket"))
        if len(self.connections) > room():
            transport.write(_FULL)
            transport.close()
            return
        self._arm(HEADER_SECONDS, is_header=True)

    def data_received(self, data: bytes) -> None:
        self._has_said = True
        super().data_received(data)
        request = self.cycle
        if self not in self.connections or self.transport.is_closing():  # closed, or a WebSocket now
            self._disarm()
        elif request is None or request.response_complete:
            if not self._is_header:
                self._arm(HEADER_SECONDS, is_header=True)
        elif request.more_body:
            self._arm(BODY_SECONDS, is_header=False)
        else:
            self._disarm()

    def connection_lost(self, exc: Exception | None) -> None:
        self._disarm()
        super().connection_lost(exc)

    def _arm(self, seconds: float, *, is_header: bool) -> None:
        self._disarm()
        self._is_header = is_header
        self._deadline = self.loop.call_later(seconds, self._late)

    def _disarm(self) -> None:
        self._is_header = False
        if self._deadline is not None:
            self._deadline.cancel()
            self._deadline = None

    def _late(self) -> None:
        if self.flow.read_paused:  # it is we who do not read
            self._arm(BODY_SECONDS, is_header=False)
            return
        self._deadline = None
        if self.transport.is_closing():
            return
        if self._is_header and self._has_said:
            self.transport.write(_LATE)
        self.transport.close()


def _give_up_who_is_gone(connected: socket.socket | None) -> None:
    if connected is None:
        return
    connected.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
    if hasattr(socket, "TCP_USER_TIMEOUT"):
        connected.setsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT, UNACKNOWLEDGED_SECONDS * 1000)
