"""Sessions as bytes, for a restart without handshakes: keys, CIDs, replay windows, reserved numbers.

The bytes are as secret as the keys in them, and the owner encrypts them at rest. Entries stand side by side:
two exports can simply be joined, and a damaged entry costs only itself.
"""

from __future__ import annotations

import hashlib
import json
import struct
from collections.abc import Callable, Iterator

from dtls.errors import Malformed
from dtls.messages import Reader
from dtls.records import MAX_PLAINTEXT
from dtls.session import Address, Reservation, Session
from dtls.suites import BY_NUMBER, Security

MAGIC = b"DTS2"
CHECKSUM_LENGTH = 8
MIN_FRAGMENT = 512
# suite, flags, max_fragment, key id, reserved, top + 1, seen, seconds since active, seconds of age
FIXED = struct.Struct(">HBHQQQQdd")
FLAG_MAC_LAST, FLAG_SERVER, FLAG_PROVED = 1, 2, 4


def pack(session: Session, now: float) -> bytes:
    """One session. Numbers up to its reservation count as used, so it may go on sending meanwhile."""
    security = session.security
    payload = FIXED.pack(
        security.suite.number,
        security.mac_last * FLAG_MAC_LAST | security.server * FLAG_SERVER | session.is_proved * FLAG_PROVED,
        security.max_fragment,
        session.key_id,
        session.reserved,
        session.top + 1,
        session.seen,
        now - session.last_active_at,
        now - session.established_at,
    )
    address = b"" if session.address is None else json.dumps(session.address).encode()
    for part in (session.identity, security.block, security.own_cid, security.peer_cid, address):
        payload += len(part).to_bytes(2, "big") + part
    return b"".join((MAGIC, len(payload).to_bytes(2, "big"), payload, _checksum(payload)))


def unpack(
    blob: bytes, reservation: Reservation, random: Callable[[int], bytes], now: float
) -> Iterator[Session]:
    """The sessions of every whole entry; what is damaged is passed over."""
    at = blob.find(MAGIC)
    while at >= 0:
        start = at + len(MAGIC) + 2
        end = start + int.from_bytes(blob[start - 2 : start], "big")
        payload = blob[start:end]
        if blob[end : end + CHECKSUM_LENGTH] == _checksum(payload):
            session = _session(payload, reservation, random, now)
            if session is not None:
                yield session
            at = blob.find(MAGIC, end + CHECKSUM_LENGTH)
        else:
            at = blob.find(MAGIC, at + 1)


def _session(
    payload: bytes, reservation: Reservation, random: Callable[[int], bytes], now: float
) -> Session | None:
    try:
        reader = Reader(payload)
        number, flags, max_fragment, key_id, reserved, top, seen, idle, age = FIXED.unpack(
            reader.take(FIXED.size)
        )
        identity, block, own_cid, peer_cid, address = (reader.vector(2) for _ in range(5))
        suite = BY_NUMBER[number]
        if len(block) != suite.block_length or not MIN_FRAGMENT <= max_fragment <= MAX_PLAINTEXT:
            return None
        session = Session(
            identity=identity,
            address=_address(address),
            security=Security(
                suite,
                block,
                bool(flags & FLAG_MAC_LAST),
                bool(flags & FLAG_SERVER),
                own_cid,
                peer_cid,
                max_fragment,
            ),
            reservation=reservation,
            random=random,
            now=now - age,
            key_id=key_id,
        )
    except (Malformed, KeyError, ValueError, TypeError, struct.error):
        return None
    session.last_active_at = now - idle
    session.is_proved = bool(flags & FLAG_PROVED)
    session.next_sequence = session.reserved = reserved
    session.top, session.seen = top - 1, seen
    return session


def _address(text: bytes) -> Address | None:
    return tuple(json.loads(text)) if text else None


def _checksum(payload: bytes) -> bytes:
    return hashlib.sha256(payload).digest()[:CHECKSUM_LENGTH]
