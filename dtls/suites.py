"""The cipher suites we speak: one line each, and how a session's keys become its record protection."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal, Protocol

from cryptography.hazmat.primitives.ciphers.aead import AESCCM, AESGCM

from dtls.aead import AeadOpener, AeadSealer
from dtls.cbc import CbcOpener, CbcSealer
from dtls.prf import Direction, partition
from dtls.records import MAX_PLAINTEXT


class Sealer(Protocol):
    """Protects the records of one direction."""

    def seal(self, kind: int, plaintext: bytes, sequence: int) -> bytes: ...


class Opener(Protocol):
    """Checks the records of one direction; raises `RecordRejected`."""

    def open(self, record: bytes) -> tuple[int, bytes]: ...


@dataclass(frozen=True, slots=True)
class Suite:
    """A cipher suite; its name is OpenSSL's, its number IANA's."""

    name: str
    number: int
    mode: Literal["ccm", "gcm", "cbc"]
    mac_length: int
    iv_length: int
    tag_length: int
    key_length: int = 16

    @property
    def block_length(self) -> int:
        """How much of the key block (RFC 5246 section 6.3) this suite takes."""
        return 2 * (self.mac_length + self.key_length + self.iv_length)


# https://www.iana.org/assignments/tls-parameters: RFC 6655 (CCM), RFC 5487 (GCM, CBC_SHA256)
SUITES = (
    Suite("PSK-AES128-CCM8", 0xC0A8, "ccm", mac_length=0, iv_length=4, tag_length=8),
    Suite("PSK-AES128-CCM", 0xC0A4, "ccm", mac_length=0, iv_length=4, tag_length=16),
    Suite("PSK-AES128-GCM-SHA256", 0x00A8, "gcm", mac_length=0, iv_length=4, tag_length=16),
    Suite("PSK-AES128-CBC-SHA256", 0x00AE, "cbc", mac_length=32, iv_length=0, tag_length=0),
)
BY_NUMBER = {suite.number: suite for suite in SUITES}
BY_NAME = {suite.name: suite for suite in SUITES}
DEFAULT_CIPHERS = tuple(suite.name for suite in SUITES)


@dataclass(frozen=True, slots=True)
class Security:
    """All that decides how a session's records are protected; what an export has to keep."""

    suite: Suite
    block: bytes
    mac_last: bool  # encrypt-then-MAC (RFC 7366), a matter of CBC only
    server: bool  # whether we are the server
    own_cid: bytes  # in the records that we receive
    peer_cid: bytes  # in the records that we send
    max_fragment: int = (
        MAX_PLAINTEXT  # bytes of plaintext in a record, as the hellos agreed (RFC 6066 section 4)
    )

    def sealer(self, random: Callable[[int], bytes]) -> Sealer:
        """Protection of the records that we send."""
        return self.sealer_of(self.server, self.peer_cid, random)

    def opener(self) -> Opener:
        """Protection of the records that we receive."""
        return self.opener_of(not self.server, self.own_cid)

    def sealer_of(self, by_server: bool, cid: bytes, random: Callable[[int], bytes]) -> Sealer:
        """A sealer in the role of either side."""
        keys = self._keys(by_server)
        if self.suite.mode == "cbc":
            return CbcSealer(keys, cid, self.mac_last, random)
        return AeadSealer(self._aead(keys), keys, cid)

    def opener_of(self, by_server: bool, cid: bytes) -> Opener:
        """An opener of what either side sealed."""
        keys = self._keys(by_server)
        if self.suite.mode == "cbc":
            return CbcOpener(keys, cid, self.mac_last)
        return AeadOpener(self._aead(keys), keys, cid, self.suite.tag_length)

    def _keys(self, by_server: bool) -> Direction:
        suite = self.suite
        return partition(self.block, suite.mac_length, suite.key_length, suite.iv_length)[by_server]

    def _aead(self, keys: Direction) -> AESCCM | AESGCM:
        if self.suite.mode == "gcm":
            return AESGCM(keys.key)
        return AESCCM(keys.key, self.suite.tag_length)
