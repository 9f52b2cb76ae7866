"""An address without security belongs to the device that registered or updated from there last, whosever it is.

Without credentials a device is known by its address alone, and addresses are given anew: by a NAT that reuses a port,
by a host that starts one container after another. The registration that stood there before keeps its life, for its
device still knows the location, but it has no address until it speaks again: nothing is sent to it, and what comes
from the address is none of its own.
"""

from __future__ import annotations

from datetime import datetime

from audit.actions import Action
from audit.ledger import Actor, Event
from devices.registry.address_rows import Displaced, Place
from lwm2m.registration import Origin

PLAIN = ("udp", "tcp")
CAUSE = "ADDRESS_TAKEN"


def place_of(origin: Origin) -> Place | None:
    """What a registration from there is known by; None where credentials say who it is."""
    if origin.identity is not None or origin.transport not in PLAIN or not origin.host:
        return None
    return origin.transport, origin.host, origin.port


def none_left(origin: Origin) -> Origin:
    """The origin of a registration that has lost its address."""
    return Origin("", 0, origin.transport)


def event(lost: Displaced, *, now: datetime) -> Event:
    """Who has the address now is not said: it may be another operator's."""
    return Event(
        action=Action.REGISTRATION_ADDRESS_ENDED,
        by_stranger=True,  # whoever knows two names can have them take the address from each other for ever
        operator_id=lost.operator_id,
        actor=Actor("system", "southbound", "Southbound"),
        cause=CAUSE,
        target=lost.endpoint,
        device_id=lost.device_id,
        subscriber_id=lost.subscriber_id,
        before={"transport": lost.transport},
        after={"transport": lost.transport},
        personal={"came_from_before": f"{lost.host}:{lost.port}"},
        at=now,
    )
