"""What can go wrong in the DTLS room; bytes from the network never raise any of these at the owner."""

from __future__ import annotations


class DtlsError(Exception):
    """The base of this room's errors."""


class SessionGone(DtlsError):
    """The session was closed, or may not send any more: there is nobody to send this to."""


class BackendUnusable(DtlsError):
    """The OpenSSL behind a backend is missing, or is not the one this code was checked against."""


class Malformed(DtlsError):
    """Bytes that are no well-formed DTLS; caught inside this room and counted."""


class RecordRejected(DtlsError):
    """A record that does not authenticate; RFC 6347 4.1.2.7 has it dropped without a word."""
