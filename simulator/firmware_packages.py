"""The firmware packages that virtual devices take: a head with the version and a digest, and whatever fills them."""

from __future__ import annotations

from dataclasses import dataclass
from hashlib import sha256

_MAGIC = b"SIMFW"
_BROKEN = b"broken"


@dataclass(frozen=True, slots=True)
class Package:
    """What a package says of itself."""

    version: str
    is_whole: bool
    installs: bool


def pack(version: str, *, size: int = 4000, installs: bool = True) -> bytes:
    """A package of about `size` bytes; one that does not install looks sound until it is tried."""
    body = bytes(number % 251 for number in range(size))
    digest = sha256(body).hexdigest().encode()
    flag = b"sound" if installs else _BROKEN
    return b" ".join((_MAGIC, version.encode(), flag, digest)) + b"\n" + body


def read(content: bytes) -> Package | None:
    """None when this is no package for these devices."""
    head, _, body = content.partition(b"\n")
    parts = head.split(b" ")
    if len(parts) != 4 or parts[0] != _MAGIC:
        return None
    is_whole = sha256(body).hexdigest().encode() == parts[3]
    return Package(parts[1].decode(errors="replace"), is_whole, parts[2] != _BROKEN)
