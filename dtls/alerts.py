"""Alerts: two bytes, their names, and what a refused handshake means to a person (RFC 5246 section 7.2)."""

from __future__ import annotations

from dtls.events import Cause

WARNING = 1
FATAL = 2

CLOSE_NOTIFY = 0
BAD_RECORD_MAC = 20
DECRYPT_ERROR = 51
INTERNAL_ERROR = 80
NO_RENEGOTIATION = 100
UNKNOWN_PSK_IDENTITY = 115

NAMES = {
    0: "close_notify",
    10: "unexpected_message",
    20: "bad_record_mac",
    21: "decryption_failed",
    22: "record_overflow",
    40: "handshake_failure",
    42: "bad_certificate",
    43: "unsupported_certificate",
    44: "certificate_revoked",
    45: "certificate_expired",
    46: "certificate_unknown",
    47: "illegal_parameter",
    48: "unknown_ca",
    49: "access_denied",
    50: "decode_error",
    51: "decrypt_error",
    60: "export_restriction",
    70: "protocol_version",
    71: "insufficient_security",
    80: "internal_error",
    86: "inappropriate_fallback",
    90: "user_canceled",
    100: "no_renegotiation",
    109: "missing_extension",
    110: "unsupported_extension",
    112: "unrecognized_name",
    115: "unknown_psk_identity",
}

# What the alert that ended a handshake says about the key (RFC 4279 section 2).
CAUSES: dict[int, Cause] = {
    BAD_RECORD_MAC: "PSK_MISMATCH",
    DECRYPT_ERROR: "PSK_MISMATCH",
    UNKNOWN_PSK_IDENTITY: "PSK_IDENTITY_UNKNOWN",
}


def name(description: int) -> str:
    """The standard's name of an alert."""
    return NAMES.get(description, f"alert {description}")


def ends(fragment: bytes) -> bool:
    """Whether this alert ends what it belongs to: a fatal one, or close_notify of any level."""
    return len(fragment) == 2 and (fragment[0] == FATAL or fragment[1] == CLOSE_NOTIFY)


def fatal(description: int) -> bytes:
    """The fragment of a fatal alert."""
    return bytes((FATAL, description))
