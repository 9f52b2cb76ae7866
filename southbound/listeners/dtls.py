"""CoAP over DTLS: `dtls.Server` between a drained socket and a lane; a peer is its session, wherever it moves."""

from __future__ import annotations

import asyncio
import logging
import socket
import time
from collections.abc import Awaitable, Callable, Hashable, Iterable
from dataclasses import dataclass, field
from typing import cast

from django.conf import settings

import dtls
from dtls import backends
from lwm2m.wire import Plane
from southbound.counters import Counters
from southbound.listeners.lane import Lane
from southbound.listeners.neighbours import Neighbours
from southbound.listeners.sockets import Address, DrainedSocket

logger = logging.getLogger(__name__)

TICK_SECONDS = 0.1
MAX_WANTED = 1_000
"""As many as there may be half-open handshakes."""
WITH_CID = b"\x19"
CID_AT = 11
"""Where the connection id of a record begins (RFC 9146 section 4); its first byte is the owner's number."""
_BACKENDS = {"auto": ("bundled", "system"), "cryptography": ("bundled",), "ctypes": ("system",)}


def backend() -> backends.Backend:
    """The OpenSSL of DTLS_BACKEND. Raises `dtls.BackendUnusable`."""
    names = _BACKENDS[settings.DTLS_BACKEND]
    for name in names[:-1]:
        try:
            return _loaded(name)
        except dtls.BackendUnusable as error:
            logger.warning("dtls_backend_unusable name=%s error=%s", name, error)
    return _loaded(names[-1])


def _loaded(name: str) -> backends.Backend:
    found = backends.load(name)
    if found.remark:
        logger.warning("dtls_backend_unchecked name=%s remark=%s", name, found.remark)
    return found


@dataclass(frozen=True, slots=True)
class Key:
    """A key of a device, and by what number it is known."""

    key: bytes = field(repr=False)
    key_id: int


@dataclass(frozen=True, slots=True)
class NoKey:
    """Why an identity has none here: a cause of the catalogue, and the device that it may be."""

    cause: str
    device_id: int | None = None


Keys = Callable[[list[bytes]], Awaitable[list[Key | NoKey]]]
"""Identities in, an answer for each out. `Key` only for identities that are text."""


class DtlsListener:
    """One secured port; `keys` looks up who may connect.

    `on_known` hears of every session that is new or has moved, `on_closed` of each that ends.
    """

    def __init__(
        self,
        bound: socket.socket,
        *,
        plane: Plane,
        counters: Counters,
        keys: Keys,
        number: int,
        shared: bool,
        on_known: Callable[[dtls.Session], None],
        on_closed: Callable[[Lane, dtls.Session], None],
    ) -> None:
        self.plane = plane
        self.lane: Lane | None = None
        self.server = dtls.Server(dtls.ServerConfig(cid_prefix=bytes((number,))), backend=backend())
        self._counters = counters
        self._keys = keys
        self._on_known = on_known
        self._on_closed = on_closed
        self._socket = DrainedSocket(bound, self._receive, counters)
        self._number = number
        self._neighbours = Neighbours(number, plane, self._accept, counters) if shared else None
        self._by_key: dict[int, set[dtls.Session]] = {}
        """Sessions by the credential that they were made with."""
        self._wanted: list[dtls.KeyWanted] = []
        self._lookup: asyncio.Task[None] | None = None
        self._loop: asyncio.AbstractEventLoop | None = None
        self._timer: asyncio.TimerHandle | None = None

    @property
    def port(self) -> int:
        return self._socket.port

    @property
    def socket(self) -> DrainedSocket:
        """Read before those without security."""
        return self._socket

    @property
    def descriptor(self) -> int:
        return self._socket.descriptor

    def start(self, loop: asyncio.AbstractEventLoop, lane: Lane) -> None:
        self._loop = loop
        self.lane = lane
        self._socket.start(loop)
        if self._neighbours is not None:
            self._neighbours.start(loop)
        self._timer = loop.call_later(TICK_SECONDS, self._tick)

    def adopt(self, exported: bytes) -> int:
        """Take up the sessions of an export; returns how many."""
        sessions = self.server.import_sessions(exported, time.monotonic())
        for session in sessions:
            self._greet(session)
        return len(sessions)

    def export(self) -> bytes:
        """All sessions, for one import; nothing more may be sent by this process."""
        return self.server.export_sessions(time.monotonic())

    def session_of(self, identity: str, credential_id: int | None) -> dtls.Session | None:
        """The newest session of a PSK identity, if it was made with this very key."""
        session = self.server.session_of(identity.encode())
        return session if session is not None and session.key_id == credential_id else None

    def credential_ids(self) -> list[int]:
        """Of all sessions."""
        return list(self._by_key)

    def end(self, credential_ids: Iterable[int]) -> int:
        """Close the sessions that were made with these keys; returns how many."""
        ended = [session for key_id in set(credential_ids) for session in self._by_key.get(key_id, ())]
        for session in ended:
            self._handle(self.server.close(session, time.monotonic()))
        return len(ended)

    @staticmethod
    def room(peer: Hashable) -> int:
        """Bytes of a message that one record to this session can hold."""
        return cast(dtls.Session, peer).max_plaintext

    def transmit(self, peer: Hashable, data: bytes) -> None:
        try:
            sealed = self.server.send(cast(dtls.Session, peer), data, time.monotonic())
        except dtls.SessionGone:
            self._counters.unsent += 1
            return
        except ValueError as error:  # blocks are chosen by `room`, so only options can have made it that long
            self._counters.unsent += 1
            logger.warning("dtls_message_too_long bytes=%d error=%s", len(data), error)
            return
        for transmit in sealed:
            self._socket.send(transmit.datagram, cast(Address, transmit.address))

    def pause(self) -> None:
        self._socket.pause()
        if self._timer is not None:
            self._timer.cancel()
        if self._lookup is not None:
            self._lookup.cancel()

    def close(self) -> None:
        self.pause()
        self._socket.close()
        if self._neighbours is not None:
            self._neighbours.close()

    def _receive(self, data: bytes, address: Address) -> None:
        neighbours = self._neighbours
        if neighbours is None:
            self._accept(data, address)
        elif data[:1] == WITH_CID and len(data) > CID_AT and data[CID_AT] != self._number:
            neighbours.pass_on(data[CID_AT], data, address)
        else:
            unknown = self.server.statistics.unknown_address
            self._accept(data, address)
            if self.server.statistics.unknown_address != unknown:
                neighbours.offer(data, address)

    def _accept(self, data: bytes, address: Address) -> None:
        events = self.server.receive(data, address, time.monotonic())
        if len(events) == 1 and type(events[0]) is dtls.Received:
            self._deliver(events[0])
        else:
            self._handle(events)

    def _deliver(self, event: dtls.Received) -> None:
        session = event.session
        address = cast(Address, event.address)
        assert self.lane is not None
        self.lane.receive(event.plaintext, session, address, cast(str, session.data), session.key_id)

    def _tick(self) -> None:
        assert self._loop is not None
        self._handle(self.server.tick(time.monotonic()))
        self._timer = self._loop.call_later(TICK_SECONDS, self._tick)

    def _handle(self, events: list[dtls.Event]) -> None:
        for event in events:
            match event:
                case dtls.Received():
                    self._deliver(event)
                case dtls.Transmit():
                    self._socket.send(event.datagram, cast(Address, event.address))
                case dtls.KeyWanted():
                    self._begin_lookup(event)
                case dtls.Established(session):
                    self._greet(session)
                case dtls.Closed(session, _):
                    self._forget(session)
                case dtls.Refused():
                    self._count(event)
                case dtls.Moved(session, _, _):
                    self._on_known(session)

    def _greet(self, session: dtls.Session) -> None:
        session.data = session.identity.decode(errors="replace")
        self._by_key.setdefault(session.key_id, set()).add(session)
        self._on_known(session)

    def _forget(self, session: dtls.Session) -> None:
        others = self._by_key.get(session.key_id)
        if others is not None:
            others.discard(session)
            if not others:
                del self._by_key[session.key_id]
        if self.lane is not None:
            self._on_closed(self.lane, session)

    def _count(self, event: dtls.Refused) -> None:
        if event.cause == "PSK_IDENTITY_UNKNOWN":
            return  # counted when it was looked up, with a better word for why
        name = "" if event.identity is None else event.identity.decode(errors="replace")
        host = str(event.address[0]) if event.address else ""
        self._counters.refused(self.plane, event.cause, name, host, event.detail)

    # -- keys ------------------------------------------------------------------------------------------------
    def _begin_lookup(self, event: dtls.KeyWanted) -> None:
        """Ask with the next question to the database: what is wanted while one runs goes together."""
        if self._loop is None or len(self._wanted) >= MAX_WANTED:
            return  # the handshake times out; the device tries again
        self._wanted.append(event)
        if self._lookup is None:
            self._lookup = self._loop.create_task(self._look_up(), name="dtls keys")

    async def _look_up(self) -> None:
        try:
            while self._wanted:
                wanted, self._wanted = self._wanted, []
                try:
                    await self._answer(wanted)
                except (
                    Exception
                ) as error:  # no answer rather than a wrong one: the devices repeat their flights
                    logger.warning("key_lookup_failed error=%s: %s", type(error).__name__, error)
        finally:
            self._lookup = None

    async def _answer(self, wanted: list[dtls.KeyWanted]) -> None:
        identities = [event.identity for event in wanted]
        found = await self._keys(identities)
        for event, answer in zip(wanted, found, strict=True):
            key, key_id = None, 0
            if isinstance(answer, Key):
                key, key_id = answer.key, answer.key_id
            else:
                host = str(event.address[0]) if event.address else ""
                name = event.identity.decode(errors="replace")
                self._counters.refused(self.plane, answer.cause, name, host, "", answer.device_id)
            self._handle(self.server.provide_key(event.handshake, key, time.monotonic(), key_id=key_id))
