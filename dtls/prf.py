"""The pseudo-random function of TLS 1.2 (RFC 5246 section 5) with SHA-256, and the keys cut from it."""

from __future__ import annotations

import hmac
from typing import NamedTuple


def expand(secret: bytes, label: bytes, seed: bytes, length: int) -> bytes:
    """PRF(secret, label, seed) of RFC 5246 section 5, `length` bytes of it."""
    seed = label + seed
    chain = seed
    out = b""
    while len(out) < length:
        chain = hmac.digest(secret, chain, "sha256")
        out += hmac.digest(secret, chain + seed, "sha256")
    return out[:length]


class Direction(NamedTuple):
    """The keys of one direction of traffic (RFC 5246 section 6.3)."""

    mac_key: bytes
    key: bytes
    fixed_iv: bytes


def key_block(master_secret: bytes, client_random: bytes, server_random: bytes, length: int) -> bytes:
    """RFC 5246 section 6.3: the server's random comes first here."""
    return expand(master_secret, b"key expansion", server_random + client_random, length)


def partition(block: bytes, mac_length: int, key_length: int, iv_length: int) -> tuple[Direction, Direction]:
    """The client's and the server's writing keys, in the order of RFC 5246 section 6.3."""
    parts = []
    start = 0
    for length in (mac_length, mac_length, key_length, key_length, iv_length, iv_length):
        parts.append(block[start : start + length])
        start += length
    return Direction(parts[0], parts[2], parts[4]), Direction(parts[1], parts[3], parts[5])
