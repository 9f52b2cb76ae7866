"""How observations fare on the air: established, refused, notified, lost with their registration.

Active is only what was established on the registration that is live now: `by_tokens` and `to_establish` compare, so
that an observation of a registration that died is never taken for one that lives (L-21). None of these sends.
What is observed on an end device stands on the registration of its gateway, and notifies under a token there.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache
from json import loads

from django.db.models import F, Q

from audit import ledger
from devices.commands.models import CommandState
from devices.inventory import events, locks, sql
from devices.inventory.models import Device
from devices.observations import observation_rows
from devices.observations.models import Observation, ObservationState
from devices.registry.selectors import ways
from lwm2m.object_links import ObjectLinks
from lwm2m.paths import Path

KEPT_LIMIT = 1_000
_DETAIL_LIMIT = 300
_STANDING = (ObservationState.ACTIVE, ObservationState.REFUSED)


@dataclass(frozen=True, slots=True)
class Observed:
    """An active observation as a notification finds it; `number` is of the newest one, which came at `heard_at`."""

    observation_id: int
    device_id: int
    paths: tuple[str, ...]
    is_composite: bool
    number: int | None = None
    heard_at: datetime | None = None


def established(
    *, observation_id: int, registration_id: str, token: str, number: int | None = None, now: datetime
) -> bool:
    """The device observes under `token` (hexadecimal). False: it must not stay, so its notifications are reset.

    That is when nobody wants it any more, or the registration it was established on ended meanwhile (L-21).
    """
    with ledger.unit_of_work():
        device = _lock_device(observation_id)
        if device is None:
            return False
        live = locks.rows(ways.live_registration(device)).filter(registration_id=registration_id)
        row = locks.rows(Observation.objects).get(pk=observation_id)
        if row.state == ObservationState.ENDED or live.first() is None:
            return False
        # A token is new: whatever had the same one before is gone.
        same = Observation.objects.filter(device=device, token=token, state=ObservationState.ACTIVE)
        same.exclude(pk=row.pk).update(state=ObservationState.WANTED, token="", registration_id="")
        row.state, row.registration_id, row.token = ObservationState.ACTIVE, registration_id, token
        row.cause = row.detail = ""
        row.established_at, row.notified_number = now, number
        row.save(
            update_fields=[
                "state",
                "registration_id",
                "token",
                "cause",
                "detail",
                "established_at",
                "notified_number",
            ]
        )
        events.device_changed(device.pk, device.operator_id, ["observations"])
    return True


def refused(*, observation_id: int, cause: str, detail: str = "", now: datetime) -> bool:
    """The device will not observe this, or ended it with an error notification (L-18).

    It stays wanted: the next registration asks once more.
    """
    with ledger.unit_of_work():
        device = _lock_device(observation_id)
        if device is None:
            return False
        registration = ways.live_registration(device)
        row = locks.rows(Observation.objects).get(pk=observation_id)
        if row.state == ObservationState.ENDED:
            return False
        row.state, row.token = ObservationState.REFUSED, ""
        row.registration_id = registration.values_list("registration_id", flat=True).first() or ""
        row.cause, row.detail = cause, detail[:_DETAIL_LIMIT]
        row.save(update_fields=["state", "token", "registration_id", "cause", "detail"])
        events.device_changed(device.pk, device.operator_id, ["observations"])
    return True


def lost(*, device_ids: Iterable[int]) -> int:
    """The registrations of these devices ended or were replaced: nothing is observed there (R-01, R-02, R-08).

    Those of the end devices behind them go with them. In the caller's transaction; what is wanted stays wanted.
    """
    ids = set(device_ids)
    ids |= set(Device.objects.filter(via_id__in=ids).order_by().values_list("pk", flat=True))
    rows = Observation.objects.filter(device_id__in=sorted(ids), state=ObservationState.ACTIVE)
    return rows.update(state=ObservationState.WANTED, token="", registration_id="")


def relisted(*, changes: Mapping[int, tuple[ObjectLinks, ObjectLinks]]) -> set[int]:
    """These devices sent another object list: `changes` are the lists before and after. In the caller's transaction.

    What is observed on an instance that is not listed any more has ended there; what was refused is wanted again once
    it is listed. Returns the devices of which something is to be asked.
    """
    devices = locks.devices(changes)
    rows = locks.rows(Observation.objects).filter(device_id__in=sorted(changes), state__in=_STANDING)
    asked: set[int] = set()
    changed: dict[int, int] = {}
    for row in rows.order_by("device_id", "pk"):
        before, after = changes[row.device_id]
        paths = [Path.parse(name) for name in row.paths]
        was, is_listed = (all(links.has_instance(path) for path in paths) for links in (before, after))
        if is_listed and (row.state == ObservationState.REFUSED or not was):
            row.state, row.cause, row.detail = ObservationState.WANTED, "", ""
            row.registration_id = ""
            asked.add(row.device_id)
        elif was and not is_listed and row.state == ObservationState.ACTIVE and not row.is_composite:
            row.state, row.cause = ObservationState.REFUSED, "OBSERVED_PATH_GONE"
            row.detail = f"{row.paths[0]} is not on the device's list any more."
        else:
            continue
        row.token = ""
        row.save(update_fields=["state", "token", "registration_id", "cause", "detail"])
        changed[row.device_id] = devices[row.device_id].operator_id
    events.devices_changed(changed.items(), ["observations"])
    return asked


def notified(*, newest: Mapping[int, tuple[str, int | None]], now: datetime) -> None:
    """These sent a notification: observation id -> token and number of the newest; in the caller's transaction.

    Where the device observes under another token meanwhile, nothing is noted.
    """
    if newest:
        observation_rows.notified([(pk, *newest[pk]) for pk in sorted(newest)], now=now)


def by_tokens(keys: Sequence[tuple[int, str]]) -> dict[tuple[int, str], Observed]:
    """(device id, token) -> the active observation of a live registration. Missing: answer with a reset (R-07).

    With the id of a gateway, what is observed on the end devices behind it is found, too.
    """
    wanted = set(keys)
    found = _observed(observation_rows.standing(sorted(wanted)))
    left = wanted - found.keys()
    return found | _observed(observation_rows.standing_through(sorted(left))) if left else found


def _observed(rows: Iterable[observation_rows.Standing]) -> dict[tuple[int, str], Observed]:
    return {
        (carrier_id, token): Observed(
            pk, device_id, _paths(paths), bool(is_composite), number, sql.from_epoch(sql.to_epoch(heard_at))
        )
        for carrier_id, token, pk, device_id, paths, is_composite, number, heard_at in rows
    }


@lru_cache(maxsize=KEPT_LIMIT)
def _paths(text: str) -> tuple[str, ...]:
    """Devices of one kind are observed alike."""
    return tuple(loads(text))


def by_token(*, device_id: int, token: str) -> Observed | None:
    return by_tokens([(device_id, token)]).get((device_id, token))


def to_establish(*, device_id: int, registration_id: str) -> list[Observation]:
    """What is wanted and neither active nor refused on this registration (R-07)."""
    rows = Observation.objects.filter(device_id=device_id).exclude(state=ObservationState.ENDED)
    return list(rows.exclude(state__in=_STANDING, registration_id=registration_id).order_by("pk"))


def wanting(device_ids: Iterable[int]) -> dict[int, str]:
    """Of these devices, those with something to establish, and the live registration it is to stand on."""
    return _wanting(Q(device_id__in=sorted(set(device_ids))), "device__registration")


def wanting_through(gateway_ids: Iterable[int], limit: int) -> dict[int, str]:
    """The same for end devices of these gateways that were told of on the present registration, not yet asked.

    At most `limit`: with so many found, ask again.
    """
    told = Q(ways.through_gateways("device__"), device__via_id__in=sorted(set(gateway_ids)))
    asked = Q(command__state__in=[CommandState.QUEUED, CommandState.SENT])
    return _wanting(told & ~asked, "device__via__registration", limit)


def _wanting(which: Q, registration: str, limit: int | None = None) -> dict[int, str]:
    name = f"{registration}__registration_id"
    rows = Observation.objects.filter(which, **{f"{registration}__is_live": True})
    rows = rows.exclude(state=ObservationState.ENDED)
    rows = rows.exclude(Q(state__in=_STANDING, registration_id=F(name)))
    return dict(rows.order_by("device_id").values_list("device_id", name).distinct()[:limit])


def _lock_device(observation_id: int) -> Device | None:
    return locks.owner(observations=observation_id)
