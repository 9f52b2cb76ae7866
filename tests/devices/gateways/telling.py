"""A device behind a gateway, as if the gateway had told of it, for tests that are about something else."""

from __future__ import annotations

from datetime import datetime

from django.utils import timezone

from devices.gateways.models import EndDevice
from devices.gateways.services import routes
from devices.inventory.models import Device, Reach


def behind(
    gateway: Device,
    device: Device,
    *,
    prefix: str = "dev0",
    instance: int = 0,
    gone_at: datetime | None = None,
) -> EndDevice:
    """Its entry, with the way to it; read on the gateway's registration of now."""
    row = EndDevice.objects.create(
        gateway=gateway, device=device, instance=instance, identifier=device.endpoint, prefix=prefix
    )
    Device.objects.filter(pk=device.pk).update(reach=Reach.GATEWAY)
    routes.lead(gateway=gateway, device_ids=[device.pk])
    routes.describe([row])
    if gone_at is not None:
        EndDevice.objects.filter(pk=row.pk).update(gone_at=gone_at, gone_cause="END_DEVICE_GONE")
        routes.gone(device_ids=[device.pk], now=gone_at)
    routes.read(gateway=gateway, now=timezone.now())
    device.refresh_from_db()
    return row
