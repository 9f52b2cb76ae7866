"""Whose registration carries what is sent to a device: its own, or that of the gateway it sits behind."""

from __future__ import annotations

from collections.abc import Iterable

from django.db.models import QuerySet

from devices.gateways.models import EndDevice
from devices.inventory.models import Device, Reach
from devices.registry.models import Registration, RegistrationDetail

PRESENCE = (
    "registration",
    "registration_detail",
    "end_device__gateway__registration",
    "end_device__gateway__registration_detail",
)
"""`select_related` of whoever tells the session of devices."""


def carrier_id(device: Device) -> int | None:
    """The device's own id, or that of the gateway that tells of it now; None while no gateway does."""
    if device.reach != Reach.GATEWAY:
        return device.pk
    standing = EndDevice.objects.filter(device_id=device.pk, gone_at=None)
    return standing.values_list("gateway_id", flat=True).first()


def live_registration(device: Device) -> QuerySet[Registration]:
    """The one live registration that leads to the device, or none."""
    return Registration.objects.live().filter(device_id=carrier_id(device))


def end_device(device: Device) -> EndDevice | None:
    """What its gateway last told of the device; None for a device of another reach or one never told of."""
    return getattr(device, "end_device", None) if device.reach == Reach.GATEWAY else None


def gateway(device: Device) -> Device | None:
    """The gateway that tells of it, or that told of it last."""
    known = end_device(device)
    return None if known is None else known.gateway


def registration(device: Device) -> Registration | None:
    """As the pages show it, live or not: that of the gateway for an end device. Needs `PRESENCE`."""
    carrier = gateway(device) if device.reach == Reach.GATEWAY else device
    return getattr(carrier, "registration", None)


def registration_detail(device: Device) -> RegistrationDetail | None:
    """What the device said of itself; of an end device, what its gateway says of it. Needs `PRESENCE`."""
    if device.reach != Reach.GATEWAY:
        return getattr(device, "registration_detail", None)
    known = end_device(device)
    return (
        None if known is None else _of_end_device(known, getattr(known.gateway, "registration_detail", None))
    )


def fresh_detail(device: Device) -> RegistrationDetail | None:
    """The same, read now."""
    if device.reach != Reach.GATEWAY:
        return RegistrationDetail.objects.filter(device_id=device.pk).first()
    known = EndDevice.objects.filter(device_id=device.pk).first()
    if known is None:
        return None
    return _of_end_device(known, RegistrationDetail.objects.filter(device_id=known.gateway_id).first())


def _of_end_device(known: EndDevice, carrier: RegistrationDetail | None) -> RegistrationDetail:
    """Never saved: the version and binding are the gateway's, the objects its own."""
    return RegistrationDetail(
        device_id=known.device_id,
        version=carrier.version if carrier else "",
        binding=carrier.binding if carrier else "",
        object_links=known.object_links or {},
        ended_at=carrier.ended_at if carrier else None,
        end_cause=carrier.end_cause if carrier else "",
    )


def by_prefix(pairs: Iterable[tuple[int, str]]) -> dict[tuple[int, str], int | None]:
    """(gateway id, prefix) -> device id, None for one that nobody took; what is missing is not known."""
    wanted = set(pairs)
    rows = EndDevice.objects.filter(
        gateway_id__in={gateway_id for gateway_id, _ in wanted},
        prefix__in={prefix for _, prefix in wanted},
        gone_at=None,
    ).values_list("gateway_id", "prefix", "device_id")
    return {
        (gateway_id, prefix): device_id
        for gateway_id, prefix, device_id in rows
        if (gateway_id, prefix) in wanted
    }


def shown_with(device_id: int) -> list[int]:
    """Whose changes the page of a device shows: its own, and those of the gateway that speaks for it."""
    rows = EndDevice.objects.filter(device_id=device_id).values_list("gateway_id", flat=True)
    return [device_id, *rows]
