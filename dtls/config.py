"""What an owner decides about a server."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from dtls.session import Session
from dtls.suites import BY_NAME, DEFAULT_CIPHERS

MIN_KEY, MAX_KEY = 16, 64  # OMA-TS-LightweightM2M_Core appendix E.1.1: up to 64, 16 or more recommended
MAX_IDENTITY = 128
MIN_MTU = 256


@dataclass(frozen=True, slots=True, kw_only=True)
class ServerConfig:
    """Times are seconds. `idle_timeout` None keeps sessions until `max_sessions` evicts the longest idle."""

    ciphers: tuple[str, ...] = DEFAULT_CIPHERS
    cid_length: int = 8  # with `cid_prefix`; 0 turns connection ids off
    cid_prefix: bytes = b""  # the process, so that a socket filter can steer records to it
    max_half_open: int = 1000
    max_half_open_per_host: int = 250  # many devices share a host behind an operator's NAT
    max_sessions: int = 100_000
    max_sessions_per_identity: int = 2  # the one in use, and one of a handshake that came after it
    handshake_timeout: float = 60.0
    retransmit_after: float = 1.0  # doubles each time, RFC 6347 section 4.2.4.1
    retransmit_at_most: float = 60.0
    mismatch_grace: float = 2.0  # from a Finished that does not authenticate to giving up on a better one
    idle_timeout: float | None = 2 * 86400.0
    cookie_period: float = 60.0
    last_flight_kept: float = 240.0  # twice the maximum segment lifetime, RFC 6347 section 4.2.4
    mtu: int = 1232  # of a datagram's payload: what every IPv6 path takes
    hide_unknown_identities: bool = True  # RFC 4279 section 2: behave as if the key were wrong
    sequence_block: int = 1 << 16
    reserve: Callable[[Session, int], None] | None = None  # see `session.Reservation`

    def __post_init__(self) -> None:
        unknown = [name for name in self.ciphers if name not in BY_NAME]
        if unknown or not self.ciphers:
            raise ValueError(f"unknown ciphers {unknown}; there are {', '.join(BY_NAME)}")
        if self.cid_length and not len(self.cid_prefix) + 4 <= self.cid_length <= 32:
            raise ValueError("a CID needs four random bytes after its prefix, and no more than 32 in all")
        if self.mtu < MIN_MTU:
            raise ValueError(f"an mtu has {MIN_MTU} bytes or more")
        for name in ("sequence_block", "max_half_open", "max_sessions", "max_sessions_per_identity"):
            if getattr(self, name) < 1:
                raise ValueError(f"{name} is too small")
