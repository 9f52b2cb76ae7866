"""What a server or client asks of its owner, in the order it must happen."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from dtls.session import Address, Session

Cause = Literal[
    "PSK_IDENTITY_UNKNOWN",
    "PSK_MISMATCH",
    "DTLS_HANDSHAKE_FAILED",
    "DTLS_SUITE_UNSUPPORTED",
    "DTLS_HANDSHAKE_TIMEOUT",
    "DTLS_FLOOD",
]


@dataclass(frozen=True, slots=True)
class Transmit:
    """Send this datagram to this address (which is None from a client: it has one peer)."""

    datagram: bytes
    address: Address | None


@dataclass(frozen=True, slots=True)
class KeyWanted:
    """Look the pre-shared key up, then call `Server.provide_key(handshake, key or None, now)`."""

    handshake: int
    identity: bytes
    address: Address | None


@dataclass(frozen=True, slots=True)
class Established:
    """A handshake is complete: the peer has proved that it holds the key of `session.identity`."""

    session: Session


@dataclass(frozen=True, slots=True)
class Received:
    """Authenticated application data, and the address that it came from."""

    session: Session
    plaintext: bytes
    address: Address | None


@dataclass(frozen=True, slots=True)
class Moved:
    """The peer's newest authentic record came from another address (RFC 9146 section 6).

    It precedes the `Received` of that record. The new address is not proved to be reachable: an owner
    who sends large answers may want to probe it first (an Echo option, a small request).
    """

    session: Session
    previous: Address | None
    address: Address | None


@dataclass(frozen=True, slots=True)
class Closed:
    """The session is over: "close_notify", "alert ...", "idle", "replaced", "evicted" or "closed".

    "replaced" is also said of an older session of the same identity, once the newer one carries data.
    """

    session: Session
    reason: str


@dataclass(frozen=True, slots=True)
class Refused:
    """A handshake that came to nothing in a way that somebody could act on."""

    address: Address | None
    cause: Cause
    detail: str
    identity: bytes | None


Event = Transmit | KeyWanted | Established | Received | Moved | Closed | Refused
