"""What an endpoint tells whoever drives it."""

from __future__ import annotations

from collections.abc import Hashable
from dataclasses import dataclass

from coap.calls import Call
from coap.deliveries import Delivery
from coap.duplicates import Seen
from coap.errors import Failed
from coap.message import Response
from coap.requests import Asked, Fault


@dataclass(frozen=True, slots=True)
class Finished:
    """A request of ours ended."""

    call: Call
    outcome: Response | Failed


@dataclass(frozen=True, slots=True)
class Progress:
    """A block of a request of ours was answered, and the next one left."""

    call: Call


@dataclass(frozen=True, slots=True)
class Notified:
    """A response that nobody waits for: a notification, or a stray. To be accepted, rejected or forgotten, once."""

    peer: Hashable
    is_confirmable: bool
    mid: int
    token: bytes
    response: Response
    seen: Seen | None = None


@dataclass(frozen=True, slots=True)
class Delivered:
    """A notification or a separate answer of ours arrived, or `failed`."""

    delivery: Delivery
    failed: Failed | None = None


@dataclass(frozen=True, slots=True)
class Continued:
    """A part of a request came or a part of an answer was fetched, and was answered here."""

    peer: Hashable


@dataclass(frozen=True, slots=True)
class Refused:
    """A request was answered with the error `code` before anybody looked at what it asks for."""

    peer: Hashable
    code: int
    fault: Fault
    detail: str


@dataclass(frozen=True, slots=True)
class Rejected:
    """A message that makes no sense was thrown away, with a reset if it was confirmable (RFC 7252 section 4.2).

    On a stream nothing makes sense after it (RFC 8323 section 3.4).
    """

    peer: Hashable
    detail: str


@dataclass(frozen=True, slots=True)
class Repeated:
    """A message came again, and was answered as before."""

    peer: Hashable


@dataclass(frozen=True, slots=True)
class Empty:
    """An empty ACK or RST came: the peer is there, whatever it was about."""

    peer: Hashable


Event = Asked | Notified | Finished | Progress | Delivered | Continued | Refused | Rejected | Repeated | Empty
