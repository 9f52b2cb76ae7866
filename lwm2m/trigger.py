"""The bytes of a trigger: a non-confirmable CoAP Execute that fits one SMS, and the token of what comes back.

`OMA-TS-LightweightM2M_Core E.2`, resource 21: no answer by SMS is expected. RFC 7252 section 3 for the bytes.
"""

from __future__ import annotations

from lwm2m.codes import Code
from lwm2m.paths import Path

UPDATE, BOOTSTRAP = 8, 9
"""Resources of the Server object: Registration Update Trigger, Bootstrap-Request Trigger."""
_NON, _URI_PATH, _SHORT = 0x50, 11, 12


def execute(path: Path, *, mid: int, token: bytes, root: tuple[str, ...] = ()) -> bytes:
    """Execute ``path`` below the device's alternate path ``root``."""
    out = bytearray((_NON | len(token), Code.POST, mid >> 8 & 0xFF, mid & 0xFF)) + token
    delta = _URI_PATH
    for segment in (*root, *path.segments):
        out += _option(delta, segment.encode())
        delta = 0
    return bytes(out)


def token_of(message: bytes) -> bytes:
    """The token of a CoAP message; empty where there is none or the message is cut off."""
    length = message[0] & 15 if message else 0
    return message[4 : 4 + length] if length <= 8 and len(message) >= 4 + length else b""


def _option(delta: int, value: bytes) -> bytes:
    """Delta is 0 or 11; Uri-Path holds up to 255 bytes (RFC 7252 section 5.10)."""
    length = len(value)
    if length <= _SHORT:
        return bytes((delta << 4 | length,)) + value
    if length > 255:
        raise ValueError("A segment of a path holds up to 255 bytes.")
    return bytes((delta << 4 | 13, length - 13)) + value
