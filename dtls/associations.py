"""The life of a server's sessions: established, moved, asked for their last flight again, closed."""

from __future__ import annotations

from collections.abc import Callable

from dtls import alerts, records, replay
from dtls.config import ServerConfig
from dtls.errors import Malformed, RecordRejected
from dtls.events import Closed, Established, Event, Moved, Received, Transmit
from dtls.flight import CCS_FRAGMENT
from dtls.handshake import Handshake
from dtls.messages import FINISHED, fragments
from dtls.records import APPLICATION_DATA, Record
from dtls.session import Address, LastFlight, Reservation, Session
from dtls.sessions import Sessions
from dtls.statistics import Statistics

CID_TRIES = 4
MAX_RESENDS = 16  # of the last flight, since whoever replays a Finished can ask for it


class Associations:
    """All that happens to a session but the hot path, which is `Server.receive`."""

    def __init__(
        self,
        config: ServerConfig,
        sessions: Sessions,
        reservation: Reservation,
        random: Callable[[int], bytes],
        statistics: Statistics,
    ) -> None:
        self._config = config
        self._sessions = sessions
        self._reservation = reservation
        self._random = random
        self._statistics = statistics

    def new_cid(self) -> bytes:
        """A CID that, but for a bad `random`, no session has; `establish` looks again."""
        prefix = self._config.cid_prefix
        cid = prefix
        for _ in range(CID_TRIES):
            cid = prefix + self._random(self._config.cid_length - len(prefix))
            if cid not in self._sessions.by_cid:
                break
        return cid

    def establish(
        self, core: Handshake, identity: bytes, address: Address, now: float, key_id: int = 0
    ) -> list[Event] | None:
        """A session out of a complete handshake; None if there is no free CID or number for it."""
        if core.security is None or core.security.own_cid in self._sessions.by_cid:
            return None
        session = Session(
            identity=identity,
            address=address,
            security=core.security,
            reservation=self._reservation,
            random=self._random,
            now=now,
            key_id=key_id,
        )
        session.top, session.seen = core.window
        finished = core.flight.messages[-1].whole()
        try:
            datagrams = core.flight.datagrams(session.seal)
        except Exception:  # of the owner's hook, whatever that stands on: it must not reach the socket loop
            return None
        expires_at = now + self._config.last_flight_kept
        session.last_flight = LastFlight(finished, core.flight.sequence, expires_at, MAX_RESENDS)
        # RFC 6347 section 4.2.8: only now, when the new association has proved itself, does the old one end.
        events: list[Event] = []
        for old in self._sessions.replaced_by(session):
            events += self.close(old, "replaced", say=False)
        # One identity makes room among its own: it must not cost anybody else a session.
        while own := self._sessions.surplus(identity, self._config.max_sessions_per_identity):
            self._statistics.surplus += 1
            events += self.close(own, "replaced", say=True)
        while len(self._sessions.by_id) >= self._config.max_sessions:
            longest = self._sessions.longest_idle()
            if longest is None:
                break
            self._statistics.evicted += 1
            events += self.close(longest, "evicted", say=True)
        self._sessions.add(session)
        self._statistics.handshakes += 1
        self._statistics.sessions = len(self._sessions.by_id)
        events += [Transmit(datagram, address) for datagram in datagrams]
        events.append(Established(session))
        return events

    def receive(self, session: Session, record: Record, address: Address, now: float) -> list[Event] | None:
        """A record of epoch 1; None if it is a replay, or does not authenticate in this session."""
        is_replay = replay.is_replay(session.top, session.seen, record.sequence)
        if record.version != records.DTLS_1_2 or (is_replay and session.last_flight is None):
            return None
        try:
            kind, plaintext = session.open_record(record.whole)
        except RecordRejected:
            return None
        if not is_replay:
            return self.accept(session, kind, plaintext, record.sequence, address, now)
        self._statistics.replays += 1
        # Some clients repeat their Finished in the very same record.
        return self._handshake(session, plaintext, now) if kind == records.HANDSHAKE else []

    def accept(
        self, session: Session, kind: int, plaintext: bytes, sequence: int, address: Address, now: float
    ) -> list[Event]:
        """What an authentic record leads to that is no replay."""
        events: list[Event] = []
        is_newest = sequence > session.top
        session.top, session.seen = replay.advance(session.top, session.seen, sequence)
        session.last_active_at = now
        if is_newest and address != session.address:
            events.append(self.move(session, address))
        if kind == APPLICATION_DATA:
            events.append(Received(session, plaintext, address))
            if not session.is_proved:
                events += self.prove(session)
            session.last_flight = None  # who sends data has our Finished
        elif kind == records.ALERT and alerts.ends(plaintext):
            name = alerts.name(plaintext[1])
            is_polite = plaintext[1] == alerts.CLOSE_NOTIFY
            # RFC 5246 section 7.2.1: close_notify is answered with one.
            events += self.close(session, name if is_polite else f"alert {name}", say=is_polite)
        elif kind == records.HANDSHAKE:
            events += self._handshake(session, plaintext, now)
        return events

    def prove(self, session: Session) -> list[Event]:
        """The first application data: this session is the one that the device uses, so the older ones end."""
        session.is_proved = True
        session.last_flight = None
        events: list[Event] = []
        for older in self._sessions.before(session):
            events += self.close(older, "replaced", say=True)
        return events

    def move(self, session: Session, address: Address) -> Moved:
        """RFC 9146 section 6; the caller has seen that the record is authentic and the newest."""
        previous = session.address
        self._sessions.move(session, address)
        self._statistics.moves += 1
        return Moved(session, previous, address)

    def close(self, session: Session, reason: str, *, say: bool) -> list[Event]:
        """Forget a session, with a close_notify if there may be somebody to hear it."""
        if session.is_closed:
            return []
        events = self._alert(session, alerts.WARNING, alerts.CLOSE_NOTIFY) if say else []
        self._sessions.remove(session)
        self._statistics.sessions = len(self._sessions.by_id)
        events.append(Closed(session, reason))
        return events

    def _handshake(self, session: Session, payload: bytes, now: float) -> list[Event]:
        """A handshake message under the session's keys: the Finished once more, or a renegotiation."""
        try:
            found = fragments(payload)
        except Malformed:
            return []
        if not found or found[0].kind != FINISHED:
            return self._alert(session, alerts.WARNING, alerts.NO_RENEGOTIATION)
        last = session.last_flight
        if last is None:
            return []
        if now > last.expires_at or not last.resends_left:
            session.last_flight = None
            return []
        change = records.plain(records.CHANGE_CIPHER_SPEC, records.DTLS_1_2, last.sequence, CCS_FRAGMENT)
        last.resends_left -= 1
        last.sequence += 1
        self._statistics.retransmissions += 1
        return self._seal(session, records.HANDSHAKE, last.finished, before=change)

    def _alert(self, session: Session, level: int, description: int) -> list[Event]:
        return self._seal(session, records.ALERT, bytes((level, description)))

    def _seal(self, session: Session, kind: int, payload: bytes, before: bytes = b"") -> list[Event]:
        """A record that nobody waits for; it stays unsent when its number cannot be reserved."""
        try:
            return [Transmit(before + session.seal(kind, payload), session.address)]
        except Exception:  # of the owner's hook, as above
            return []
