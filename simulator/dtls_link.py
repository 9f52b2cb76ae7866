"""A link secured by DTLS 1.2 with a pre-shared key: a socket, a timer, and the client of the dtls room."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from dtls.client import Client
from dtls.errors import SessionGone
from dtls.events import Closed, Established, Event, Received, Refused, Transmit
from dtls.suites import DEFAULT_CIPHERS
from simulator.accounts import Account
from simulator.faults import NONE, Faults
from simulator.link import Link, LinkFailed
from simulator.nameplate import Firmware


class DtlsLink(Link):
    """`open` shakes hands, and does so anew when the session is gone; `rebind` keeps the session.

    After a rebind the server knows the device only by its connection id (RFC 9146). Without one it is
    deaf to us, requests stay unanswered, and the owner has to make a new connection.
    """

    def __init__(
        self, account: Account, firmware: Firmware, receive: Callable[[bytes], None], faults: Faults = NONE
    ) -> None:
        super().__init__(account.address, receive, faults)
        self._account = account
        self._firmware = firmware
        self._client: Client | None = None
        self._handshake: asyncio.Future[None] | None = None
        self._opening = asyncio.Lock()
        self._timer: asyncio.TimerHandle | None = None

    @property
    def is_usable(self) -> bool:
        return self._socket is not None and self._client is not None and self._client.is_established

    @property
    def has_cid(self) -> bool:
        """Whether the server gave us a connection id for what we send."""
        session = None if self._client is None else self._client.session
        return session is not None and bool(session.security.peer_cid)

    async def open(self) -> None:
        """Raises `LinkFailed` when the server refuses, or stays silent for ``handshake_seconds``."""
        async with self._opening:
            if self.is_usable:
                return
            if self._socket is None:
                await super().open()
            self.is_deaf = False
            await self._shake_hands()

    async def _shake_hands(self) -> None:
        client = self._client = self._new_client()
        self._handshake = self._loop.create_future()
        try:
            for datagram in client.start(self._loop.time()):
                self._transmit(datagram)
            self._set_timer()
            await self._handshake
        finally:
            self._handshake = None

    def _new_client(self) -> Client:
        key = self._account.key
        if self._faults.wrong_key:
            key = bytes(byte ^ 0xFF for byte in key)
        try:
            return Client(
                identity=self._account.identity,
                key=key,
                ciphers=self._firmware.ciphers or DEFAULT_CIPHERS,
                cid=self._firmware.cid,
                handshake_timeout=self._firmware.handshake_seconds,
            )
        except ValueError as error:
            raise LinkFailed(f"unusable credentials: {error}") from None

    def send(self, plaintext: bytes) -> None:
        """What is sent without a session is lost, like anything else in the air."""
        if self._client is None or not self._client.is_established:
            return
        try:
            datagrams = self._client.send(plaintext, self._loop.time())
        except SessionGone:
            return
        for datagram in datagrams:
            self._transmit(datagram)

    def say_goodbye(self) -> None:
        """A close_notify, so that the server need not keep the session."""
        if self._client is not None:
            for datagram in self._client.close(self._loop.time()):
                self._transmit(datagram)

    def close(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        if self._handshake is not None and not self._handshake.done():
            self._handshake.set_exception(LinkFailed("closed during the handshake"))
        if self._client is not None:
            self._client.close(self._loop.time())
            self._client = None
        super().close()

    def _arrived(self, datagram: bytes) -> None:
        if self._client is not None:
            self._handle(self._client.receive(datagram, self._loop.time()))

    def _handle(self, events: list[Event]) -> None:
        for event in events:
            match event:
                case Transmit():
                    self._transmit(event.datagram)
                case Received():
                    self._receive(event.plaintext)
                case Established():
                    self._end_handshake(None)
                case Refused():
                    self._end_handshake(LinkFailed(f"{event.cause}: {event.detail}"))
                case Closed():
                    pass  # `is_usable` says so, and the next request shakes hands anew
        self._set_timer()

    def _end_handshake(self, error: LinkFailed | None) -> None:
        if self._handshake is None or self._handshake.done():
            return
        if error is None:
            self._handshake.set_result(None)
        else:
            self._handshake.set_exception(error)

    def _set_timer(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        deadline = None if self._client is None else self._client.next_deadline()
        if deadline is not None:
            self._timer = self._loop.call_at(deadline, self._tick)

    def _tick(self) -> None:
        self._timer = None
        if self._client is not None:
            self._handle(self._client.tick(self._loop.time()))
