"""Record protection with AES-CBC and HMAC-SHA256: MAC-then-encrypt (RFC 5246), encrypt-then-MAC (RFC 7366).

LwM2M makes TLS_PSK_WITH_AES_128_CBC_SHA256 mandatory for a server. Encrypt-then-MAC is taken whenever the
peer offers it. Without it the MAC must be computed over what an attacker can partly choose the padding of:
`_separate` keeps to RFC 5246 section 6.2.3.2 (a MAC is always computed, one indistinct rejection) and hashes
the blocks that a longer padding saved, so that the amount of hashing does not tell the padding (Lucky 13).
Python is not a constant-time language; what is left is far below the noise of a network, and an operator who
does not want it at all leaves this suite out.
"""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Callable

from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes

from dtls.aead import CID_PREAMBLE, EPOCH_ONE, HEADER, TLS12_CID, VERSION, unpad
from dtls.errors import RecordRejected
from dtls.prf import Direction

BLOCK = 16
MAC_LENGTH = 32
SHA256_BLOCK = 64


def authenticated(cid: bytes, head: bytes, length: int) -> bytes:
    """What precedes the covered bytes in the MAC: RFC 6347 4.1.2.1, RFC 9146 sections 5.1 and 5.2.

    `head` is the first eleven bytes of the record: type, version, epoch, sequence number.
    """
    if cid:
        return b"".join(
            (CID_PREAMBLE, bytes([len(cid), TLS12_CID]), head[1:11], cid, length.to_bytes(2, "big"))
        )
    return head[3:11] + head[:3] + length.to_bytes(2, "big")


class CbcSealer:
    """Protects what we send; the IV must be unpredictable, so it is drawn, never counted."""

    __slots__ = ("_cid", "_keys", "_mac_last", "_random")

    def __init__(self, keys: Direction, cid: bytes, mac_last: bool, random: Callable[[int], bytes]) -> None:
        self._keys = keys
        self._cid = cid
        self._mac_last = mac_last
        self._random = random

    def seal(self, kind: int, plaintext: bytes, sequence: int) -> bytes:
        """The whole record of epoch 1 with this sequence number."""
        cid = self._cid
        outer = TLS12_CID if cid else kind
        if cid:
            plaintext += kind.to_bytes(1, "big")
        head = outer.to_bytes(1, "big") + VERSION + (EPOCH_ONE | sequence).to_bytes(8, "big")
        mac_key = self._keys.mac_key
        if not self._mac_last:
            covered = authenticated(cid, head, len(plaintext)) + plaintext
            plaintext += hmac.digest(mac_key, covered, "sha256")
        padding = BLOCK - 1 - len(plaintext) % BLOCK
        iv = self._random(BLOCK)
        encryptor = Cipher(algorithms.AES(self._keys.key), modes.CBC(iv)).encryptor()
        body = iv + encryptor.update(plaintext + bytes([padding]) * (padding + 1)) + encryptor.finalize()
        if self._mac_last:
            # RFC 9146 5.2 and RFC 7366 3: the length is that of what the MAC covers here, IV included.
            body += hmac.digest(mac_key, authenticated(cid, head, len(body)) + body, "sha256")
        return head + cid + len(body).to_bytes(2, "big") + body


class CbcOpener:
    """Checks and decrypts what we receive."""

    __slots__ = ("_cid", "_keys", "_mac_last")

    def __init__(self, keys: Direction, cid: bytes, mac_last: bool) -> None:
        self._keys = keys
        self._cid = cid
        self._mac_last = mac_last

    def open(self, record: bytes) -> tuple[int, bytes]:
        """The true content type and the plaintext of a whole record. Raises `RecordRejected`."""
        head = record[:11]
        body = record[HEADER + len(self._cid) :]
        if self._mac_last:
            if len(body) < 2 * BLOCK + MAC_LENGTH:
                raise RecordRejected("shorter than its own overhead")
            body, mac = body[:-MAC_LENGTH], body[-MAC_LENGTH:]
            covered = authenticated(self._cid, head, len(body)) + body
            if not hmac.compare_digest(mac, hmac.digest(self._keys.mac_key, covered, "sha256")):
                raise RecordRejected("bad MAC")
        if len(body) % BLOCK or len(body) < 2 * BLOCK:
            raise RecordRejected("not whole blocks")
        decryptor = Cipher(algorithms.AES(self._keys.key), modes.CBC(body[:BLOCK])).decryptor()
        padded = decryptor.update(body[BLOCK:]) + decryptor.finalize()
        if self._mac_last:
            padding = padded[-1]
            if padding >= len(padded) or padded[-padding - 1 :] != bytes([padding]) * (padding + 1):
                raise RecordRejected("bad padding under a good MAC")
            content = padded[: -padding - 1]
        else:
            content = self._separate(padded, head)
        return unpad(content) if self._cid else (record[0], content)

    def _separate(self, padded: bytes, head: bytes) -> bytes:
        """Padding and MAC taken off by RFC 5246 section 6.2.3.2, the same work for every padding."""
        if len(padded) < MAC_LENGTH + BLOCK:
            raise RecordRejected("shorter than its own overhead")
        padding = padded[-1]
        fits = padding + 1 + MAC_LENGTH <= len(padded)
        padding = padding if fits else 0
        good_padding = hmac.compare_digest(padded[-padding - 1 :], bytes([padding]) * (padding + 1))
        padding = padding if good_padding else 0
        content = padded[: -padding - 1 - MAC_LENGTH]
        mac = padded[len(content) : len(content) + MAC_LENGTH]
        covered = authenticated(self._cid, head, len(content)) + content
        good_mac = hmac.compare_digest(mac, hmac.digest(self._keys.mac_key, covered, "sha256"))
        longest = len(covered) + padding
        saved = _compressions(longest) - _compressions(len(covered))
        hashlib.sha256(bytes(saved * SHA256_BLOCK)).digest()
        if not (fits and good_padding and good_mac):
            raise RecordRejected("bad record")
        return content


def _compressions(length: int) -> int:
    """SHA-256 blocks of an inner HMAC hash over `length` bytes: the key block, the data, 9 bytes of end."""
    return (SHA256_BLOCK + length + 9 + SHA256_BLOCK - 1) // SHA256_BLOCK
