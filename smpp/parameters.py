"""Optional parameters: tag, length, value (SMPP 3.4 section 5.3). Unknown tags are kept, not judged."""

from __future__ import annotations

from collections.abc import Mapping
from enum import IntEnum

from smpp.errors import Malformed, TooLong
from smpp.fields import Reader
from smpp.status import Status

Parameters = Mapping[int, bytes]
MAX_PARAMETERS = 64


class Tag(IntEnum):
    """The tags that this room gives a meaning to."""

    PAYLOAD_TYPE = 0x0019
    ADDITIONAL_STATUS_INFO_TEXT = 0x001D
    RECEIPTED_MESSAGE_ID = 0x001E
    USER_MESSAGE_REFERENCE = 0x0204
    SOURCE_PORT = 0x020A
    DESTINATION_PORT = 0x020B
    SAR_MSG_REF_NUM = 0x020C
    SC_INTERFACE_VERSION = 0x0210
    SAR_TOTAL_SEGMENTS = 0x020E
    SAR_SEGMENT_SEQNUM = 0x020F
    MS_AVAILABILITY_STATUS = 0x0422
    NETWORK_ERROR_CODE = 0x0423
    MESSAGE_PAYLOAD = 0x0424
    MESSAGE_STATE = 0x0427


def decode(octets: bytes) -> dict[int, bytes]:
    """Raises `Malformed`. Of a tag that is there twice the first counts.

    Some ESMEs write a NUL after short_message that its length does not count; so few NULs are no parameter.
    """
    if len(octets) < 4 and not any(octets):
        return {}
    reader, found = Reader(octets), dict[int, bytes]()
    count = 0
    while reader.left:
        count += 1
        if count > MAX_PARAMETERS or reader.left < 4:
            raise Malformed("the optional parameters do not end where they should", Status.INVOPTPARSTREAM)
        tag, length = reader.integer(2), reader.integer(2)
        if length > reader.left:
            raise Malformed(f"optional parameter 0x{tag:04X} is cut off", Status.INVOPTPARSTREAM)
        found.setdefault(tag, reader.octets(length))
    return found


def encode(parameters: Parameters) -> bytes:
    """Raises `TooLong`."""
    written = bytearray()
    for tag, value in parameters.items():
        if len(value) > 0xFFFF:
            raise TooLong(f"optional parameter 0x{tag:04X} holds 65535 bytes")
        written += tag.to_bytes(2, "big") + len(value).to_bytes(2, "big") + value
    return bytes(written)


def number(parameters: Parameters, tag: Tag, *, size: int) -> int | None:
    """The integer under a tag; None when there is none. Raises `Malformed` for one of another size."""
    value = parameters.get(tag)
    if value is None:
        return None
    if len(value) != size:
        raise Malformed(f"{tag.name.lower()} must have {size} bytes, not {len(value)}", Status.INVOPTPARAMVAL)
    return int.from_bytes(value, "big")


def text(parameters: Parameters, tag: Tag) -> str | None:
    """The C-Octet String under a tag, with or without its NUL; None when there is none."""
    value = parameters.get(tag)
    return None if value is None else value.split(b"\0", 1)[0].decode("latin-1")
