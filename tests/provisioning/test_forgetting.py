"""Whoever is forgotten leaves nothing: a marker in every column about them, and a dump of the database afterwards."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest
from allauth.account.models import EmailAddress, EmailConfirmation
from django.apps import apps
from django.contrib.admin.models import CHANGE, LogEntry
from django.contrib.contenttypes.models import ContentType
from django.contrib.sessions.models import Session
from django.core.management import call_command
from django.db import connection, models
from django.test import Client
from django.utils import timezone
from knox.models import AuthToken

from accounts.models import BulkJob, BulkRow, StaffMembership, Subscriber, User
from accounts.services import staff
from audit.models import LedgerEvent, PersonalDatum
from devices.commands.models import Command
from devices.gateways.models import EndDevice, ParkedReport
from devices.inventory.models import Device, Knock, Reach
from devices.inventory.services import credentials
from devices.inventory.states import Provisioning
from devices.messaging.models import SmsMessage, SmsPart, SmsReceiptKey, SmsSpent
from devices.observations.models import Observation
from devices.registry.models import Registration
from devices.registry.services import knocks, registrations
from devices.registry.services.knocks import KnockSeen
from devices.registry.services.registrations import Inbound
from devices.telemetry.models import ResourceHistory, ResourceValue, TraceHead, TraceMessage
from lwm2m.links import parse_object_links
from lwm2m.messages import Register
from provisioning.ladder import ReachAttempt
from provisioning.models import BootstrapExchange, BootstrapSession, Job, JobStep
from provisioning.services import departure
from tests.devices import making

pytestmark = pytest.mark.django_db
MARK, NAME = "zqmark", "zqname"
NAMES = {
    *("inventory.Device.endpoint", "inventory.Credential.identity", "accounts.Subscriber.number"),
    *("commands.Command.path", "commands.Command.requested_by"),
    *("observations.Observation.paths", "observations.Observation.attributes"),
}
"""What the ledger calls things by, in its hashes: it stays there alone. None of them says who a person is."""
NOW = timezone.now()
TEXT = (models.CharField, models.TextField, models.JSONField, models.BinaryField)
LEDGER = {"audit.LedgerEvent", "audit.PersonalDatum", "audit.LedgerHead", "audit.LedgerCheckpoint"}
"""Written by services alone: the database refuses to have it changed."""


@pytest.fixture
def worker(monkeypatch):
    """Nobody hears the bells."""
    monkeypatch.setattr("live.bells.tasks", lambda calls: None)


@pytest.fixture
def device(worker) -> Device:
    """A person with everything that there can be about them, by the services where the ledger hears of it."""
    operator = making.operator()
    user = making.person(f"{MARK}@x.example", name=MARK)
    subscriber = making.subscriber(operator, user)
    boss = making.person()
    staff.grant(user=boss, operator=operator, role="administrator")
    staff.grant(user=user, operator=operator, role="support")
    made = making.device(operator, subscriber=subscriber, name=MARK)
    credentials.make_management(device=made, kind="psk")
    Device.objects.update(provisioning=Provisioning.APPLIED)
    register = Register(made.endpoint, object_links=parse_object_links(b"</1/0>,</3/0>"))
    origin = replace(making.origin_of(made), host=MARK)
    (came,) = registrations.apply(batch=[Inbound(register, origin)], flow="f", now=NOW)
    assert came.outcome.cause == ""
    seen = KnockSeen("management", "PSK_MISMATCH", made.endpoint, MARK, f"from {MARK}")
    knocks.count(knocks=[seen], now=NOW)
    _rows(made, user)
    return made


def _rows(device: Device, user: User) -> None:
    operator, soon = device.operator, NOW + timedelta(days=1)
    common = {"device": device}
    command = Command.objects.create(**common, operation="read", path="/3/0", expires_at=soon)
    said = {"kind": "s", "text": "x", "at": NOW}
    value = ResourceValue.objects.create(**common, **said, path="/6/0/0", received_at=NOW)
    ResourceHistory.objects.create(value=value, **said)
    Observation.objects.create(**common, key="/3/0", paths=["/3/0"], command=command)
    TraceHead.objects.create(**common, count=1)
    TraceMessage.objects.create(
        **common, slot=1, number=1, at=NOW, direction="in", method="post", path="/dp", code="2.04"
    )
    EndDevice.objects.create(gateway=device, instance=1, identifier="x", prefix="p")
    ParkedReport.objects.create(gateway=device, prefix="p", nodes=[], received_at=NOW)
    sms = SmsMessage.objects.create(
        **common, operator=operator, msisdn=MARK, purpose="trigger", payload=b"x", expires_at=soon
    )
    SmsReceiptKey.objects.create(operator=operator, smsc_id="1", message=sms)
    SmsPart.objects.create(operator=operator, msisdn=MARK, reference="1", payload=b"x", received_at=NOW)
    SmsSpent.objects.create(**common, day=NOW.date())
    session = BootstrapSession.objects.create(
        operator=operator, device=device, transport="udp", host="h", port=1, content_format=11542
    )
    BootstrapExchange.objects.create(session=session, position=1, operation="write", path="/0", sent_at=NOW)
    job = Job.objects.create(operator=operator, device=device, kind="provision", state="done")
    JobStep.objects.create(job=job, kind="wait_online", position=1)
    ReachAttempt.objects.create(operator=operator, device=device, missed_at=NOW, silent_since=NOW)
    address, _ = EmailAddress.objects.get_or_create(user=user, email=user.email)
    EmailConfirmation.objects.create(email_address=address, key="k")
    AuthToken.objects.create(user=user)
    LogEntry.objects.create(
        user=user,
        content_type=ContentType.objects.get_for_model(User),
        object_id=str(user.pk),
        object_repr="x",
        action_flag=CHANGE,
        change_message="x",
    )
    bulk = BulkJob.objects.create(
        model="inventory.device", action="suspend", operator=operator, requested_by=user, reason="x"
    )
    BulkRow.objects.create(job=bulk, object_id=device.pk)
    Client().force_login(user)


def owned(row: models.Model, user: User, device: Device, depth: int = 0) -> bool:
    """Whether a row is this person's, or refers to one that is."""
    if row in (user, device) or (isinstance(row, Subscriber) and row.user_id == user.pk):
        return True
    if depth > 3:
        return False
    return any(
        owned(getattr(row, field.name), user, device, depth + 1)
        for field in row._meta.concrete_fields
        if field.is_relation and getattr(row, field.attname) is not None and field.name != "event"
    )


def can_be_owned(model: type[models.Model], depth: int = 0) -> bool:
    """Whether its rows can refer to a person."""
    if model in (User, Subscriber, Device):
        return True
    fields = [field for field in model._meta.concrete_fields if field.is_relation and field.name != "event"]
    return depth < 4 and any(can_be_owned(field.related_model, depth + 1) for field in fields)


def columns(model: type[models.Model]) -> list[models.Field]:
    return [
        field
        for field in model._meta.concrete_fields
        if isinstance(field, TEXT)
        and not field.choices
        and not field.primary_key
        and not field.is_relation
        and not (model is StaffMembership and field.name == "email")  # of those who have not accepted
        and not (model is LogEntry and field.name == "object_id")
        and not (
            model is BulkJob and field.name in ("model", "action")
        )  # what was done, by its name in the code
        and not (field.max_length and field.max_length < len(MARK))  # codes of protocols
    ]


def plant(user: User, device: Device) -> set[str]:
    """A marker in each text of each row of theirs; returns the models of which there were rows."""
    found = set()
    for model in apps.get_models():
        if model._meta.label in LEDGER:
            continue
        by_content = model in (SmsPart, Knock)
        for row in model._default_manager.all():
            if by_content or owned(row, user, device):
                found.add(model._meta.label)
                marks = {field.name: _mark(field) for field in columns(model)}
                if model is Device:
                    marks |= {"reach": Reach.GATEWAY, "via": row}  # a prefix is part of a way
                if marks:
                    model._default_manager.filter(pk=row.pk).update(**marks)
    return found


def _mark(field: models.Field) -> object:
    if f"{field.model._meta.label}.{field.name}" in NAMES:
        return NAME
    if isinstance(field, models.JSONField):
        return {MARK: [MARK]}
    if isinstance(field, models.BinaryField):
        return MARK.encode()
    return f"{MARK}@x.example" if field.name == "email" else MARK


def dump() -> dict[str, str]:
    """Table -> all that is in it, as text."""
    told = {}
    with connection.cursor() as cursor:
        for table in connection.introspection.table_names(cursor):
            cursor.execute(f'SELECT * FROM "{table}"')
            told[table] = repr([[_plain(value) for value in row] for row in cursor.fetchall()])
    return told


def _plain(value: object) -> object:
    return bytes(value) if isinstance(value, memoryview) else value


def test_nothing_of_a_person_is_left_in_the_database(device: Device) -> None:
    assert device.subscriber is not None
    user = device.subscriber.user
    planted = plant(user, device)
    expected = {model._meta.label for model in apps.get_models() if can_be_owned(model)} - LEDGER
    assert expected <= planted, f"make a row of {expected - planted} for the person"
    assert sum(MARK in text for text in dump().values()) > 20
    departure.forget(user=user, reason="Asked for it")
    left = dump()
    assert {table for table, text in left.items() if MARK in text} == set()
    assert {table for table, text in left.items() if NAME in text} == {"audit_ledgerevent"}
    assert not Session.objects.exists()
    assert not StaffMembership.objects.filter(user=user).exists()
    call_command("verify_audit")


def test_addresses_are_where_they_can_be_erased_and_are_shown_until_then(device: Device) -> None:
    told = LedgerEvent.objects.get(action="registration.registered")
    assert told.personal_value("came_from") == f"{MARK}:40000"
    refused = LedgerEvent.objects.get(action="device.refused")
    assert (refused.personal_value("host"), refused.personal_value("said")) == (MARK, f"from {MARK}")
    covered = LedgerEvent.objects.values_list("before", "after", "detail", "reason", "target")
    assert MARK not in repr(list(covered))
    assert PersonalDatum.objects.filter(value__contains=MARK).exists()


def test_others_keep_what_is_theirs(device: Device) -> None:
    other = making.device(device.operator, subscriber=making.subscriber(device.operator), name="kept")
    credentials.make_management(device=other, kind="psk")
    Device.objects.update(provisioning=Provisioning.APPLIED)
    making.register(other, now=NOW)
    assert device.subscriber is not None
    departure.forget(user=device.subscriber.user, reason="Asked for it")
    other.refresh_from_db()
    assert other.name == "kept"
    assert Registration.objects.filter(device=other).exists()
    assert not Registration.objects.filter(device=device).exists()


def test_the_admins_log_keeps_its_words_about_others(device: Device) -> None:
    """Entries are about a row of a kind: another's command with the number of the device is another's."""
    other = making.device(device.operator)
    Command.objects.all().delete()
    command = {"operation": "read", "path": "/3", "expires_at": NOW}
    theirs = Command.objects.create(pk=device.pk + 1, device=device, **command)
    of_other = Command.objects.create(pk=device.pk, device=other, **command)
    by = making.person()
    for row in (device, theirs, other, of_other):
        LogEntry.objects.create(
            user=by,
            content_type=ContentType.objects.get_for_model(row),
            object_id=str(row.pk),
            object_repr=f"row {row.pk}",
            action_flag=CHANGE,
        )
    assert device.subscriber is not None
    departure.forget(user=device.subscriber.user, reason="Asked for it")
    said = LogEntry.objects.filter(user=by).order_by("pk").values_list("object_repr", flat=True)
    assert list(said) == ["erased-name", "erased-name", f"row {other.pk}", f"row {device.pk}"]
