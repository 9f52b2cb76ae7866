"""The server side of DTLS 1.2: datagrams and the time in, events out."""

from __future__ import annotations

import os
from collections.abc import Callable

from dtls import records, snapshot
from dtls.associations import Associations
from dtls.backends import Backend, load
from dtls.config import ServerConfig
from dtls.errors import Malformed, RecordRejected
from dtls.events import Event, Received, Transmit
from dtls.half_open import HalfOpen
from dtls.records import APPLICATION_DATA, HEADER, Record
from dtls.replay import MASK, WINDOW, is_replay
from dtls.session import Address, Reservation, Session
from dtls.sessions import Sessions
from dtls.statistics import Statistics

PLAIN_HEAD = b"\x17\xfe\xfd\x00\x01"  # application data, DTLS 1.2, epoch 1
CID_HEAD = b"\x19\xfe\xfd\x00\x01"


class Server:
    """One port's worth of sessions. Not thread-safe; it neither blocks nor calls back but for `reserve`."""

    def __init__(
        self,
        config: ServerConfig,
        *,
        backend: Backend | None = None,
        random: Callable[[int], bytes] = os.urandom,
    ) -> None:
        self.config = config
        self.backend = load() if backend is None else backend
        self.statistics = Statistics()
        self._random = random
        self._sessions = Sessions()
        self._by_cid = self._sessions.by_cid
        self._by_address = self._sessions.by_address
        self._cid_end = records.HEADER - 2 + config.cid_length
        self._reservation = Reservation(config.sequence_block, config.reserve)
        self._associations = Associations(config, self._sessions, self._reservation, random, self.statistics)
        self._half_open = HalfOpen(config, self.backend, random, self.statistics, self._associations)

    @property
    def sessions(self) -> list[Session]:
        """The live sessions, oldest first."""
        return list(self._sessions.by_id.values())

    def session_of(self, identity: bytes) -> Session | None:
        """The newest session of an identity."""
        own = self._sessions.by_identity.get(identity)
        return own[-1] if own else None

    def receive(self, datagram: bytes, address: Address, now: float) -> list[Event]:
        """What a datagram leads to. Never raises, whatever the bytes."""
        head = datagram[:5]
        if head == CID_HEAD:
            end = self._cid_end
            session = self._by_cid.get(datagram[11:end])
            body = end + 2
        elif head == PLAIN_HEAD:
            session = self._by_address.get(address)
            body = HEADER
            end = 11
        else:
            return self._receive_any(datagram, address, now)
        if session is None or len(datagram) - body != int.from_bytes(datagram[end:body], "big"):
            return self._receive_any(datagram, address, now)
        sequence = int.from_bytes(datagram[5:11], "big")
        ahead = sequence - session.top
        if ahead <= 0 and (ahead <= -WINDOW or session.seen >> -ahead & 1):
            return self._receive_any(datagram, address, now)
        try:
            kind, plaintext = session.open_record(datagram)
        except RecordRejected:
            self.statistics.bad_records += 1
            return []
        if kind != APPLICATION_DATA:
            return self._associations.accept(session, kind, plaintext, sequence, address, now)
        if ahead > 0:
            session.top = sequence
            session.seen = (session.seen << ahead | 1) & MASK if ahead < WINDOW else 1
            session.last_active_at = now
            if address != session.address or not session.is_proved:
                moved: list[Event] = []
                if address != session.address:
                    moved.append(self._associations.move(session, address))
                proved = [] if session.is_proved else self._associations.prove(session)
                return [*moved, Received(session, plaintext, address), *proved]
        else:
            session.seen |= 1 << -ahead
            session.last_active_at = now
        return [Received(session, plaintext, address)]

    def provide_key(self, handshake: int, key: bytes | None, now: float, *, key_id: int = 0) -> list[Event]:
        """The answer to `KeyWanted`; one that comes too late is harmless.

        `key_id` is the owner's number of this very key, not of the identity: the session keeps it, in exports too.
        """
        return self._half_open.provide_key(handshake, key, now, key_id)

    def send(self, session: Session, plaintext: bytes, now: float) -> list[Transmit]:
        """Application data for a peer. Raises `SessionGone`, and ValueError for more than `session.max_plaintext`."""
        return [Transmit(session.seal(APPLICATION_DATA, plaintext), session.address)]

    def close(self, session: Session, now: float) -> list[Event]:
        """Say close_notify and forget the session."""
        return self._associations.close(session, "closed", say=True)

    def tick(self, now: float) -> list[Event]:
        """What is due: retransmissions, handshakes that took too long, sessions idle for too long."""
        events = self._half_open.tick(now)
        if (timeout := self.config.idle_timeout) is not None:
            while (session := self._sessions.idle_for(timeout, now)) is not None:
                self.statistics.idle += 1
                events += self._associations.close(session, "idle", say=True)
        return events

    def next_deadline(self) -> float | None:
        """Nothing is due before this; at this time perhaps nothing yet."""
        due_at = self._half_open.next_deadline()
        idle_from = self._sessions.earliest()
        if idle_from is None or self.config.idle_timeout is None:
            return due_at
        idle_at = idle_from + self.config.idle_timeout
        return idle_at if due_at is None else min(due_at, idle_at)

    def export_sessions(self, now: float) -> bytes:
        """All sessions, with their keys: a secret, good for one import, and only until the next export.

        The server may go on: what it sends up to each session's reserved number is accounted for. Past it
        the `reserve` hook is asked as ever; without a hook, another export is what extends the reservation.
        """
        return b"".join(self.export_session(session, now) for session in self.sessions)

    def export_session(self, session: Session, now: float) -> bytes:
        """One session of an export, to be stored when it is established and whenever `reserve` says so."""
        self._reservation.export(session)
        return snapshot.pack(session, now)

    def import_sessions(self, blob: bytes, now: float) -> list[Session]:
        """The sessions of an export that are whole and fit this configuration; never raises."""
        imported: list[Session] = []
        for session in snapshot.unpack(blob, self._reservation, self._random, now):
            cid = session.security.own_cid
            is_taken = cid in self._by_cid if cid else session.address in self._by_address
            if is_taken or not session.security.server or len(cid) not in (0, self.config.cid_length):
                continue
            if len(self._sessions.by_id) >= self.config.max_sessions:
                break
            self._sessions.add(session)
            imported.append(session)
        self.statistics.sessions = len(self._sessions.by_id)
        return imported

    def _receive_any(self, datagram: bytes, address: Address, now: float) -> list[Event]:
        """The whole of RFC 6347 section 4.1: several records, any content, any epoch we know."""
        events: list[Event] = []
        found = False
        for record in records.split(datagram, self.config.cid_length):
            found = True
            try:
                events += self._receive_record(record, address, now)
            except Malformed:
                self.statistics.malformed += 1
        if not found:
            self.statistics.malformed += 1
        return events

    def _receive_record(self, record: Record, address: Address, now: float) -> list[Event]:
        if record.epoch == 1:
            return self._receive_protected(record, address, now)
        if record.epoch == 0 and record.kind == records.HANDSHAKE:
            return self._half_open.handshake_record(record, address, now)
        if record.epoch == 0 and record.kind == records.ALERT:
            return self._half_open.alert_record(record, address)
        if record.epoch == 0 and record.kind == records.CHANGE_CIPHER_SPEC:
            return []  # says nothing that the epoch of the next record does not say
        raise Malformed("an epoch or content type that we do not have")

    def _receive_protected(self, record: Record, address: Address, now: float) -> list[Event]:
        with_cid = record.kind == records.TLS12_CID
        session = self._by_cid.get(record.cid) if with_cid else self._by_address.get(address)
        if session is not None:
            events = self._associations.receive(session, record, address, now)
            if events is not None:
                return events
        events = self._half_open.protected_record(record, address, now)
        if events is not None:
            return events
        if session is not None and is_replay(session.top, session.seen, record.sequence):
            self.statistics.replays += 1
        elif session is not None:
            self.statistics.bad_records += 1
        elif with_cid:
            self.statistics.unknown_cid += 1
        else:
            self.statistics.unknown_address += 1
        return []
