"""SMS triggers: a binary SMS that makes a device update its registration or bootstrap, and what came of it.

`send` is what the ladder, the admin and REST call. The trigger is a non-confirmable Execute of /1/x/8 or /1/x/9; its
answer is a CoAP response by SMS, the device's own Update or Register, or its Bootstrap-Request.
"""

from __future__ import annotations

import secrets
from collections.abc import Iterable
from datetime import datetime, timedelta
from enum import StrEnum

from django.db.models import F, QuerySet
from django.utils import timezone

import coap
from accounts.errors import Refused
from audit import ledger
from audit.actions import Action
from devices.commands import dangers
from devices.commands.dangers import Asker
from devices.commands.models import Operation
from devices.inventory import events as inventory_events
from devices.inventory import locks
from devices.inventory.errors import not_active
from devices.inventory.models import Device, Reach
from devices.inventory.services import device_trail
from devices.inventory.states import Access
from devices.messaging import events
from devices.messaging.models import SmscLink, SmsMessage, SmsPurpose
from devices.messaging.services import sms_numbers, sms_outbox, smsc_links
from devices.registry.models import RegistrationDetail
from devices.registry.selectors import device_models
from lwm2m.codes import Code, dotted
from lwm2m.paths import Path

VALID_SECONDS = 3600
"""How long the outbox and the SMSC try; a device that is found later has been asked too late."""
ANSWER_WITHIN = timedelta(hours=24)
_TOKEN_BYTES = 4


class Kind(StrEnum):
    """What the device shall do."""

    UPDATE = "update"
    BOOTSTRAP = "bootstrap"


_RESOURCES = {Kind.UPDATE: 8, Kind.BOOTSTRAP: 9}
"""Of the Server object: Registration Update Trigger, Bootstrap-Request Trigger (LightweightM2M 1.1 Core E.2)."""


def send(
    *,
    device: Device,
    kind: str = Kind.UPDATE,
    requested_by: str,
    reason: str = "",
    valid_seconds: int = VALID_SECONDS,
    now: datetime | None = None,
    asker: Asker | None = None,
) -> SmsMessage:
    """Queue a trigger for a registered or lost device with a phone number, and ring the operator's link.

    Raises Refused: VALIDATION_FAILED, DEVICE_SUSPENDED and the like, MSISDN_MISSING, SMSC_LINK_MISSING,
    SMS_BUDGET_SPENT. `answered_at` and `answer` of the row tell what came of it.
    """
    now = now or timezone.now()
    if kind not in [each.value for each in Kind]:
        raise Refused("TRIGGER_UNKNOWN", field="kind", kind=kind)
    with ledger.unit_of_work():
        locked = locks.device(device.pk)
        _check(locked, now)
        path, payload = _message(locked, Kind(kind))
        dangers.check(dangers.of(Operation.EXECUTE, [path]), asker, reason)
        outgoing = sms_outbox.Outgoing(
            operator_id=locked.operator_id,
            msisdn=locked.msisdn,
            payload=payload,
            purpose=SmsPurpose.TRIGGER,
            expires_at=now + timedelta(seconds=valid_seconds),
        )
        (message_id,) = sms_outbox.queue(messages=[outgoing], now=now)
        if message_id is None:
            raise Refused("NUMBER_JUST_CHANGED")
        _record(
            locked,
            Action.DEVICE_TRIGGERED,
            detail={"sms_id": message_id, "kind": kind, "path": str(path)},
            reason=reason,
            requested_by=requested_by,
        )
        events.sms_waits(smsc_links.holder_of(locked.operator_id), locked.operator_id)
        inventory_events.device_changed(locked.pk, locked.operator_id, ["sms"])
    return SmsMessage.objects.get(pk=message_id)


def _check(device: Device, now: datetime) -> None:
    if device.access != Access.ACTIVE:
        raise not_active(device.access)
    if device.reach == Reach.GATEWAY:
        raise Refused("END_DEVICE_HAS_NO_NUMBER")
    if not device.msisdn:
        raise Refused("DEVICE_HAS_NO_NUMBER", field="msisdn")
    if not SmscLink.objects.filter(pk=device.operator_id, is_enabled=True).exists():
        raise Refused("SMSC_LINK_NOT_SET_UP")
    if not sms_numbers.has_budget(device_id=device.pk, operator_id=device.operator_id, now=now):
        raise Refused("SMS_OF_TODAY_USED_UP")


def _message(device: Device, kind: Kind) -> tuple[Path, bytes]:
    """Of several servers a device knows, the first it registered: it tells nobody which of them is us."""
    detail = RegistrationDetail.objects.filter(device=device).first()
    links = device_models.object_links(detail)
    servers = links.objects.get(1) if links else None
    path = Path(1, servers.instances[0] if servers and servers.instances else 0, _RESOURCES[kind])
    root = tuple(links.root_path.strip("/").split("/")) if links and links.root_path.strip("/") else ()
    # No answer by SMS is expected (resource 21), so it is not confirmable.
    execute = coap.Request.of(Code.POST, (*root, *path.segments), confirmable=False)
    mid, token = secrets.randbelow(65_536), secrets.token_bytes(_TOKEN_BYTES)
    return path, execute.encode(mid, token)


def answered(*, operator_id: int, msisdn: str, token: bytes, code: int, now: datetime) -> bool:
    """A response came by SMS; True when it was to a trigger of ours, which is then noted on the trail."""
    if not token:
        return False
    waiting = _open(now).filter(operator_id=operator_id, msisdn=msisdn)
    for message in waiting:
        if coap.token_of(bytes(message.payload)) == token:
            is_good = code >> 5 == 2
            _note(message, f"SMS {dotted(code)}", now, result="ok" if is_good else "refused")
            return True
    return False


def heard(*, device_ids: Iterable[int], how: str, now: datetime) -> int:
    """These devices did what a trigger may have asked for; returns how many triggers that answers."""
    messages = list(_open(now).filter(device_id__in=list(device_ids)))
    for message in messages:
        _note(message, how, now)
    return len(messages)


def look_up(*, operator_id: int, now: datetime) -> int:
    """Find the triggers of an operator whose devices registered or updated since; returns how many those are."""
    spoke = F("device__registration__last_seen_at")
    waiting = _open(now).filter(operator_id=operator_id, created_at__lt=spoke)
    messages = list(waiting.select_related("device__registration")[:500])
    for message in messages:
        assert message.device is not None  # that one spoke
        is_new = message.device.registration.registered_at > message.created_at
        _note(message, "registered" if is_new else "updated", now)
    return len(messages)


def _open(now: datetime) -> QuerySet[SmsMessage]:
    return (
        SmsMessage.objects.filter(
            purpose=SmsPurpose.TRIGGER, answered_at=None, created_at__gt=now - ANSWER_WITHIN
        )
        .select_related("device")
        .order_by("id")
    )


def _note(message: SmsMessage, how: str, now: datetime, *, result: str = "ok") -> None:
    with ledger.unit_of_work():
        fresh = SmsMessage.objects.filter(pk=message.pk, answered_at=None)
        if not fresh.update(answered_at=now, answer=how[:40]) or message.device is None:
            return
        took = round((now - message.created_at).total_seconds(), 1)
        _record(
            message.device,
            Action.DEVICE_TRIGGER_ANSWERED,
            result=result,
            detail={"sms_id": message.pk, "answer": how, "took_seconds": took},
        )
        inventory_events.device_changed(message.device.pk, message.operator_id, ["sms"])


def _record(
    device: Device,
    action: Action,
    *,
    detail: dict[str, object],
    result: str = "ok",
    reason: str = "",
    requested_by: str = "",
) -> None:
    device_trail.record(
        device,
        action,
        result=result,
        reason=reason,
        detail={**detail, **({"requested_by": requested_by} if requested_by else {})},
    )
