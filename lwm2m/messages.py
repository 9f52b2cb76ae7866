"""The values a transport and the rules exchange: CoAP requests and answers, and the messages they mean."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

from lwm2m.codes import Code
from lwm2m.links import ObjectLinks

DEFAULT_LIFETIME_SECONDS = 86_400
"""`OMA-TS-LightweightM2M_Core 6.2.1`: the lifetime when ``lt`` is absent."""

MAX_LIFETIME_SECONDS = 2**32 - 1
"""136 years; anything longer is a mistake, and clients have 0 for "never expires"."""


class AnyRequest(Protocol):
    """A CoAP request as it comes from whatever message layer: what `Request` says, and `coap.Asked` too."""

    @property
    def code(self) -> int: ...
    @property
    def path(self) -> tuple[str, ...]: ...
    @property
    def query(self) -> tuple[str, ...]: ...
    @property
    def content_format(self) -> int | None: ...
    @property
    def payload(self) -> bytes: ...
    @property
    def confirmable(self) -> bool: ...
    @property
    def accept(self) -> int | None: ...
    @property
    def observe(self) -> int | None: ...


@dataclass(frozen=True, slots=True)
class Request:
    """A CoAP request without its transport: options that LwM2M uses, already split and decoded.

    ``confirmable`` is True for reliable transports, which know no message types.
    """

    code: int
    path: tuple[str, ...] = ()
    query: tuple[str, ...] = ()
    content_format: int | None = None
    payload: bytes = b""
    confirmable: bool = True
    accept: int | None = None
    observe: int | None = None


@dataclass(frozen=True, slots=True)
class Response:
    """A CoAP answer without its transport; ``location`` are Location-Path segments."""

    code: Code
    payload: bytes = b""
    content_format: int | None = None
    location: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Register:
    """``POST /rd``. ``endpoint`` is None when the client leaves it to its credentials.

    ``object_links`` is None only when ``profile_ids`` stand for it (LwM2M 1.2). ``lifetime_seconds`` 0
    means that the registration never expires. ``binding`` never carries the 1.0 letter Q.
    """

    endpoint: str | None
    lifetime_seconds: int = DEFAULT_LIFETIME_SECONDS
    version: str = "1.1"
    binding: str = "U"
    queue_mode: bool = False
    sms_number: str | None = None
    profile_ids: tuple[str, ...] = ()
    object_links: ObjectLinks | None = None
    attributes: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True, slots=True)
class Update:
    """``POST /rd/{id}``; None or an empty tuple means "as registered".

    ``binding`` is as sent (a 1.0 client may write ``UQ``): only the registered version can judge it,
    which `lwm2m.registration.update` does.
    """

    registration_id: str
    lifetime_seconds: int | None = None
    binding: str | None = None
    queue_mode: bool | None = None
    sms_number: str | None = None
    object_links: ObjectLinks | None = None
    attributes: tuple[tuple[str, str], ...] = ()
    profile_ids: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Deregister:
    """``DELETE /rd/{id}``."""

    registration_id: str


@dataclass(frozen=True, slots=True)
class Send:
    """``POST /dp``: values the device reports on its own; decode with `lwm2m.formats`."""

    content_format: int
    payload: bytes


@dataclass(frozen=True, slots=True)
class BootstrapRequest:
    """``POST /bs``; ``preferred_format`` is ``pct``, None for a client that knows only TLV (1.0)."""

    endpoint: str | None
    preferred_format: int | None = None
    attributes: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True, slots=True)
class BootstrapPackRequest:
    """``GET /bspack`` (LwM2M 1.2); ``accept`` is the format the client wants, None when it does not say."""

    endpoint: str | None
    accept: int | None = None
    attributes: tuple[tuple[str, str], ...] = ()


Message = Register | Update | Deregister | Send | BootstrapRequest | BootstrapPackRequest
