"""Handshake messages that we must read or write ourselves; every other one is OpenSSL's business.

We read the hellos (cookie, randoms, suite, CID) and the plaintext ClientKeyExchange of plain PSK (RFC 4279
section 2), whose identity names the key to look up; we write HelloVerifyRequest (RFC 6347 section 4.2.1).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

from dtls.errors import Malformed
from dtls.records import DTLS_1_0, MAX_PLAINTEXT

CLIENT_HELLO = 1
SERVER_HELLO = 2
HELLO_VERIFY_REQUEST = 3
CLIENT_KEY_EXCHANGE = 16
FINISHED = 20

HEADER = 12
MAX_FRAGMENT_LENGTH = 1  # RFC 6066 section 4
ENCRYPT_THEN_MAC = 22
CONNECTION_ID = 54  # RFC 9146 section 3


class Fragment(NamedTuple):
    """A handshake fragment with its header taken apart (RFC 6347 section 4.2.2)."""

    kind: int
    length: int
    sequence: int
    offset: int
    body: bytes


class Message(NamedTuple):
    """A whole handshake message."""

    kind: int
    sequence: int
    body: bytes

    def whole(self) -> bytes:
        """The message as one fragment, the form that the transcript hashes (RFC 6347 section 4.2.6)."""
        return fragment_of(self, 0, len(self.body))


def fragment_of(message: Message, offset: int, length: int) -> bytes:
    """`length` bytes of a message from `offset`, with their header."""
    return b"".join(
        (
            message.kind.to_bytes(1, "big"),
            len(message.body).to_bytes(3, "big"),
            message.sequence.to_bytes(2, "big"),
            offset.to_bytes(3, "big"),
            length.to_bytes(3, "big"),
            message.body[offset : offset + length],
        )
    )


def fragments(payload: bytes) -> list[Fragment]:
    """The fragments in a handshake record. Raises `Malformed`."""
    found = []
    if not payload:
        raise Malformed("an empty handshake record")
    while payload:
        if len(payload) < HEADER:
            raise Malformed("a handshake header cut short")
        length = int.from_bytes(payload[1:4], "big")
        offset = int.from_bytes(payload[6:9], "big")
        size = int.from_bytes(payload[9:12], "big")
        if offset + size > length or HEADER + size > len(payload):
            raise Malformed("a fragment outside its message")
        sequence = int.from_bytes(payload[4:6], "big")
        found.append(Fragment(payload[0], length, sequence, offset, payload[HEADER : HEADER + size]))
        payload = payload[HEADER + size :]
    return found


class Reader:
    """Vectors of RFC 5246 section 4.3, one after the other. Raises `Malformed` at a short end."""

    __slots__ = ("_at", "_bytes")

    def __init__(self, body: bytes) -> None:
        self._bytes = body
        self._at = 0

    def take(self, size: int) -> bytes:
        """The next `size` bytes."""
        end = self._at + size
        if end > len(self._bytes):
            raise Malformed("a vector cut short")
        taken = self._bytes[self._at : end]
        self._at = end
        return taken

    def vector(self, prefix: int) -> bytes:
        """A vector with a length of `prefix` bytes in front."""
        return self.take(int.from_bytes(self.take(prefix), "big"))

    def rest(self) -> bytes:
        """Whatever is left."""
        return self.take(len(self._bytes) - self._at)


@dataclass(frozen=True, slots=True)
class ClientHello:
    """What the cookie covers, and what we must know of it."""

    random: bytes
    cookie: bytes
    covered: bytes  # everything but cookie and extensions: RFC 6347 4.2.1
    cid: bytes | None


@dataclass(frozen=True, slots=True)
class ServerHello:
    """What decides the record protection."""

    random: bytes
    suite: int
    cid: bytes | None
    encrypt_then_mac: bool
    max_fragment: int


def client_hello(body: bytes) -> ClientHello:
    """RFC 6347 section 4.2.1. Raises `Malformed`."""
    reader = Reader(body)
    random, cookie, covered = _hello_head(reader)
    return ClientHello(random, cookie, covered, _cid(extensions(reader.rest())))


def client_hello_head(body: bytes) -> tuple[bytes, bytes]:
    """Cookie, and what it covers, of a ClientHello whose end may be missing. Raises `Malformed`."""
    return _hello_head(Reader(body))[1:]


def _hello_head(reader: Reader) -> tuple[bytes, bytes, bytes]:
    """Random, cookie, and what the cookie covers: all in front of the extensions."""
    version, random = reader.take(2), reader.take(32)
    session_id, cookie = reader.vector(1), reader.vector(1)
    suites, compressions = reader.vector(2), reader.vector(1)
    covered = b"".join((version, random, bytes([len(session_id)]), session_id, suites, compressions))
    return random, cookie, covered


def server_hello(body: bytes) -> ServerHello:
    """RFC 5246 section 7.4.1.3. Raises `Malformed`."""
    reader = Reader(body)
    reader.take(2)
    random = reader.take(32)
    reader.vector(1)
    suite = int.from_bytes(reader.take(2), "big")
    reader.take(1)
    found = extensions(reader.rest())
    return ServerHello(random, suite, _cid(found), ENCRYPT_THEN_MAC in found, _max_fragment(found))


def extensions(block: bytes) -> dict[int, bytes]:
    """RFC 5246 section 7.4.1.4; the block may be absent. Raises `Malformed`, also for one sent twice."""
    found: dict[int, bytes] = {}
    size = len(block)
    if not size:
        return found
    if size < 2 or int.from_bytes(block[:2], "big") != size - 2:
        raise Malformed("the extensions are not as long as they say")
    # Without `Reader`: every ClientHello of a flood comes through here, with a dozen extensions.
    at = 2
    while at < size:
        start = at + 4
        end = start + int.from_bytes(block[at + 2 : start], "big")
        number = int.from_bytes(block[at : at + 2], "big")
        if start > size or end > size or number in found:
            raise Malformed("an extension cut short or sent twice")
        found[number] = block[start:end]
        at = end
    return found


def _cid(found: dict[int, bytes]) -> bytes | None:
    """RFC 9146 section 3: the CID that the sender of this hello wants on records to it."""
    content = found.get(CONNECTION_ID)
    if content is None:
        return None
    reader = Reader(content)
    cid = reader.vector(1)
    if reader.rest():
        raise Malformed("bytes after the CID")
    return cid


def _max_fragment(found: dict[int, bytes]) -> int:
    """RFC 6066 section 4: 2^9 to 2^12 for the codes 1 to 4, else what a record can hold."""
    content = found.get(MAX_FRAGMENT_LENGTH)
    if content is None:
        return MAX_PLAINTEXT
    if len(content) != 1 or not 1 <= content[0] <= 4:
        raise Malformed("a maximum fragment length that there is not")
    return 1 << 8 + content[0]


def psk_identity(body: bytes) -> bytes:
    """The identity in the ClientKeyExchange of plain PSK (RFC 4279 section 2). Raises `Malformed`."""
    reader = Reader(body)
    identity = reader.vector(2)
    if reader.rest():
        raise Malformed("bytes after the identity")
    return identity


def hello_verify_request(cookie: bytes) -> Message:
    """RFC 6347 section 4.2.1, which wants DTLS 1.0's version in it whatever will be negotiated."""
    return Message(HELLO_VERIFY_REQUEST, 0, DTLS_1_0 + bytes([len(cookie)]) + cookie)
