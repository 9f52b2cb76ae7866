"""The codes that the message layer itself knows (RFC 7252 section 12.1, RFC 7959 section 2.9, RFC 8323 section 5)."""

from __future__ import annotations

GET, POST, PUT, DELETE, FETCH = 1, 2, 3, 4, 5
REQUESTS = range(0x01, 0x20)
RESPONSES = range(2, 6)
"""Classes: 2.xx, 4.xx and 5.xx; one of 3.xx is read and means nothing."""
CREATED, VALID, CONTENT, CONTINUE = 0x41, 0x43, 0x45, 0x5F
BAD_REQUEST, BAD_OPTION, INCOMPLETE, TOO_LARGE = 0x80, 0x82, 0x88, 0x8D
PROXYING_NOT_SUPPORTED = 0xA5
CSM, PING, PONG, RELEASE, ABORT = 0xE1, 0xE2, 0xE3, 0xE4, 0xE5
"""Signals on a stream."""
