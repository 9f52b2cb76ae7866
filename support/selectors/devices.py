"""Finding a device by whatever the caller on the phone can name."""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Iterable

from django.db.models import Case, IntegerField, Q, QuerySet, Value, When
from django.http import Http404

from devices.models import Credential, Device, Knock
from devices.selectors import ways
from devices.states import Access

LIMIT = 50
_ACCOUNT_NUMBER = re.compile(r"^[A-Za-z]{2,4}[- ]?\d{2,4}[- ]?\d{0,4}$")


def visible(operator_ids: Iterable[int] | None) -> QuerySet[Device]:
    """Retired devices too: people call about those."""
    rows = Device.objects.select_related("operator", "subscriber__user", *ways.PRESENCE)
    return rows if operator_ids is None else rows.filter(operator_id__in=operator_ids)


def get(device_id: int, operator_ids: Iterable[int] | None) -> Device:
    """Raises Http404 for another operator's device, exactly as for one that does not exist."""
    device = visible(operator_ids).filter(pk=device_id).first()
    if device is None:
        raise Http404("No such device with your operators.")
    return device


def search(text: str, operator_ids: Iterable[int] | None) -> list[Device]:
    """At most LIMIT devices, living ones first, an exact endpoint before the rest."""
    found = visible(operator_ids).filter(_matches(text))
    order = Case(
        When(endpoint=text, then=Value(0)),
        When(access=Access.RETIRED, then=Value(2)),
        default=Value(1),
        output_field=IntegerField(),
    )
    return list(found.order_by(order, "-id")[: LIMIT + 1])


def _matches(text: str) -> Q:
    address = _address(text)
    if address:
        knocked = Knock.objects.filter(host=address, device__isnull=False).values("device_id")
        return Q(registration__host=address) | Q(bootstrap_sessions__host=address) | Q(pk__in=knocked)
    if "@" in text:
        return Q(subscriber__user__email__icontains=text) | Q(endpoint__icontains=text)
    identity = Credential.objects.filter(identity=text).values("device_id")
    named = (
        Q(endpoint__icontains=text)
        | Q(name__icontains=text)
        | Q(serial_number__icontains=text)
        | Q(registration__identity=text)
        | Q(pk__in=identity)
    )
    if _ACCOUNT_NUMBER.match(text):
        named |= Q(subscriber__number__istartswith=re.sub(r"\s+", "-", text.upper()))
    return named


def _address(text: str) -> str:
    try:
        return str(ipaddress.ip_address(text.strip("[]")))
    except ValueError:
        return ""
