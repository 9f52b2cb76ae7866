"""Who knocks and is not let in.

A knock that can be tied to an operator's device is that operator's. One that cannot, as nobody added such a
device, is listed for the platform's own staff only, as its name may belong to anybody; but whoever can say
the whole name, because the owner reads it to them from the label, may see that it knocks.

A knock without any name (a certificate, OSCORE, TLS, no common cipher suite) has nothing but its address. It is listed
for the operators whose devices were heard from there, and for whoever can say the address.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from django.db.models import Q, QuerySet

from audit.causes import CAUSES, Cause
from devices.inventory.models import Device, Knock
from devices.registry.models import Registration
from provisioning.models import BootstrapSession

LIMIT = 100


@dataclass(frozen=True)
class Seen:
    """A knock with its cause in words."""

    knock: Knock
    cause: Cause | None


def visible(operator_ids: Iterable[int] | None) -> QuerySet[Knock]:
    rows = Knock.objects.select_related("device", "operator")
    if operator_ids is None:
        return rows
    return rows.filter(Q(operator_id__in=operator_ids) | _nameless_from(operator_ids))


def _nameless_from(operator_ids: Iterable[int]) -> Q:
    """From addresses that devices of these operators registered or were bootstrapped from."""
    ids = list(operator_ids)
    registered = Registration.objects.filter(device__operator_id__in=ids).values("host")
    bootstrapped = BootstrapSession.objects.filter(operator_id__in=ids).order_by().values("host")
    heard = Q(host__in=registered) | Q(host__in=bootstrapped)
    return Q(operator=None, device=None, claimed_name="") & heard


def unseen(operator_ids: Iterable[int] | None) -> int:
    """How many knocks of nobody's devices there are that these operators are not shown."""
    if operator_ids is None:
        return 0
    shown = visible(operator_ids).filter(operator=None).values("pk")
    return Knock.objects.filter(operator=None, device=None).exclude(pk__in=shown).count()


def waiting(operator_ids: Iterable[int] | None, *, text: str = "", cause: str = "") -> QuerySet[Knock]:
    """Newest first. With a text also knocks of nobody's devices, by exact name, or without one by exact address."""
    rows = visible(operator_ids)
    if text:
        said = Q(claimed_name=text) | Q(claimed_name="", host=text)
        whole = Knock.objects.select_related("device", "operator").filter(said, operator=None)
        rows = rows.filter(Q(claimed_name__icontains=text) | Q(host=text)) | whole
    if cause:
        rows = rows.filter(cause=cause)
    return rows.order_by("-last_at")


def of_nobody(name: str) -> list[Seen]:
    """Knocks under exactly this name that no device of any operator explains."""
    return seen(Knock.objects.filter(claimed_name=name, device=None).order_by("-last_at")[:10])


def of_device(device: Device) -> list[Seen]:
    """Knocks tied to the device, or made under its endpoint name while nobody had it."""
    tied = Q(device=device) | Q(claimed_name=device.endpoint, device=None)
    return seen(Knock.objects.filter(tied).order_by("-last_at")[:20])


def seen(knocks: Iterable[Knock]) -> list[Seen]:
    return [Seen(knock, CAUSES.get(knock.cause)) for knock in knocks]


def causes(operator_ids: Iterable[int] | None) -> list[Cause]:
    """Causes that occur in the waiting room, for its filter."""
    codes = visible(operator_ids).order_by().values_list("cause", flat=True).distinct()
    return [CAUSES[code] for code in sorted(codes) if code in CAUSES]
