"""Record protection with an AEAD: AES-CCM (RFC 6655), AES-GCM (RFC 5288), with a CID (RFC 9146) or without.

Both classes protect epoch 1, the only epoch after a handshake that this room knows: renegotiation is refused.
The explicit nonce is the epoch and sequence number, so a sequence number may never be used twice for a key.
"""

from __future__ import annotations

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESCCM, AESGCM

from dtls.errors import RecordRejected
from dtls.prf import Direction

EPOCH_ONE = 1 << 48
EXPLICIT_NONCE = 8
TLS12_CID = 25
VERSION = b"\xfe\xfd"
HEADER = 13

CID_PREAMBLE = b"\xff" * 8 + bytes([TLS12_CID])


def cid_additional_data(cid: bytes, number: bytes, inner_length: int) -> bytes:
    """RFC 9146 section 5.3; `number` is epoch and sequence number, eight bytes as on the wire."""
    return b"".join(
        (CID_PREAMBLE, bytes([len(cid), TLS12_CID]), VERSION, number, cid, inner_length.to_bytes(2, "big"))
    )


class AeadSealer:
    """Protects what we send."""

    __slots__ = ("_cid", "_encrypt", "_fixed_iv", "_prefix")

    def __init__(self, cipher: AESCCM | AESGCM, keys: Direction, cid: bytes) -> None:
        self._encrypt = cipher.encrypt
        self._fixed_iv = keys.fixed_iv
        self._cid = cid
        self._prefix = CID_PREAMBLE + bytes([len(cid), TLS12_CID]) + VERSION if cid else b""

    def seal(self, kind: int, plaintext: bytes, sequence: int) -> bytes:
        """The whole record of epoch 1 with this sequence number."""
        number = (EPOCH_ONE | sequence).to_bytes(8, "big")
        cid = self._cid
        if cid:
            inner = plaintext + kind.to_bytes(1, "big")
            additional = self._prefix + number + cid + len(inner).to_bytes(2, "big")
            sealed = self._encrypt(self._fixed_iv + number, inner, additional)
            length = (len(sealed) + EXPLICIT_NONCE).to_bytes(2, "big")
            return b"\x19\xfe\xfd" + number + cid + length + number + sealed
        header = kind.to_bytes(1, "big") + VERSION
        additional = number + header + len(plaintext).to_bytes(2, "big")
        sealed = self._encrypt(self._fixed_iv + number, plaintext, additional)
        return header + number + (len(sealed) + EXPLICIT_NONCE).to_bytes(2, "big") + number + sealed


class AeadOpener:
    """Checks and decrypts what we receive."""

    __slots__ = ("_body", "_cid", "_decrypt", "_fixed_iv", "_overhead", "_prefix")

    def __init__(self, cipher: AESCCM | AESGCM, keys: Direction, cid: bytes, tag_length: int) -> None:
        self._decrypt = cipher.decrypt
        self._fixed_iv = keys.fixed_iv
        self._cid = cid
        self._prefix = CID_PREAMBLE + bytes([len(cid), TLS12_CID]) + VERSION if cid else b""
        self._body = HEADER + len(cid)
        self._overhead = self._body + EXPLICIT_NONCE + tag_length

    def open(self, record: bytes) -> tuple[int, bytes]:
        """The true content type and the plaintext of a whole record. Raises `RecordRejected`.

        The caller has matched the record's CID (or its lack of one) to this session.
        """
        length = len(record) - self._overhead
        if length < 0:
            raise RecordRejected("shorter than its own overhead")
        body = self._body
        start = body + EXPLICIT_NONCE
        nonce = self._fixed_iv + record[body:start]
        cid = self._cid
        try:
            if not cid:
                additional = record[3:11] + record[:3] + length.to_bytes(2, "big")
                return record[0], self._decrypt(nonce, record[start:], additional)
            additional = self._prefix + record[3:11] + cid + length.to_bytes(2, "big")
            return unpad(self._decrypt(nonce, record[start:], additional))
        except InvalidTag:
            raise RecordRejected("bad tag") from None


def unpad(inner: bytes) -> tuple[int, bytes]:
    """DTLSInnerPlaintext (RFC 9146 section 4): content, its type, zeros."""
    if inner and inner[-1]:
        return inner[-1], inner[:-1]
    stripped = inner.rstrip(b"\0")
    if not stripped:
        raise RecordRejected("an inner plaintext without a type")
    return stripped[-1], stripped[:-1]
