"""What the room needs of an OpenSSL: a handshake that computes, fed with perfect records and drained of them.

Loss, order, timers, cookies, record numbers on the wire and connection ids are ours (`dtls.handshake`);
OpenSSL sees a network that never loses or reorders anything.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol


@dataclass(frozen=True, slots=True)
class Profile:
    """What one OpenSSL context is made for; contexts are shared by all connections of a profile."""

    server: bool
    ciphers: tuple[str, ...]
    with_cid: bool
    encrypt_then_mac: bool = True


@dataclass(slots=True)
class Parameters:
    """What OpenSSL asks back during one handshake; `key` may be filled in while it waits."""

    identity: bytes = b""
    key: bytes | None = None
    cid: bytes | None = None


class Connection(Protocol):
    """One handshake inside OpenSSL. Free it as soon as it has ended: it holds some 60 kB."""

    is_complete: bool
    failure: str | None

    def step(self, records: bytes) -> bytes:
        """Feed records that arrived (none to start a client) and return the records that it answers."""
        ...

    def master_secret(self) -> bytes:
        """The 48 bytes, once the ClientKeyExchange has passed."""
        ...

    def free(self) -> None:
        """Give the memory back; harmless when done twice."""
        ...


class Backend(Protocol):
    """An OpenSSL."""

    name: str
    version: str
    remark: str  # what its owner should read in the log; empty where it is a version that was checked

    def connect(self, profile: Profile, parameters: Parameters) -> Connection:
        """A new handshake. Raises `BackendUnusable` for ciphers that this OpenSSL does not have."""
        ...
