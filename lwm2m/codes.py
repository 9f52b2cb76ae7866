"""CoAP method and response codes and the content formats LwM2M uses, as numbers with names.

Sources: `RFC 7252 section 12.1`, `RFC 8132 section 6`, `RFC 7959`, IANA "CoRE Parameters" and
`OMA-TS-LightweightM2M_Core 7.4`.
"""

from __future__ import annotations

from enum import IntEnum


class Code(IntEnum):
    """A CoAP code in its byte form: class in the upper three bits, detail in the lower five."""

    EMPTY = 0x00
    GET = 0x01
    POST = 0x02
    PUT = 0x03
    DELETE = 0x04
    FETCH = 0x05
    PATCH = 0x06
    IPATCH = 0x07

    CREATED = 0x41
    DELETED = 0x42
    VALID = 0x43
    CHANGED = 0x44
    CONTENT = 0x45
    CONTINUE = 0x5F

    BAD_REQUEST = 0x80
    UNAUTHORIZED = 0x81
    BAD_OPTION = 0x82
    FORBIDDEN = 0x83
    NOT_FOUND = 0x84
    METHOD_NOT_ALLOWED = 0x85
    NOT_ACCEPTABLE = 0x86
    REQUEST_ENTITY_INCOMPLETE = 0x88
    CONFLICT = 0x89
    PRECONDITION_FAILED = 0x8C
    REQUEST_ENTITY_TOO_LARGE = 0x8D
    UNSUPPORTED_CONTENT_FORMAT = 0x8F
    UNPROCESSABLE_ENTITY = 0x96
    TOO_MANY_REQUESTS = 0x9D

    INTERNAL_SERVER_ERROR = 0xA0
    NOT_IMPLEMENTED = 0xA1
    BAD_GATEWAY = 0xA2
    SERVICE_UNAVAILABLE = 0xA3
    GATEWAY_TIMEOUT = 0xA4
    PROXYING_NOT_SUPPORTED = 0xA5

    @property
    def dotted(self) -> str:
        """The code as the standard writes it, for example ``"4.04"``."""
        return dotted(self)

    @property
    def is_request(self) -> bool:
        return 0x01 <= self <= 0x1F

    @property
    def is_success(self) -> bool:
        """True for class 2, which includes 2.31 Continue."""
        return self >> 5 == 2


def dotted(code: int) -> str:
    """Write any code byte as ``class.detail``, also one that has no name here."""
    return f"{code >> 5}.{code & 0x1F:02d}"


class ContentFormat(IntEnum):
    """Content-Format and Accept numbers, with the two pre-standard numbers old 1.0 clients still send."""

    TEXT = 0
    LINK = 40
    OPAQUE = 42
    CBOR = 60
    SENML_JSON = 110
    SENML_CBOR = 112
    SENML_ETCH_JSON = 320
    SENML_ETCH_CBOR = 322
    TLV_LEGACY = 1542
    JSON_LEGACY = 1543
    TLV = 11542
    JSON = 11543
    LWM2M_CBOR = 11544
