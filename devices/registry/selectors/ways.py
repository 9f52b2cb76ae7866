"""Whose registration carries what is sent to a device: its own, or that of the gateway it sits behind."""

from __future__ import annotations

from django.db.models import F, Q, QuerySet

from devices.inventory.models import Device, Reach
from devices.inventory.states import Access
from devices.registry.models import Registration, RegistrationDetail

PRESENCE = (
    "registration",
    "registration_detail",
    "via__registration",
    "via__registration_detail",
)
"""`select_related` of whoever tells the session of devices."""


def carrier_id(device: Device) -> int | None:
    """The device's own id, or that of the gateway that tells of it now; None while no gateway does."""
    if device.reach != Reach.GATEWAY:
        return device.pk
    standing = Device.objects.filter(pk=device.pk, gone_at=None)
    return standing.values_list("via_id", flat=True).first()


def live_registration(device: Device) -> QuerySet[Registration]:
    """The one live registration that leads to the device, or none."""
    carrier = carrier_id(device)
    return Registration.objects.none() if carrier is None else Registration.objects.live().filter(pk=carrier)


def through_gateways(device: str = "") -> Q:
    """Rows of devices that can be sent to through their gateway, whose list was read on its present registration.

    A gateway that starts anew may give its prefixes to others. `device` is where the row has its device.
    """
    via = f"{device}via__"
    return Q(
        **{
            f"{device}gone_at": None,
            f"{device}access": Access.ACTIVE,
            f"{via}end_devices_read_at__gte": F(f"{via}registration__registered_at"),
        }
    )


def gateway(device: Device) -> Device | None:
    """The gateway that tells of it, or that told of it last."""
    return device.via


def gone_cause(device: Device) -> str:
    """Why its gateway tells of it no more; empty while it does. Needs the gateway selected."""
    if device.gone_at is None or device.via is None:
        return ""
    return "GATEWAY_REMOVED" if device.via.access == Access.RETIRED else "END_DEVICE_GONE"


def registration(device: Device) -> Registration | None:
    """As the pages show it, live or not: that of the gateway for an end device. Needs `PRESENCE`."""
    carrier = device.via if device.reach == Reach.GATEWAY else device
    return getattr(carrier, "registration", None)


def registration_detail(device: Device) -> RegistrationDetail | None:
    """What the device said of itself; of an end device, what its gateway says of it. Needs `PRESENCE`."""
    own: RegistrationDetail | None = getattr(device, "registration_detail", None)
    if device.reach != Reach.GATEWAY:
        return own
    return (
        None
        if device.via is None
        else _through(device, own, getattr(device.via, "registration_detail", None))
    )


def fresh_detail(device: Device) -> RegistrationDetail | None:
    """The same, read now."""
    if device.reach != Reach.GATEWAY:
        return RegistrationDetail.objects.filter(device_id=device.pk).first()
    known = Device.objects.select_related("registration_detail", "via__registration_detail").get(pk=device.pk)
    return registration_detail(known)


def _through(
    device: Device, own: RegistrationDetail | None, carrier: RegistrationDetail | None
) -> RegistrationDetail:
    """Never saved: the version and binding are the gateway's, the objects its own."""
    return RegistrationDetail(
        device_id=device.pk,
        version=carrier.version if carrier else "",
        binding=carrier.binding if carrier else "",
        object_links=own.object_links if own else {},
        ended_at=carrier.ended_at if carrier else None,
        end_cause=carrier.end_cause if carrier else "",
    )


def shown_with(device_id: int) -> list[int]:
    """Whose changes the page of a device shows: its own, and those of the gateway that speaks for it."""
    rows = Device.objects.filter(pk=device_id, via__isnull=False).values_list("via_id", flat=True)
    return [device_id, *rows]
