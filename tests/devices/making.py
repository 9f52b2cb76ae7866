"""Makes operators, people and devices for tests, through the services that the portal uses."""

from __future__ import annotations

from datetime import UTC, datetime
from itertools import count
from typing import Any

from accounts.models import Operator, Subscriber, User
from accounts.services import staff, subscribers
from devices.inventory.models import Credential, Device, Plane
from devices.inventory.services import devices
from devices.inventory.services.devices import Added
from devices.registry.services import registrations
from devices.registry.services.registrations import Inbound
from lwm2m.links import parse_object_links
from lwm2m.messages import Register
from lwm2m.registration import Origin
from provisioning.services import operators

NOW = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)
FLOW = "southbound.1.test"
_numbers = count(1)


def operator(slug: str = "", **more: Any) -> Operator:
    slug = slug or f"operator-{next(_numbers)}"
    return operators.create(slug=slug, name=slug.title(), **more)


def person(email: str = "", **more: Any) -> User:
    return User.objects.create_user(
        email or f"person{next(_numbers)}@example.com", "a long password 1", **more
    )


def member(of: Operator, role: str) -> User:
    user = person()
    staff.grant(user=user, operator=of, role=role)
    return User.objects.get(pk=user.pk)


def subscriber(of: Operator, user: User | None = None) -> Subscriber:
    return subscribers.open_account(user=user or person(), operator=of)


def added(of: Operator | None = None, **label: Any) -> Added:
    """A device in the inventory, without a job."""
    label.setdefault("endpoint", f"urn:dev:{next(_numbers)}")
    label.setdefault("subscriber", None)
    return devices.add(operator=of or operator(), **label)


def device(of: Operator | None = None, **label: Any) -> Device:
    return added(of, **label).device


def management_credential(of: Device) -> Credential | None:
    """The newest one that opens the management server."""
    rows = Credential.objects.filter(device=of, plane=Plane.MANAGEMENT).exclude(state="retired")
    return rows.order_by("-pk").first()


def origin_of(of: Device) -> Origin:
    """Where it speaks from: with its newest management key, if it has one."""
    key = management_credential(of)
    return Origin("192.0.2.7", 40000, "dtls", key.identity, key.pk) if key else Origin("192.0.2.7", 40000)


def register(of: Device, *, now: datetime, flow: str = FLOW, **more: Any) -> Any:
    """The device registers as it would through southbound; returns what came of it."""
    message = Register(of.endpoint, object_links=parse_object_links(b"</1/0>,</3/0>"), **more)
    return registrations.apply(batch=[Inbound(message, origin_of(of))], flow=flow, now=now)[0]
