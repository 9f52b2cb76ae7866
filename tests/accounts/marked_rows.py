"""A row of one operator for every model that has an admin or a route, each string in it carrying MARK."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from io import BytesIO

from allauth.account.models import EmailAddress
from django.db.models import Model
from django.utils import timezone
from knox.models import AuthToken

from accounts.models import BulkJob, Operator, StaffMembership, Subscriber, User
from accounts.roles import Role
from accounts.services import staff, subscribers
from audit import ledger
from audit.models import LedgerEvent
from devices.commands.models import Command
from devices.gateways.models import EndDevice
from devices.inventory.models import Device, Knock, ObjectDefinition
from devices.messaging.models import SmscLink, SmsMessage, SmsPart, SmsPurpose
from devices.messaging.services import smsc_links
from devices.observations.models import Observation
from devices.packages.models import Package
from devices.packages.services import packages
from devices.registry.models import Registration, RegistrationDetail
from devices.telemetry.models import ResourceHistory, ResourceValue, TraceMessage
from devices.telemetry.services import traces, values
from devices.telemetry.services.traces import Message
from devices.telemetry.services.values import Sample
from provisioning.ladder import ReachAttempt, ReachPolicy
from provisioning.models import BootstrapProfile, BootstrapSession, Job

MARK = "northmark"
RESOURCE = "/3/0/0"
ROWS: dict[type[Model], Callable[[Operator], Model]] = {}


def row(model: type[Model]) -> Callable[[Callable[[Operator], Model]], Callable[[Operator], Model]]:
    def keep(make: Callable[[Operator], Model]) -> Callable[[Operator], Model]:
        ROWS[model] = make
        return make

    return keep


def person(email: str) -> User:
    user, _ = User.objects.get_or_create(email=email, defaults={"name": f"{MARK} {email.split('@')[0]}"})
    return user


row(Operator)(lambda operator: operator)
row(User)(lambda operator: person(f"sub@{MARK}.example"))


@row(Subscriber)
def _subscriber(operator: Operator) -> Subscriber:
    user = person(f"sub@{MARK}.example")
    return Subscriber.objects.filter(user=user).first() or subscribers.open_account(
        user=user, operator=operator
    )


@row(StaffMembership)
def _membership(operator: Operator) -> StaffMembership:
    return staff.grant(user=person(f"staff@{MARK}.example"), operator=operator, role=Role.ADMINISTRATOR)


@row(Package)
def _package(operator: Operator) -> Package:
    found = Package.objects.filter(operator=operator).first()
    return found or packages.upload(
        operator=operator, name=f"{MARK} package", file=BytesIO(b"package"), file_name=f"{MARK}.bin"
    )


@row(BulkJob)
def _bulk_job(operator: Operator) -> BulkJob:
    return BulkJob.objects.create(
        model="inventory.device",
        action="suspend",
        operator=operator,
        reason=f"{MARK} reason",
        requested_by=person(f"staff@{MARK}.example"),
    )


@row(EmailAddress)
def _address(operator: Operator) -> EmailAddress:
    email = f"sub@{MARK}.example"
    return EmailAddress.objects.get_or_create(user=person(email), email=email, primary=True, verified=True)[0]


@row(AuthToken)
def _token(operator: Operator) -> AuthToken:
    return AuthToken.objects.create(user=person(f"sub@{MARK}.example"))[0]


@row(Device)
def _device(operator: Operator) -> Device:
    made, _ = Device.objects.get_or_create(
        endpoint=f"urn:dev:{MARK}/1",
        defaults={"operator": operator, "name": f"{MARK} meter", "subscriber": _subscriber(operator)},
    )
    return made


@row(EndDevice)
def _end_device(operator: Operator) -> EndDevice:
    known = {"gateway": _device(operator), "identifier": f"{MARK}:child", "prefix": "dev0", "instance": 0}
    return EndDevice.objects.get_or_create(**known)[0]


@row(Registration)
def _registration(operator: Operator) -> Registration:
    now = timezone.now()
    device = _device(operator)
    RegistrationDetail.objects.get_or_create(device=device, version="1.1", binding="U")
    return Registration.objects.get_or_create(
        device=device,
        registration_id=MARK,
        defaults={
            "transport": "udp",
            "host": "192.0.2.1",
            "port": 5683,
            "flow": "southbound.1.x",
            "lifetime_seconds": 3600,
            "registered_at": now,
            "last_seen_at": now,
            "expires_at": now + timedelta(hours=1),
        },
    )[0]


@row(Command)
def _command(operator: Operator) -> Command:
    return Command.objects.create(
        device=_device(operator),
        operation="read",
        path="/3/0",
        requested_by=f"user:{MARK}",
        expires_at=timezone.now() + timedelta(hours=1),
    )


@row(Observation)
def _observation(operator: Operator) -> Observation:
    return Observation.objects.create(
        device=_device(operator), key=RESOURCE, paths=[RESOURCE], wanted_by=f"user:{MARK}"
    )


@row(ResourceValue)
def _value(operator: Operator) -> ResourceValue:
    now = timezone.now()
    values.store(samples=[Sample(_device(operator).pk, RESOURCE, f"{MARK} maker", now.timestamp())], now=now)
    return ResourceValue.objects.get(device=_device(operator), path=RESOURCE)


@row(ResourceHistory)
def _history(operator: Operator) -> ResourceHistory:
    return _value(operator).history.first()


@row(TraceMessage)
def _trace(operator: Operator) -> TraceMessage:
    path = f"/rd?ep={MARK}"
    traces.record(messages=[Message(_device(operator).pk, timezone.now(), "in", "POST", path)])
    return TraceMessage.objects.get(device=_device(operator))


@row(Knock)
def _knock(operator: Operator) -> Knock:
    Knock.objects.create(
        plane="bootstrap", cause="ENDPOINT_UNKNOWN", claimed_name=f"{MARK}-nobody", host="192.0.2.3"
    )
    return Knock.objects.create(
        plane="management",
        cause="PSK_MISMATCH",
        claimed_name=f"{MARK}-knock",
        host="192.0.2.2",
        device=_device(operator),
        operator=operator,
    )


@row(SmscLink)
def _link(operator: Operator) -> SmscLink:
    return smsc_links.save(operator=operator, host=f"{MARK}.example", system_id="portal", address="2772")


@row(SmsMessage)
def _sms(operator: Operator) -> SmsMessage:
    return SmsMessage.objects.create(
        operator=operator,
        device=_device(operator),
        msisdn="+491511234567",
        purpose=SmsPurpose.TRIGGER,
        payload=MARK.encode(),
        expires_at=timezone.now(),
        detail=MARK,
    )


@row(SmsPart)
def _part(operator: Operator) -> SmsPart:
    return SmsPart.objects.create(
        operator=operator, msisdn=MARK, reference=MARK, payload=MARK.encode(), received_at=timezone.now()
    )


@row(ObjectDefinition)
def _definition(operator: Operator) -> ObjectDefinition:
    content = {"id": 30001, "name": MARK, "version": "1.0", "multiple": True, "mandatory": False}
    return ObjectDefinition.objects.create(
        operator=operator,
        object_id=30001,
        version="1.0",
        name=f"{MARK} tank",
        definition={**content, "resources": [[1, f"{MARK} level", "integer", "R"]]},
        source=f"{MARK}.xml",
    )


@row(LedgerEvent)
def _event(operator: Operator) -> LedgerEvent:
    ledger.record(action="device.added", operator_id=operator.pk, target=f"{MARK} device")
    return LedgerEvent.objects.order_by("-id").first()


@row(BootstrapProfile)
def _profile(operator: Operator) -> BootstrapProfile:
    return BootstrapProfile.objects.create(operator=operator, name=f"{MARK} profile")


@row(Job)
def _job(operator: Operator) -> Job:
    return Job.objects.create(operator=operator, device=_device(operator), requested_by=MARK, reason=MARK)


@row(ReachPolicy)
def _policy(operator: Operator) -> ReachPolicy:
    return ReachPolicy.objects.get_or_create(operator=operator, defaults={"waits": {"wait": 60}})[0]


@row(ReachAttempt)
def _attempt(operator: Operator) -> ReachAttempt:
    now = timezone.now()
    taken = [{"kind": "ticket", "at": now.isoformat(), "detail": MARK}]
    return ReachAttempt.objects.create(
        operator=operator,
        device=_device(operator),
        missed_at=now,
        silent_since=now,
        taken=taken,
        has_acted=True,
    )


@row(BootstrapSession)
def _session(operator: Operator) -> BootstrapSession:
    return BootstrapSession.objects.create(
        operator=operator,
        device=_device(operator),
        transport="dtls",
        host="192.0.2.4",
        port=1,
        content_format=11542,
        detail=MARK,
    )
