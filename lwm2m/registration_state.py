"""The values of the registration machine: where a message came from, what stands, what a step did."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum

from lwm2m.links import ObjectLinks
from lwm2m.messages import Response

_SECURED = {"udp": False, "dtls": True, "tcp": False, "tls": True, "sms": False}


@dataclass(frozen=True, slots=True)
class Origin:
    """Where a message came from.

    ``transport`` is udp, dtls, tcp, tls or sms. ``identity`` is what the security layer authenticated,
    None for NoSec. For sms, ``host`` is the number and ``port`` 0.
    """

    host: str
    port: int
    transport: str = "udp"
    identity: str | None = None

    @property
    def is_secured(self) -> bool:
        return _SECURED.get(self.transport, False)


@dataclass(frozen=True, slots=True)
class Registration:
    """One registration; ``expires_at`` None means that it never expires (``lt=0``)."""

    registration_id: str
    endpoint: str
    version: str
    binding: str
    queue_mode: bool
    lifetime_seconds: int
    sms_number: str | None
    origin: Origin
    registered_at: float
    last_seen_at: float
    expires_at: float | None
    object_links: ObjectLinks | None = None
    attributes: tuple[tuple[str, str], ...] = ()
    profile_ids: tuple[str, ...] = ()

    def is_alive(self, *, now: float, grace_seconds: float) -> bool:
        """L-13: last update + lifetime + grace lies after ``now``."""
        return self.expires_at is None or self.expires_at + grace_seconds > now


class Change(Enum):
    """What a step did; REFRESHED is the plain lifetime refresh that nobody needs to be told about."""

    REGISTERED = "registered"
    REPLACED = "replaced"
    REFRESHED = "refreshed"
    UPDATED = "updated"
    DEREGISTERED = "deregistered"
    EXPIRED = "expired"
    REFUSED = "refused"


@dataclass(frozen=True, slots=True)
class Outcome:
    """The result of one step.

    ``registration`` is what stands after it (unchanged when REFUSED, None when nothing stands),
    ``previous`` what stood before. ``changed`` names the fields that got another value, apart from
    ``last_seen_at`` and ``expires_at``; on REPLACED it compares with the replaced one. Only EXPIRED has
    no ``response``.
    """

    response: Response | None
    registration: Registration | None
    change: Change
    changed: frozenset[str] = frozenset()
    cause: str = ""
    detail: str = ""
    previous: Registration | None = None
