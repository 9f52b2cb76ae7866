"""The frame around everything: records of DTLS 1.2 (RFC 6347 section 4.1) and of RFC 9146 section 4."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

CHANGE_CIPHER_SPEC = 20
ALERT = 21
HANDSHAKE = 22
APPLICATION_DATA = 23
TLS12_CID = 25

HEADER = 13
VERSION_MAJOR = 0xFE
DTLS_1_0 = b"\xfe\xff"
DTLS_1_2 = b"\xfe\xfd"

MAX_PLAINTEXT = 1 << 14  # RFC 6347 section 4.1
MAX_FRAGMENT = MAX_PLAINTEXT + 2048  # RFC 5246 section 6.2.3
MAX_RECORDS = 32  # in one datagram; a flight of ours or of any client seen has fewer than ten
MAX_SEQUENCE = (1 << 48) - 1


class Record(NamedTuple):
    """One record as it stood in a datagram."""

    kind: int
    version: bytes
    epoch: int
    sequence: int
    cid: bytes
    fragment: bytes
    whole: bytes


def split(datagram: bytes, cid_length: int) -> Iterator[Record]:
    """The records of a datagram, up to the first that is no record (RFC 6347 4.1.2.7: dropped silently).

    `cid_length` is that of the CIDs we hand out; RFC 9146 leaves it to the receiver to know.
    """
    start, size = 0, len(datagram)
    for _ in range(MAX_RECORDS):
        if size - start < HEADER or datagram[start + 1] != VERSION_MAJOR:
            return
        kind = datagram[start]
        body = start + HEADER
        if kind == TLS12_CID:
            body += cid_length
        length = int.from_bytes(datagram[body - 2 : body], "big")
        end = body + length
        if body > size or end > size or length > MAX_FRAGMENT:
            return
        yield Record(
            kind,
            datagram[start + 1 : start + 3],
            int.from_bytes(datagram[start + 3 : start + 5], "big"),
            int.from_bytes(datagram[start + 5 : start + 11], "big"),
            datagram[start + 11 : body - 2],
            datagram[body:end],
            datagram[start:end],
        )
        start = end


def plain(kind: int, version: bytes, sequence: int, fragment: bytes, epoch: int = 0) -> bytes:
    """A record without protection."""
    return b"".join(
        (
            kind.to_bytes(1, "big"),
            version,
            epoch.to_bytes(2, "big"),
            sequence.to_bytes(6, "big"),
            len(fragment).to_bytes(2, "big"),
            fragment,
        )
    )
