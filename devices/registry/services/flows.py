"""Through which southbound process a device is reached: moved with its DTLS session, and when its process has died."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime

from audit import ledger
from devices.inventory import locks
from devices.registry.models import Registration, Transport
from devices.registry.services import processes


def sessions_here(
    *, addresses: Mapping[str, tuple[str, int]], flow: str, host: str, now: datetime, are_new: bool
) -> list[int]:
    """PSK identity -> where its DTLS session is: who registered with it is reached from here; returns the devices.

    A session that came with a restart (`are_new` false) yields to another process that runs and was heard since.
    """
    with ledger.unit_of_work():
        others = {row.flow for row in processes.living(host=host, now=now)} - {flow}
        rows = locks.rows(Registration.objects).filter(
            identity__in=list(addresses), is_live=True, transport=Transport.DTLS
        )
        taken, written = [], []
        for row in rows.order_by("pk"):
            if row.flow != flow and not are_new and row.flow in others:
                continue
            taken.append(row.pk)
            where = addresses[row.identity]
            if row.flow != flow or (row.host, row.port) != where:
                row.flow, (row.host, row.port) = flow, where
                written.append(row)
        Registration.objects.bulk_update(written, ["flow", "host", "port"])
    return taken


def without_session(*, flow: str, host: str, now: datetime) -> int:
    """How many devices are registered over DTLS and known to no process that runs: they have to shake hands anew."""
    flows = {row.flow for row in processes.living(host=host, now=now)} | {flow}
    return Registration.objects.live().filter(transport=Transport.DTLS).exclude(flow__in=flows).count()


def adopt(*, device_ids: Iterable[int], flow: str, host: str, now: datetime) -> list[int]:
    """These answered this process: it is theirs now, unless another one that runs is; returns which it became."""
    flows = [row.flow for row in processes.living(host=host, now=now)]
    ids = sorted(set(device_ids))
    Registration.objects.live().filter(pk__in=ids).exclude(flow__in=flows).update(flow=flow)
    return list(Registration.objects.filter(pk__in=ids, flow=flow).values_list("pk", flat=True))
