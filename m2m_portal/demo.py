"""Demo data for a first look: two operators, their staff, one subscriber and devices that come online.

Passwords are generated, printed once by the caller, and kept in the data directory (mode 0600, git-ignored).
Running it again changes nothing.
"""

from __future__ import annotations

import json
import os
import secrets
from dataclasses import dataclass
from pathlib import Path

from allauth.account.models import EmailAddress
from django.conf import settings

from accounts.models import Operator, StaffMembership, Subscriber, User
from accounts.roles import Role
from accounts.services import staff, subscribers
from audit import ledger
from devices.inventory import security, vault
from devices.inventory.models import Device, Onboarding, Reach
from devices.messaging.models import SmscLink
from devices.messaging.services import smsc_links
from provisioning.services import onboarding, operators

OPERATORS = (
    ("northwind", "Northwind Telecom", "Meters, trackers and alarms across the north.", True),
    ("southsea", "Southsea Mobile", "Coverage along the coast, from harbour to island.", False),
)
DEVICES = (
    ("urn:dev:demo-meter-1", "Water meter, basement", {"version": "1.1", "objects": [5]}),
    ("urn:dev:demo-tracker-2", "Trailer tracker", {"version": "1.1", "queue_mode": True}),
    ("urn:dev:demo-alarm-3", "Workshop alarm", {"version": "1.0"}),
    (
        "urn:dev:demo-gateway-5",
        "Basement",
        {
            "version": "1.1",
            "children": {
                "urn:dev:demo-cellar-6": "climate",
                "urn:dev:demo-power-7": "meter",
                "urn:dev:demo-pump-8": "switch",
            },
        },
    ),
    (
        "urn:dev:demo-greenhouse-9",
        "Greenhouse, on a foreign stack",
        {"version": "1.1", "stack": "aiocoap", "objects": [5]},
    ),
)
"""One speaks an independent CoAP, without encryption; the first operator allows that."""
ANNOUNCED = (("urn:dev:demo-cellar-6", "Cellar climate"),)
"""End devices that are taken as soon as a gateway of the subscriber tells of them; the others are on offer there."""
SMSC_HOST, SMSC_ACCOUNT = "127.0.0.1", "portal"
OUR_NUMBER = "+491700000001"
SMS_DEVICES = (("urn:dev:demo-sensor-4", "Field sensor, SMS only", "+491510000004", {"version": "1.1"}),)
SUBSCRIBER = "subscriber@demo.example"


@dataclass(frozen=True)
class Account:
    email: str
    password: str
    what: str


@dataclass(frozen=True)
class Seeded:
    """What was made (`accounts` only when `fresh`), and where the passwords and the devices' keys are kept."""

    fresh: bool
    accounts: tuple[Account, ...]
    password_file: Path
    devices_file: Path


def seed() -> Seeded:
    """Make what is missing; a second call makes nothing."""
    password_file = settings.DATA_DIR / "demo-passwords.txt"
    devices_file = settings.DATA_DIR / "demo-devices.json"
    made: list[Account] = []
    with ledger.context(actor=ledger.Actor("system", "demo", "Demo data")):
        for slug, name, description, allows_nosec in OPERATORS:
            operator = Operator.objects.filter(slug=slug).first() or operators.create(
                slug=slug, name=name, description=description, allows_nosec=allows_nosec
            )
            made += _staff(operator)
        made += _subscriber(Operator.objects.get(slug=OPERATORS[0][0]))
        if made:
            _append(password_file, [f"{row.email}  {row.password}  {row.what}" for row in made])
        _link(Operator.objects.get(slug=OPERATORS[0][0]))
        _devices(devices_file)
    return Seeded(bool(made), tuple(made), password_file, devices_file)


def _person(email: str, name: str, what: str) -> tuple[User, Account | None]:
    user = User.objects.filter(email=email).first()
    if user:
        return user, None
    password = secrets.token_urlsafe(12)
    user = User.objects.create_user(email, password, name=name)
    EmailAddress.objects.create(user=user, email=email, verified=True, primary=True)
    return user, Account(email, password, what)


def _staff(operator: Operator) -> list[Account]:
    made = []
    for role in Role:
        email = f"{role.value.replace('_', '-')}@{operator.slug}.example"
        user, account = _person(email, f"{role.label} of {operator.name}", f"{role.label}, {operator.name}")
        if not StaffMembership.objects.filter(user=user, operator=operator).exists():
            staff.grant(user=user, operator=operator, role=role)
        if account:
            made.append(account)
    return made


def _subscriber(operator: Operator) -> list[Account]:
    user, account = _person(SUBSCRIBER, "Sam Subscriber", f"Subscriber of {operator.name}")
    if not Subscriber.objects.filter(user=user, operator=operator).exists():
        subscribers.open_account(user=user, operator=operator)
    return [account] if account else []


def _link(operator: Operator) -> None:
    """The operator's link to the loopback SMSC, unless somebody has given it another."""
    link = SmscLink.objects.filter(operator=operator).first()
    if link is None:
        smsc_links.save(
            operator=operator,
            password=secrets.token_urlsafe(12),
            host=SMSC_HOST,
            port=settings.SMSC_PORT,
            system_id=SMSC_ACCOUNT,
            address=OUR_NUMBER,
        )
    elif (link.host, link.system_id) == (SMSC_HOST, SMSC_ACCOUNT) and link.port != settings.SMSC_PORT:
        smsc_links.save(operator=operator, port=settings.SMSC_PORT)


def modem_password() -> tuple[str, Path]:
    """What the loopback SMSC lets modems in with, and the file in which it is kept for whoever plays one."""
    file = Path(settings.DATA_DIR) / "demo-modem-password.txt"
    if not file.exists():
        _write(file, secrets.token_urlsafe(12) + "\n")
    return file.read_text().strip(), file


def smsc_password() -> str:
    """What the loopback SMSC lets the demo operator in with; empty where it has another SMSC."""
    link = SmscLink.objects.filter(operator__slug=OPERATORS[0][0], host=SMSC_HOST, system_id=SMSC_ACCOUNT)
    sealed = link.values_list("sealed_password", flat=True).first()
    return vault.open_sealed(sealed).decode() if sealed else ""


def _devices(file: Path) -> None:
    known = {row["endpoint"]: row for row in json.loads(file.read_text())} if file.exists() else {}
    subscriber = Subscriber.objects.select_related("operator").get(
        user__email=SUBSCRIBER, operator__slug=OPERATORS[0][0]
    )
    for endpoint, name, behaviour in DEVICES:
        if endpoint in known or Device.objects.filter(endpoint=endpoint).exclude(access="retired").exists():
            continue
        is_plain = "stack" in behaviour
        if is_plain and not subscriber.operator.allows_nosec:
            continue
        added = onboarding.add_device(
            operator=subscriber.operator,
            subscriber=subscriber,
            endpoint=endpoint,
            name=name,
            reach=Reach.IP,
            onboarding=Onboarding.BOOTSTRAP,
            security="none" if is_plain else security.DEFAULT,
        )
        made = added.secret_to_show
        key = {} if made is None else {"identity": made.identity, "key_hex": made.parts.hex()}
        known[endpoint] = {"endpoint": endpoint, **key, **behaviour}
    _announce(subscriber)
    for endpoint, name, number, behaviour in SMS_DEVICES:
        if endpoint in known or Device.objects.filter(endpoint=endpoint).exclude(access="retired").exists():
            continue
        onboarding.add_device(
            operator=subscriber.operator,
            subscriber=subscriber,
            endpoint=endpoint,
            name=name,
            reach=Reach.SMS,
            onboarding=Onboarding.BOOTSTRAP,
            msisdn=number,
        )
        known[endpoint] = {"endpoint": endpoint, "sms": number, **behaviour}
    host = "127.0.0.1" if settings.BIND_ADDRESS in {"127.0.0.1", "0.0.0.0"} else settings.BIND_ADDRESS  # noqa: S104
    for row in known.values():
        if "sms" in row:
            row["bootstrap"] = f"tel:{OUR_NUMBER}"
        elif "key_hex" in row:
            row["bootstrap"] = f"coaps://{host}:{settings.BOOTSTRAP_COAPS_PORT}"
        else:
            row["bootstrap"] = f"coap://{host}:{settings.BOOTSTRAP_COAP_PORT}"
    _write(file, json.dumps(list(known.values()), indent=1))


def _announce(subscriber: Subscriber) -> None:
    """Once: one that somebody has released stays away."""
    for endpoint, name in ANNOUNCED:
        if not Device.objects.filter(endpoint=endpoint).exists():
            onboarding.add_device(
                operator=subscriber.operator,
                subscriber=subscriber,
                endpoint=endpoint,
                name=name,
                reach=Reach.GATEWAY,
            )


def _append(file: Path, lines: list[str]) -> None:
    old = file.read_text().splitlines() if file.exists() else []
    _write(file, "\n".join([*old, *lines]) + "\n")


def _write(file: Path, text: str) -> None:
    descriptor = os.open(file, os.O_CREAT | os.O_TRUNC | os.O_WRONLY, 0o600)
    with os.fdopen(descriptor, "w") as handle:
        handle.write(text)
