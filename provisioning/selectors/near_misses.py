"""A device that knocks and may be one that somebody waits for: its name is one slip of the finger away.

Shown to the owner of the one device that waits under a name like that, and to nobody where two wait: names of other
people's devices are not to be guessed. A knock that proved the device's own key is told whatever name it gave.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db.models import Q

from devices.inventory.models import Credential, Device, Knock
from devices.inventory.near_names import intact_ends, is_one_slip
from devices.inventory.states import Access, Provisioning

_HORIZON = timedelta(days=1)
_NAMELESS_DEVICE = ("PSK_IDENTITY_UNKNOWN", "ENDPOINT_UNKNOWN")
_LIMIT = 50


@dataclass(frozen=True, slots=True)
class NearMiss:
    """`name` is what the device that knocks calls itself. `is_proved`: it has the key that was entered."""

    name: str
    last_at: datetime
    count: int
    is_proved: bool


def of(device: Device, now: datetime) -> NearMiss | None:
    """None for a device that is there, or that nothing like it knocks for. At most four queries."""
    if not _waits(device):
        return None
    since = max(device.created_at, now - _HORIZON)
    proved = Knock.objects.filter(device=device, cause="ENDPOINT_IDENTITY_MISMATCH", last_at__gte=since)
    known = proved.exclude(claimed_name__in=("", device.endpoint)).order_by("-last_at").first()
    if known is not None:
        return NearMiss(known.claimed_name, known.last_at, known.count, True)
    names = {device.endpoint, *_identities(device)}
    like = Q()
    for name in names:
        like |= _like("claimed_name", name)
    rows = Knock.objects.filter(
        like, device=None, operator=None, cause__in=_NAMELESS_DEVICE, last_at__gte=since
    )
    for knock in rows.order_by("-last_at")[:_LIMIT]:
        if any(is_one_slip(knock.claimed_name, name) for name in names) and _is_only_one(device, knock):
            return NearMiss(knock.claimed_name, knock.last_at, knock.count, False)
    return None


def _waits(device: Device) -> bool:
    return (
        device.access == Access.ACTIVE
        and device.first_online_at is None
        and getattr(device, "registration", None) is None
    )


def _identities(device: Device) -> list[str]:
    rows = Credential.objects.filter(device=device).usable()
    return list(rows.values_list("identity", flat=True))


def _is_only_one(device: Device, knock: Knock) -> bool:
    waiting = Device.objects.filter(
        _like("endpoint", knock.claimed_name) | _like("credentials__identity", knock.claimed_name),
        access=Access.ACTIVE,
        first_online_at=None,
        registration=None,
        provisioning__in=(Provisioning.DRAFT, Provisioning.READY, Provisioning.FAILED),
    ).exclude(pk=device.pk)
    names = waiting.values_list("endpoint", "credentials__identity")[: 10 * _LIMIT]
    return not any(is_one_slip(knock.claimed_name, name) for row in names for name in row if name is not None)


def _like(column: str, name: str) -> Q:
    """What the database can sort out: one slip leaves the beginning or the end as it was."""
    begin, end = intact_ends(name)
    found = Q()
    if begin:
        found |= Q(**{f"{column}__startswith": begin})
    if end:
        found |= Q(**{f"{column}__endswith": end})
    return found if found else Q(**{column: name})
