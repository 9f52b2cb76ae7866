"""The client side of DTLS 1.2: one association with one server, for the simulator and for tests.

It knows no address: whatever port its owner sends from is where it is, and with a CID that may change at any
time (RFC 9146).
"""

from __future__ import annotations

import os
from collections.abc import Callable

from dtls import alerts, records, replay, snapshot
from dtls.backends import Backend, Parameters, Profile, load
from dtls.config import MAX_IDENTITY, MAX_KEY, MIN_KEY
from dtls.errors import Malformed, RecordRejected, SessionGone
from dtls.events import Cause, Closed, Established, Event, Received, Refused, Transmit
from dtls.flight import Flight
from dtls.handshake import Handshake
from dtls.records import APPLICATION_DATA, Record
from dtls.session import Reservation, Session
from dtls.suites import DEFAULT_CIPHERS


class Client:
    """`cid` None offers no CID, b"" one of no length (the server's records need none), else that very CID."""

    def __init__(
        self,
        identity: bytes,
        key: bytes,
        ciphers: tuple[str, ...] = DEFAULT_CIPHERS,
        cid: bytes | None = None,
        *,
        backend: Backend | None = None,
        random: Callable[[int], bytes] = os.urandom,
        encrypt_then_mac: bool = True,
        handshake_timeout: float = 60.0,
        retransmit_after: float = 1.0,
        retransmit_at_most: float = 60.0,
        mtu: int = 1232,
        sequence_block: int = 1 << 10,
        reserve: Callable[[Session, int], None] | None = None,
    ) -> None:
        if len(identity) > MAX_IDENTITY or b"\0" in identity:
            # OpenSSL's client takes the identity as a C string; its server side has no such limit.
            raise ValueError(f"an identity has up to {MAX_IDENTITY} bytes and, in a client, no NUL")
        if not MIN_KEY <= len(key) <= MAX_KEY:
            raise ValueError(f"a key has {MIN_KEY} to {MAX_KEY} bytes")
        self.session: Session | None = None
        self._profile = Profile(False, tuple(ciphers), cid is not None, encrypt_then_mac)
        self._parameters = Parameters(identity=identity, key=key, cid=cid)
        self._backend = backend
        self._random = random
        self._timeout = handshake_timeout
        self._intervals = (retransmit_after, retransmit_at_most)
        self._mtu = mtu
        self._reservation = Reservation(sequence_block, reserve)
        self._core: Handshake | None = None
        self._expires_at = 0.0
        self._is_established = False

    @classmethod
    def from_export(
        cls,
        blob: bytes,
        now: float,
        *,
        random: Callable[[int], bytes] = os.urandom,
        sequence_block: int = 1 << 10,
    ) -> Client:
        """Go on with an exported association. Raises `SessionGone` if there is none in it."""
        client = cls(b"", bytes(MIN_KEY), random=random, sequence_block=sequence_block)
        client.session = next(snapshot.unpack(blob, client._reservation, random, now), None)
        if client.session is None or client.session.security.server:
            raise SessionGone("no client's session in this export")
        client._parameters.identity = client.session.identity
        client._is_established = True
        return client

    @property
    def is_established(self) -> bool:
        """Whether application data can be sent."""
        return self._is_established and self.session is not None and not self.session.is_closed

    def start(self, now: float) -> list[bytes]:
        """Begin the handshake, or begin it anew: the first datagrams."""
        self._drop_core()
        self.session, self._is_established = None, False
        connection = (self._backend or load()).connect(self._profile, self._parameters)
        self._core = Handshake(
            connection,
            Flight(0, self._mtu, *self._intervals),
            server=False,
            next_sequence=0,
            cid=self._parameters.cid,
            random=self._random,
        )
        self._expires_at = now + self._timeout
        self._core.start()
        self._core.flight.start_timer(now)
        return self._core.flight.datagrams(None)

    def receive(self, datagram: bytes, now: float) -> list[Event]:
        """What a datagram from the server leads to. Never raises, whatever the bytes."""
        events: list[Event] = []
        session = self.session
        own_cid = session.security.own_cid if session else self._parameters.cid or b""
        is_repeat = False
        for record in records.split(datagram, len(own_cid)):
            try:
                if record.epoch == 1:
                    events += self._protected(record, own_cid, now)
                elif record.epoch == 0 and self._core is not None:
                    is_repeat |= self._plain(record, self._core, events, now)
            except Malformed:
                continue
        core = self._core
        if is_repeat and core is not None and not any(isinstance(event, Transmit) for event in events):
            events += self._transmit(core)  # the server repeats its flight: ours was lost (RFC 6347 4.2.4)
        return events

    def send(self, plaintext: bytes, now: float) -> list[bytes]:
        """Application data for the server. Raises `SessionGone`."""
        if not self.is_established or self.session is None:
            raise SessionGone("not established")
        return [self.session.seal(APPLICATION_DATA, plaintext)]

    def tick(self, now: float) -> list[Event]:
        """What is due: a retransmission, or the end of a handshake that took too long."""
        core = self._core
        if core is None:
            return []
        if now >= self._expires_at:
            return self._refuse("DTLS_HANDSHAKE_TIMEOUT", "the server does not answer")
        due_at = core.flight.due_at
        if due_at is None or now < due_at:
            return []
        core.flight.back_off(now)
        return self._transmit(core)

    def next_deadline(self) -> float | None:
        """Nothing is due before this."""
        if self._core is None:
            return None
        due_at = self._core.flight.due_at
        return self._expires_at if due_at is None else min(due_at, self._expires_at)

    def close(self, now: float) -> list[bytes]:
        """Say close_notify, if there is an association, and forget it."""
        datagrams = []
        if self.is_established and self.session is not None:
            datagrams = [self.session.seal(records.ALERT, bytes((alerts.WARNING, alerts.CLOSE_NOTIFY)))]
            self.session.is_closed = True
        self._drop_core()
        return datagrams

    def export(self, now: float) -> bytes:
        """The association with its keys, for `from_export`; a secret, and good for one import."""
        if not self.is_established or self.session is None:
            raise SessionGone("not established")
        self._reservation.export(self.session)
        return snapshot.pack(self.session, now)

    def _plain(self, record: Record, core: Handshake, events: list[Event], now: float) -> bool:
        """A record of epoch 0; True if it only repeats what we have."""
        if record.kind == records.ALERT and alerts.ends(record.fragment):
            number = record.fragment[1]
            cause = alerts.CAUSES.get(number, "DTLS_HANDSHAKE_FAILED")
            events += self._refuse(cause, f"the server sent {alerts.name(number)}")
        elif record.kind == records.HANDSHAKE:
            if not core.add(record.fragment):
                return True
            events += self._proceed(core, now)
        return False

    def _protected(self, record: Record, own_cid: bytes, now: float) -> list[Event]:
        # RFC 9146 section 3: with a CID of some length negotiated, a record without one is invalid.
        session = self.session
        if session is not None and self._is_established:
            if session.is_closed or record.cid != own_cid or record.version != records.DTLS_1_2:
                return []
            return self._session_record(session, record, now)
        core = self._core
        if core is None or (core.security is not None and record.cid != core.security.own_cid):
            return []
        core.open(record.whole)
        return self._proceed(core, now)

    def _session_record(self, session: Session, record: Record, now: float) -> list[Event]:
        if replay.is_replay(session.top, session.seen, record.sequence):
            return []
        try:
            kind, plaintext = session.open_record(record.whole)
        except RecordRejected:
            return []
        session.top, session.seen = replay.advance(session.top, session.seen, record.sequence)
        session.last_active_at = now
        if kind == APPLICATION_DATA:
            return [Received(session, plaintext, None)]
        if kind == records.ALERT and alerts.ends(plaintext):
            name = alerts.name(plaintext[1])
            is_polite = plaintext[1] == alerts.CLOSE_NOTIFY
            answer = [Transmit(datagram, None) for datagram in self.close(now)] if is_polite else []
            session.is_closed = True
            return [*answer, Closed(session, name if is_polite else f"alert {name}")]
        return []

    def _proceed(self, core: Handshake, now: float) -> list[Event]:
        """Give OpenSSL what is whole and in order, and send what it answers."""
        before = core.flight.messages
        while core.failure is None and (message := core.take()):
            core.feed(message)
        if core.failure is None:
            core.open_early()
            core.feed_finished()
        if core.failure is not None:
            alert = alerts.INTERNAL_ERROR if core.alert is None else core.alert
            datagram = core.flight.alert(alerts.fatal(alert))
            return [Transmit(datagram, None), *self._refuse("DTLS_HANDSHAKE_FAILED", core.failure)]
        if core.is_complete:
            return self._establish(core)
        if core.flight.messages is before:
            return []
        core.flight.start_timer(now)
        return self._transmit(core)

    def _transmit(self, core: Handshake) -> list[Event]:
        if self.session is None and core.security is not None:
            self.session = Session(
                identity=self._parameters.identity,
                address=None,
                security=core.security,
                reservation=self._reservation,
                random=self._random,
                now=self._expires_at - self._timeout,
            )
        seal = self.session.seal if self.session is not None else None
        return [Transmit(datagram, None) for datagram in core.flight.datagrams(seal)]

    def _establish(self, core: Handshake) -> list[Event]:
        session = self.session
        if session is None:
            return self._refuse("DTLS_HANDSHAKE_FAILED", "finished without keys")
        session.top, session.seen = core.window
        self._is_established = True
        self._drop_core()
        return [Established(session)]

    def _refuse(self, cause: Cause, detail: str) -> list[Event]:
        self._drop_core()
        return [Refused(None, cause, detail, self._parameters.identity)]

    def _drop_core(self) -> None:
        if self._core is not None:
            self._core.free()
            self._core = None
