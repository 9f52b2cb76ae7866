"""A DTLS 1.2 client for plain PSK without OpenSSL: what a device may send that no library here would.

It is also a second opinion on keys and Finished: the transcript, the secrets and the record protection are
put together here from the RFCs.
"""

from __future__ import annotations

import hashlib

from cryptography.hazmat.primitives.ciphers.aead import AESCCM

from dtls import prf

RANDOM = bytes(range(100, 132))
CCM8 = b"\xc0\xa8"


def record(kind: int, sequence: int, body: bytes, epoch: int = 0) -> bytes:
    head = bytes([kind]) + b"\xfe\xfd" + epoch.to_bytes(2, "big") + sequence.to_bytes(6, "big")
    return head + len(body).to_bytes(2, "big") + body


def message(kind: int, sequence: int, body: bytes) -> bytes:
    size = len(body).to_bytes(3, "big")
    return bytes([kind]) + size + sequence.to_bytes(2, "big") + bytes(3) + size + body


def pieces(whole: bytes, size: int) -> list[bytes]:
    """A whole handshake message in fragments."""
    head, body = whole[:6], whole[12:]
    return [
        head + at.to_bytes(3, "big") + len(body[at : at + size]).to_bytes(3, "big") + body[at : at + size]
        for at in range(0, len(body), size)
    ]


class Handmade:
    """One handshake with TLS_PSK_WITH_AES_128_CCM_8, step by step."""

    def __init__(self, identity: bytes, key: bytes, extensions: bytes = b"") -> None:
        self.identity, self.key, self.extensions = identity, key, extensions
        self.transcript = b""
        self.master = b""
        self.keys: tuple[prf.Direction, prf.Direction] | None = None

    def hello(self, cookie: bytes = b"", sequence: int = 0) -> bytes:
        body = b"\xfe\xfd" + RANDOM + b"\0" + bytes([len(cookie)]) + cookie
        body += b"\0\x02" + CCM8 + b"\x01\0" + self.extensions
        whole = message(1, sequence, body)
        if cookie:
            self.transcript = whole
        return whole

    def cookie_in(self, datagram: bytes) -> bytes:
        body = datagram[25:]
        return body[3 : 3 + body[2]]

    def flight_in(self, datagram: bytes) -> None:
        """ServerHello and ServerHelloDone, each whole in a record."""
        self.server_random = datagram[27:59]
        while datagram:
            end = 13 + int.from_bytes(datagram[11:13], "big")
            self.transcript += datagram[13:end]
            datagram = datagram[end:]

    def key_exchange(self, sequence: int = 2) -> bytes:
        whole = message(16, sequence, len(self.identity).to_bytes(2, "big") + self.identity)
        self.transcript += whole
        # RFC 4279 section 2: uint16(N) || N zeros || uint16(N) || PSK.
        size = len(self.key).to_bytes(2, "big")
        self.master = prf.expand(
            size + bytes(len(self.key)) + size + self.key, b"master secret", RANDOM + self.server_random, 48
        )
        block = prf.key_block(self.master, RANDOM, self.server_random, 40)
        self.keys = prf.partition(block, 0, 16, 4)
        return whole

    def finished(self, sequence: int = 3, label: bytes = b"client finished") -> bytes:
        digest = hashlib.sha256(self.transcript).digest()
        return message(20, sequence, prf.expand(self.master, label, digest, 12))

    def seal(self, kind: int, plaintext: bytes, sequence: int) -> bytes:
        assert self.keys is not None
        number = (1 << 48 | sequence).to_bytes(8, "big")
        head = number + bytes([kind]) + b"\xfe\xfd" + len(plaintext).to_bytes(2, "big")
        sealed = AESCCM(self.keys[0].key, 8).encrypt(self.keys[0].fixed_iv + number, plaintext, head)
        return record(kind, sequence, number + sealed, epoch=1)

    def open(self, datagram: bytes) -> bytes:
        assert self.keys is not None
        keys, number, body = self.keys[1], datagram[13:21], datagram[21:]
        head = datagram[3:11] + datagram[:3] + (len(body) - 8).to_bytes(2, "big")
        return AESCCM(keys.key, 8).decrypt(keys.fixed_iv + number, body, head)
