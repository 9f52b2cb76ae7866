"""An established association: two directions of record protection, a replay window, a sequence counter.

It keeps nothing of OpenSSL. The fields of the first group are for its owner, the rest is this room's.
"""

from __future__ import annotations

from collections.abc import Callable
from itertools import count

from dtls.errors import SessionGone
from dtls.records import MAX_SEQUENCE
from dtls.suites import Security

Address = tuple[
    str | int, ...
]  # whatever the owner's sockets say; hashable, and JSON must be able to hold it

_ids = count(1)


class Reservation:
    """Blocks of sending sequence numbers, noted down by the owner before the first of a block is used.

    A nonce is made of the sequence number, and using one twice gives away the plaintexts, and with GCM the
    authentication key as well. `hook(session, upto)` must have stored, when it returns, that every number
    below `upto` may have been used: `Server.export_session` inside it holds that number.
    """

    __slots__ = ("block", "hook")

    def __init__(self, block: int, hook: Callable[[Session, int], None] | None) -> None:
        self.block = block
        self.hook = hook

    def extend(self, session: Session) -> None:
        """Reserve the session's next block. Raises `SessionGone` when no more numbers may be used."""
        upto = min(session.next_sequence + self.block, MAX_SEQUENCE)
        if session.next_sequence >= upto:
            raise SessionGone("the sequence numbers are used up (RFC 6347 section 4.1)")
        if self.hook is None and session.is_exported:
            raise SessionGone("exported: its next numbers belong to whoever imports it")
        before, session.reserved = session.reserved, upto
        if self.hook is not None:
            try:
                self.hook(session, upto)
            except BaseException:
                session.reserved = before
                raise

    def export(self, session: Session) -> None:
        """Prepare an export: its numbers go up to the limit, and the next of it may be a long time away."""
        if self.hook is None and session.reserved - session.next_sequence < self.block // 2:
            session.reserved = min(session.next_sequence + self.block, MAX_SEQUENCE)
        session.is_exported = True


class Session:
    """One peer that has proved its key. `data` is the owner's own."""

    __slots__ = (
        "address",
        "cipher",
        "data",
        "established_at",
        "has_cid",
        "id",
        "identity",
        "is_closed",
        "is_exported",
        "is_proved",
        "key_id",
        "last_active_at",
        "last_flight",
        "max_plaintext",
        "next_sequence",
        "open_record",
        "reservation",
        "reserved",
        "seal_record",
        "security",
        "seen",
        "top",
    )

    def __init__(
        self,
        *,
        identity: bytes,
        address: Address | None,
        security: Security,
        reservation: Reservation,
        random: Callable[[int], bytes],
        now: float,
        key_id: int = 0,
    ) -> None:
        self.id = next(_ids)
        self.identity = identity
        self.key_id = (
            key_id  # the owner's number of the key that the peer has proved to hold; 0 where it gave none
        )
        self.address = address
        self.cipher = security.suite.name
        self.has_cid = bool(security.own_cid)
        self.established_at = now
        self.last_active_at = now
        self.data: object | None = None

        self.security = security
        self.open_record = security.opener().open
        self.seal_record = security.sealer(random).seal
        self.reservation = reservation
        self.next_sequence = 0
        self.reserved = 0
        self.top = -1
        self.seen = 0
        self.last_flight: LastFlight | None = None
        self.max_plaintext = security.max_fragment
        self.is_closed = False
        self.is_exported = False
        self.is_proved = False  # by a record of application data: the peer has this session and uses it

    def __repr__(self) -> str:
        return f"<Session {self.id} {self.cipher} {self.address}>"

    def seal(self, kind: int, plaintext: bytes) -> bytes:
        """A record for the peer, with a number that was never used. Raises `SessionGone`, and ValueError for more than
        `max_plaintext` bytes."""
        sequence = self.next_sequence
        if self.is_closed:
            raise SessionGone("closed")
        if len(plaintext) > self.max_plaintext:
            raise ValueError(f"a record for this peer holds {self.max_plaintext} bytes")
        if sequence >= self.reserved:
            self.reservation.extend(self)
        self.next_sequence = sequence + 1
        return self.seal_record(kind, plaintext, sequence)


class LastFlight:
    """Our ChangeCipherSpec and Finished, to be sent again if the peer repeats its own (RFC 6347 4.2.4)."""

    __slots__ = ("expires_at", "finished", "resends_left", "sequence")

    def __init__(self, finished: bytes, sequence: int, expires_at: float, resends: int) -> None:
        self.finished = finished  # the whole handshake message
        self.sequence = sequence  # of the next record of epoch 0
        self.expires_at = expires_at
        self.resends_left = resends
