"""Finding a device by whatever the caller on the phone can name."""

from __future__ import annotations

import ipaddress
from collections.abc import Iterable

from django.db.models import Case, IntegerField, QuerySet, Value, When
from django.http import Http404

from devices.inventory.models import Device, Knock
from devices.inventory.states import Access
from devices.registry.models import Registration
from devices.registry.selectors import search as search_devices
from devices.registry.selectors import ways
from provisioning.models import BootstrapSession

LIMIT = 50


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
    found = _matching(visible(operator_ids), text)
    order = Case(
        When(endpoint=text, then=Value(0)),
        When(access=Access.RETIRED, then=Value(2)),
        default=Value(1),
        output_field=IntegerField(),
    )
    return list(found.order_by(order, "-id")[: LIMIT + 1])


def _matching(rows: QuerySet[Device], text: str) -> QuerySet[Device]:
    """By an address whatever came from there, each device once; by anything else as in every box."""
    address = _address(text)
    if not address:
        return search_devices.found(rows, text)
    ids = Registration.objects.filter(host=address).order_by().values_list("device_id", flat=True)
    begun = BootstrapSession.objects.filter(host=address).order_by().values_list("device_id", flat=True)
    knocked = (
        Knock.objects.filter(host=address, device__isnull=False)
        .order_by()
        .values_list("device_id", flat=True)
    )
    came = ids.union(begun, knocked, all=True)
    few = search_devices.named(came)
    return rows.filter(pk__in=came if few is None else few)


def _address(text: str) -> str:
    try:
        return str(ipaddress.ip_address(text.strip("[]")))
    except ValueError:
        return ""
