"""JSON as it may come from a device: strict numbers, no surprises, and base64 in both alphabets."""

from __future__ import annotations

import base64
import binascii
import json
import math
from typing import Any, NoReturn

from lwm2m.errors import bad_request


def loads(payload: bytes) -> Any:
    """Read one JSON text in UTF-8; raise 4.00 ``PAYLOAD_MALFORMED`` for anything else."""
    try:
        return json.loads(payload.decode(), parse_constant=_no_constant, parse_float=_finite)
    except (ValueError, RecursionError):
        raise bad_request(
            "PAYLOAD_MALFORMED", "The JSON cannot be read; send well-formed UTF-8 JSON."
        ) from None


def _no_constant(word: str) -> NoReturn:
    raise ValueError(word)


def _finite(text: str) -> float:
    number = float(text)
    if not math.isfinite(number):
        raise ValueError(text)
    return number


def dumps(value: Any) -> bytes:
    """Write compact JSON in UTF-8."""
    written = json.dumps(value, separators=(",", ":"), ensure_ascii=False, allow_nan=False)
    return written.encode(errors="replace")


def from_base64(value: Any) -> bytes:
    """Read base64url or base64, padded or not; raise 4.00 ``PAYLOAD_MALFORMED`` otherwise."""
    if not isinstance(value, str) or not value.isascii():
        raise bad_request("PAYLOAD_MALFORMED", "An opaque value must be base64url text.")
    text = value.rstrip("=").translate(_URL_TO_PLAIN)
    try:
        return base64.b64decode(text + "=" * (-len(text) % 4), validate=True)
    except binascii.Error:
        raise bad_request("PAYLOAD_MALFORMED", "An opaque value is not base64url; encode it anew.") from None


_URL_TO_PLAIN = str.maketrans("-_", "+/")


def to_base64url(value: bytes) -> str:
    """base64url without padding, as SenML wants it."""
    return base64.urlsafe_b64encode(value).decode().rstrip("=")


def to_base64(value: bytes) -> str:
    """Plain base64 with padding, as the older LwM2M JSON and plain text want it."""
    return base64.b64encode(value).decode()
