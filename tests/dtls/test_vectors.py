"""Bytes beside their source: the PRF, the AEAD nonce and additional data of each record format."""

from __future__ import annotations

import hmac

import pytest
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes
from cryptography.hazmat.primitives.ciphers.aead import AESCCM, AESGCM

from dtls import prf
from dtls.aead import AeadOpener, AeadSealer, cid_additional_data, unpad
from dtls.cbc import CbcOpener, CbcSealer
from dtls.errors import RecordRejected
from dtls.prf import Direction
from dtls.suites import DEFAULT_CIPHERS, SUITES, Security

KEYS = Direction(b"", bytes(range(16)), b"salt")
NUMBER = bytes.fromhex("0001000000000007")


def test_prf_with_sha256() -> None:
    # https://mailarchive.ietf.org/arch/msg/tls/fzVCzk-z3FShgGJ6DOXqM1ydxms/ "P_SHA256", the vector in use
    # for TLS 1.2 among implementers.
    secret = bytes.fromhex("9bbe436ba940f017b17652849a71db35")
    seed = bytes.fromhex("a0ba9f936cda311827a6f796ffd5198c")
    assert prf.expand(secret, b"test label", seed, 100).hex() == (
        "e3f229ba727be17b8d122620557cd453c2aab21d07c3d495329b52d4e61edb5a"
        "6b301791e90d35c9c9a46b4e14baf9af0fa022f7077def17abfd3797c0564bab"
        "4fbc91666e9def9b97fce34f796789baa48082d122ee42c5a72e5a5110fff701"
        "87347b66"
    )


def test_key_block_is_cut_in_the_order_of_rfc_5246_section_6_3() -> None:
    client, server = prf.partition(bytes(range(40)), 0, 16, 4)
    assert client == Direction(b"", bytes(range(16)), bytes(range(32, 36)))
    assert server == Direction(b"", bytes(range(16, 32)), bytes(range(36, 40)))
    client, server = prf.partition(bytes(range(96)), 32, 16, 0)
    assert client.mac_key == bytes(range(32))
    assert server == Direction(bytes(range(32, 64)), bytes(range(80, 96)), b"")


def test_ccm_agrees_with_rfc_3610_packet_vector_1() -> None:
    # The AEAD under RFC 6655: key, nonce of 13 bytes, eight bytes of additional data, a tag of eight bytes.
    key = bytes.fromhex("c0c1c2c3c4c5c6c7c8c9cacbcccdcecf")
    nonce = bytes.fromhex("00000003020100a0a1a2a3a4a5")
    sealed = AESCCM(key, 8).encrypt(nonce, bytes(range(8, 31)), bytes(range(8)))
    assert sealed.hex() == "588c979a61c663d2f066d0c2c0f989806d5f6b61dac38417e8d12cfdf926e0"


@pytest.mark.parametrize("tag_length", [8, 16])
def test_ccm_record_of_rfc_6655(tag_length: int) -> None:
    cipher = AESCCM(KEYS.key, tag_length)
    record = AeadSealer(cipher, KEYS, b"").seal(23, b"hello", 7)
    # RFC 6655 section 3: nonce = client_write_IV (4) || nonce_explicit (8), here epoch and sequence number.
    # RFC 5246 section 6.2.3.3: seq_num + type + version + length of the plaintext.
    additional = NUMBER + bytes.fromhex("17fefd0005")
    sealed = cipher.encrypt(b"salt" + NUMBER, b"hello", additional)
    length = (8 + len(sealed)).to_bytes(2, "big")
    assert record == bytes.fromhex("17fefd") + NUMBER + length + NUMBER + sealed
    assert AeadOpener(cipher, KEYS, b"", tag_length).open(record) == (23, b"hello")


def test_gcm_record_with_cid_of_rfc_9146() -> None:
    cipher = AESGCM(KEYS.key)
    record = AeadSealer(cipher, KEYS, b"\xc1\xd2").seal(23, b"hello", 7)
    # RFC 9146 section 5.3: seq_num_placeholder + tls12_cid + cid_length + tls12_cid + version + epoch +
    # sequence_number + cid + length_of_DTLSInnerPlaintext.
    additional = bytes.fromhex("ffffffffffffffff190219fefd") + NUMBER + bytes.fromhex("c1d20006")
    assert cid_additional_data(b"\xc1\xd2", NUMBER, 6) == additional
    sealed = cipher.encrypt(b"salt" + NUMBER, b"hello\x17", additional)
    length = (8 + len(sealed)).to_bytes(2, "big")
    assert record == bytes.fromhex("19fefd") + NUMBER + b"\xc1\xd2" + length + NUMBER + sealed
    assert AeadOpener(cipher, KEYS, b"\xc1\xd2", 16).open(record) == (23, b"hello")


@pytest.mark.parametrize(
    ("inner", "expected"),
    [(b"hello\x17", (23, b"hello")), (b"\0\0\x15\0\0\0", (21, b"\0\0")), (b"\x16", (22, b""))],
)
def test_inner_plaintext_of_rfc_9146_section_4(inner: bytes, expected: tuple[int, bytes]) -> None:
    assert unpad(inner) == expected


@pytest.mark.parametrize("inner", [b"", b"\0", b"\0\0\0"])
def test_inner_plaintext_without_a_type(inner: bytes) -> None:
    with pytest.raises(RecordRejected):
        unpad(inner)


MAC_KEYS = Direction(b"m" * 32, bytes(range(16)), b"")


@pytest.mark.parametrize(
    ("cid", "prefix"),
    [
        (b"", "000100000000000717fefd%s"),  # RFC 5246 section 6.2.3.1
        (b"\xc1", "ffffffffffffffff190119fefd0001000000000007c1%s"),  # RFC 9146 5.1, 5.2
    ],
)
@pytest.mark.parametrize("mac_last", [False, True])
def test_cbc_mac(cid: bytes, prefix: str, mac_last: bool) -> None:
    record = CbcSealer(MAC_KEYS, cid, mac_last, lambda size: bytes(size)).seal(23, b"hello", 7)
    assert CbcOpener(MAC_KEYS, cid, mac_last).open(record) == (23, b"hello")
    body = record[13 + len(cid) :]
    if mac_last:
        covered, mac = body[:-32], body[-32:]
    else:
        decryptor = Cipher(algorithms.AES(MAC_KEYS.key), modes.CBC(body[:16])).decryptor()
        padded = decryptor.update(body[16:])
        covered, mac = (b"hello\x17" if cid else b"hello"), padded[-padded[-1] - 33 : -padded[-1] - 1]
    head = bytes.fromhex(prefix % f"{len(covered):04x}")
    assert mac == hmac.digest(MAC_KEYS.mac_key, head + covered, "sha256")


@pytest.mark.parametrize("mac_last", [False, True])
def test_cbc_rejects_every_flipped_bit_and_every_cut(mac_last: bool) -> None:
    record = CbcSealer(MAC_KEYS, b"", mac_last, lambda size: bytes(size)).seal(23, b"hello" * 5, 7)
    opener = CbcOpener(MAC_KEYS, b"", mac_last)
    for at in range(13, len(record)):
        with pytest.raises(RecordRejected):
            opener.open(record[:at] + bytes([record[at] ^ 1]) + record[at + 1 :])
        with pytest.raises(RecordRejected):
            opener.open(record[:at])


@pytest.mark.parametrize("suite", SUITES, ids=DEFAULT_CIPHERS)
@pytest.mark.parametrize("cid", [b"", b"peer"])
def test_a_sealed_record_opens_only_as_itself(suite, cid: bytes) -> None:
    block = bytes(range(suite.block_length))
    security = Security(suite, block, False, True, b"", cid)
    record = security.sealer(lambda size: bytes(size)).seal(23, b"data", 5)
    assert security.opener_of(True, cid).open(record) == (23, b"data")
    for at in range(3, len(record)):
        if 11 <= at < 13 + len(cid):
            continue  # CID and length are the caller's to check: they found this record and its session
        with pytest.raises(RecordRejected):
            security.opener_of(True, cid).open(record[:at] + bytes([record[at] ^ 0x40]) + record[at + 1 :])
    with pytest.raises(RecordRejected):
        security.opener_of(False, cid).open(record)
