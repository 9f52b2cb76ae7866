"""From a payload to short messages that can carry it, and from a received one to its part of a payload."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum
from typing import TypeVar

from smpp import parameters, times, udh
from smpp.addresses import Address
from smpp.errors import Malformed, NotBinary, TooLong
from smpp.parameters import Tag
from smpp.pdus import Carrier, DataSm, DeliverSm, SubmitSm
from smpp.status import Status
from smpp.udh import COAP, MAX_PARTS, MAX_USER_DATA, NO_HEADER, Concat, Header, Ports

BINARY = 0x04
"""data_coding of 8-bit binary (5.2.19); TP-DCS 0x04 of 3GPP TS 23.038 section 4 is the same number."""

UDHI = 0x40
RECEIPT, INTERMEDIATE = 0x04, 0x20
_MESSAGE_TYPE = 0x3C
_OWN_BINARY = frozenset({0x02, BINARY})
_OWN_CODINGS = 0x10
_GENERAL_CODINGS = 0x80
MAX_PAYLOAD = MAX_PARTS * (MAX_USER_DATA - 13)


class Addressing(Enum):
    """How ports and numbering travel: in the user data itself, or in optional parameters for the SMSC to write."""

    UDH = "udh"
    TLV = "tlv"


@dataclass(frozen=True, slots=True)
class Part:
    """What one SMS carries. ``concat`` None: the payload is whole."""

    payload: bytes
    ports: Ports | None = None
    concat: Concat | None = None


Message = TypeVar("Message", SubmitSm, DeliverSm)


def split(payload: bytes, *, reference: int = 0, ports: Ports | None = COAP) -> tuple[Part, ...]:
    """Cut a payload into parts that fit 140 bytes with their header. Raises `TooLong` (above 255 parts).

    ``reference`` (0 to 65535) tells this message from others to the same number; one part does not need it.
    """
    if len(payload) <= MAX_USER_DATA - len(udh.encode(Header(ports))):
        return (Part(payload, ports),)
    room = MAX_USER_DATA - len(udh.encode(Header(ports, Concat(reference, 1, 1))))
    total = -(-len(payload) // room)
    if total > MAX_PARTS:
        raise TooLong(f"{len(payload)} bytes would need {total} parts")
    cuts = [payload[at : at + room] for at in range(0, len(payload), room)]
    return tuple(Part(cut, ports, Concat(reference, total, number)) for number, cut in enumerate(cuts, 1))


def submit_sm(
    part: Part,
    *,
    source: Address,
    destination: Address,
    addressing: Addressing = Addressing.UDH,
    wants_receipt: bool = False,
    validity_seconds: float | None = None,
) -> SubmitSm:
    """The submit_sm of a part, as 8-bit binary. Raises `TooLong`."""
    validity = "" if validity_seconds is None else times.relative(validity_seconds)
    return _message(SubmitSm, part, source, destination, addressing, int(wants_receipt), validity)


def deliver_sm(
    part: Part, *, source: Address, destination: Address, addressing: Addressing = Addressing.UDH
) -> DeliverSm:
    """The deliver_sm of a part, as an SMSC sends it. Raises `TooLong`."""
    return _message(DeliverSm, part, source, destination, addressing, 0, "")


def is_binary(data_coding: int) -> bool:
    """Whether these are 8-bit data, by whichever of the names that they have.

    SMPP's own numbers end where those of GSM begin (5.2.19): below, two of them are "octet unspecified". Above, the
    alphabet stands in bits 3 and 2 of the general and the automatic deletion groups (3GPP TS 23.038 section 4:
    01 is 8-bit data, whatever class and compression say), and in bit 2 of the group of data coding and class.
    """
    if data_coding < _OWN_CODINGS:
        return data_coding in _OWN_BINARY
    if data_coding < _GENERAL_CODINGS:
        return data_coding & 0x0C == 0x04
    return data_coding & 0xF4 == 0xF4


def part_of(body: Carrier) -> Part:
    """What a received message carries. Raises `NotBinary` and `Malformed`.

    Header, optional parameters or both may tell ports and numbering; the header in the user data wins.
    """
    if not is_binary(body.data_coding):
        raise NotBinary(f"data_coding 0x{body.data_coding:02X} is not 8-bit binary")
    header, payload = NO_HEADER, user_data(body)
    if body.esm_class & UDHI:
        header, payload = udh.decode(payload)
    told = body.parameters
    return Part(payload, header.ports or _told_ports(told), header.concat or _told_concat(told))


def user_data(body: Carrier) -> bytes:
    """The bytes of a message, from whichever place they travel in. Raises `Malformed` for two that differ.

    An empty message_payload beside a short_message says nothing (5.3.2.32).
    """
    within = b"" if isinstance(body, DataSm) else body.short_message
    beside = body.parameters.get(Tag.MESSAGE_PAYLOAD, b"")
    if not beside or beside == within:
        return within
    if within:
        raise Malformed("short_message and message_payload exclude each other", Status.OPTPARNOTALLWD)
    return beside


def is_receipt(body: Carrier) -> bool:
    """Whether this is a delivery receipt of the SMSC, not a message of a device (5.2.12)."""
    return body.esm_class & _MESSAGE_TYPE == RECEIPT


def is_intermediate(body: Carrier) -> bool:
    """Whether the SMSC says how the delivery goes meanwhile: nothing that is final, and nothing of a device."""
    return body.esm_class & _MESSAGE_TYPE == INTERMEDIATE


def _message(
    kind: type[Message],
    part: Part,
    source: Address,
    destination: Address,
    addressing: Addressing,
    registered_delivery: int,
    validity: str,
) -> Message:
    header = udh.encode(Header(part.ports, part.concat)) if addressing is Addressing.UDH else b""
    return kind(
        source=source,
        destination=destination,
        short_message=header + part.payload,
        esm_class=UDHI if header else 0,
        data_coding=BINARY,
        registered_delivery=registered_delivery,
        validity_period=validity,
        parameters=_telling(part) if addressing is Addressing.TLV else {},
    )


def _telling(part: Part) -> dict[int, bytes]:
    told: dict[int, bytes] = {}
    if part.ports is not None:
        told[Tag.SOURCE_PORT] = part.ports.source.to_bytes(2, "big")
        told[Tag.DESTINATION_PORT] = part.ports.destination.to_bytes(2, "big")
    if part.concat is not None:
        told[Tag.SAR_MSG_REF_NUM] = part.concat.reference.to_bytes(2, "big")
        told[Tag.SAR_TOTAL_SEGMENTS] = bytes((part.concat.total,))
        told[Tag.SAR_SEGMENT_SEQNUM] = bytes((part.concat.number,))
    return told


def _told_ports(told: Mapping[int, bytes]) -> Ports | None:
    destination = parameters.number(told, Tag.DESTINATION_PORT, size=2)
    source = parameters.number(told, Tag.SOURCE_PORT, size=2)
    return None if destination is None else Ports(destination, destination if source is None else source)


def _told_concat(told: Mapping[int, bytes]) -> Concat | None:
    reference = parameters.number(told, Tag.SAR_MSG_REF_NUM, size=2)
    total = parameters.number(told, Tag.SAR_TOTAL_SEGMENTS, size=1)
    number = parameters.number(told, Tag.SAR_SEGMENT_SEQNUM, size=1)
    if reference is None or total is None or number is None:
        return None  # 5.3.2.22: without the two others a parameter of the three is ignored
    return udh.numbering(reference, total, number)
