"""What operators want observed, held for every device across its registrations: wanted, ended, asked for anew.

The row is the wish; the Observe request itself is a command of the mailbox, so it waits for a device that sleeps and
survives a restart. A new wish for the same path takes the place of the old one (L-15). After every Register
southbound calls `reestablish`; `observation_states` keeps what comes of it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.utils import timezone

from accounts.errors import Refused
from audit import ledger
from devices.commands.models import COMMAND_ENDED, Command, Operation
from devices.commands.outcomes import Done
from devices.commands.services import mailbox, operation_asks, operation_rules
from devices.inventory import events, locks
from devices.inventory.models import Device
from devices.observations.models import Observation, ObservationState
from devices.observations.services import observation_history
from devices.observations.services.observation_states import (
    Observed,
    by_token,
    by_tokens,
    established,
    lost,
    notified,
    refused,
    relisted,
    to_establish,
    wanting,
    wanting_through,
)
from devices.registry.selectors import ways

__all__ = [
    "Ended",
    "Observed",
    "by_token",
    "by_tokens",
    "established",
    "lost",
    "notified",
    "reestablish",
    "refused",
    "relisted",
    "to_establish",
    "unwant",
    "want",
    "wanting",
    "wanting_through",
]

LIMIT = 200
"""So many observations a device may have."""
SYSTEM = "system"


@dataclass(frozen=True, slots=True)
class Ended:
    """The observation as it ended, and the command that tells the device, if it has to be told."""

    observation: Observation
    command: Command | None


def want(
    *,
    device: Device,
    path: str = "",
    paths: Sequence[str] = (),
    arguments: Mapping[str, Any] | None = None,
    wanted_by: str,
    reason: str = "",
    now: datetime | None = None,
    must_ask: bool = False,
    **delivery: Any,
) -> Observation:
    """Observe `path`, or all `paths` as one composite observation, from now on and on every registration.

    `arguments` are those of the operation observe (`attributes`, `content_format`). The device is asked at
    once when it is registered, else after its next Register; `must_ask` puts the request into the mailbox either
    way, with `delivery` for `mailbox.enqueue`. The same wish twice changes nothing. Raises Refused.
    """
    now = now or timezone.now()
    operation = Operation.OBSERVE_COMPOSITE if paths else Operation.OBSERVE
    ask = operation_asks.of(device, operation, path=path, paths=paths, arguments=arguments)
    checked = operation_rules.checked(ask)
    names = [str(one) for one in ask.paths] or [str(ask.path)]
    with ledger.unit_of_work():
        locked = locks.device(device.pk)
        before = find(device=locked, paths=names, is_composite=bool(ask.paths))
        row, is_changed = _wished(locked, names, bool(ask.paths), checked)
        if is_changed:
            row.wanted_by, row.reason = wanted_by, reason
            row.state, row.token, row.registration_id = ObservationState.WANTED, "", ""
            row.cause = row.detail = ""
            _take_back(row, "The observation was changed.")
            row.save()
            observation_history.wanted(row, locked)
        live = ways.live_registration(locked).first()
        is_active = live is not None and row.registration_id == live.registration_id
        is_active = is_active and row.state == ObservationState.ACTIVE
        if must_ask or (live is not None and not is_active):
            if before is not None and live is not None and _stands(before, live.registration_id):
                _end_before(before, locked, wanted_by, now, **delivery)
            _ask(row, locked, wanted_by, reason, now, **delivery)
        events.device_changed(locked.pk, locked.operator_id, ["observations"])
    return row


def unwant(
    *,
    observation: Observation,
    mode: str = "active",
    by: str,
    reason: str = "",
    now: datetime | None = None,
    must_tell: bool = False,
    **delivery: Any,
) -> Ended:
    """Nobody wants it any more. Active: the device is told, with the same token and options (int-303).

    Passive: the next notification is reset (int-302), which it is anyway, as its token is not known any more.
    `must_tell` leaves a command in any case, done at once where there is nothing to send.
    """
    now = now or timezone.now()
    with ledger.unit_of_work():
        device = locks.device(observation.device_id)
        live = ways.live_registration(device).first()
        row = locks.rows(Observation.objects).get(pk=observation.pk)
        if row.state == ObservationState.ENDED:
            raise Refused("OBSERVATION_ENDED")
        stands = live is not None and _stands(row, live.registration_id)
        row.state, row.ended_at = ObservationState.ENDED, now
        _take_back(row, reason)
        row.save(update_fields=["state", "ended_at", "command"])
        observation_history.unwanted(row, device, by=by, reason=reason)
        command = None
        if must_tell or (stands and mode == "active"):
            command = _enqueue(
                row,
                device,
                _cancel_operation(row),
                {**_carried(row), "attributes": row.attributes, "mode": mode, "token": row.token},
                by,
                reason,
                now,
                **delivery,
            )
            if not stands or mode == "passive":
                mailbox.finish(command_id=command.pk, outcome=Done("", {"told": False}), now=now)
                command.refresh_from_db()
        events.device_changed(device.pk, device.operator_id, ["observations"])
    return Ended(row, command)


def reestablish(*, device_id: int, registration_id: str, now: datetime) -> int:
    """After Register: ask for all that is wanted and not under way already; returns for how many."""
    with ledger.unit_of_work():
        device = locks.owner(pk=device_id)
        if device is None:
            return 0
        asked = 0
        for row in to_establish(device_id=device_id, registration_id=registration_id):
            command = Command.objects.filter(pk=row.command_id).first() if row.command_id else None
            if command is None or command.state in COMMAND_ENDED:
                _ask(row, device, SYSTEM, "Wanted; the device registered.", now)
                asked += 1
    return asked


def find(*, device: Device, paths: Sequence[str], is_composite: bool) -> Observation | None:
    """The observation of exactly these paths that has not ended."""
    rows = Observation.objects.filter(device=device, key=_key(paths), is_composite=is_composite)
    return rows.exclude(state=ObservationState.ENDED).first()


def _key(paths: Sequence[str]) -> str:
    key = " ".join(paths)
    if len(key) > 1024:
        raise Refused("OBSERVATION_PATHS_TOO_MANY", field="paths")
    return key


def _wished(
    device: Device, paths: list[str], is_composite: bool, checked: Mapping[str, Any]
) -> tuple[Observation, bool]:
    """The one row of these paths, and whether the wish differs from what it holds."""
    attributes, content_format = checked.get("attributes", {}), checked.get("content_format")
    row = find(device=device, paths=paths, is_composite=is_composite)
    if row is None:
        if device.observations.exclude(state=ObservationState.ENDED).count() >= LIMIT:
            raise Refused("OBSERVATIONS_REACHED", limit=LIMIT)
        row = Observation(device=device, key=_key(paths), paths=paths, is_composite=is_composite)
    elif row.attributes == attributes and row.content_format == content_format:
        return row, row.state == ObservationState.REFUSED
    row.attributes, row.content_format = attributes, content_format
    return row, True


def _ask(row: Observation, device: Device, by: str, reason: str, now: datetime, **delivery: Any) -> None:
    """Put the Observe request into the mailbox; southbound writes its attributes first where the version wants that."""
    if row.command is not None and row.command.state not in COMMAND_ENDED:
        return
    operation = Operation.OBSERVE_COMPOSITE if row.is_composite else Operation.OBSERVE
    row.command = _enqueue(
        row, device, operation, {**_carried(row), "attributes": row.attributes}, by, reason, now, **delivery
    )
    row.save(update_fields=["command"])


def _stands(row: Observation, registration_id: str) -> bool:
    """The device observes this under the row's token."""
    return row.token != "" and row.registration_id == registration_id


def _end_before(row: Observation, device: Device, by: str, now: datetime, **delivery: Any) -> None:
    """A device keeps the old observation beside the new one: its notifications would be reset, and one be lost."""
    if row.command is not None and row.command.state not in COMMAND_ENDED:
        return
    _enqueue(
        row,
        device,
        _cancel_operation(row),
        {**_carried(row), "attributes": row.attributes, "mode": "active", "token": row.token},
        by,
        "Observed anew.",
        now,
        **delivery,
    )


def _carried(row: Observation) -> dict[str, Any]:
    """What every request about an observation repeats."""
    carried: dict[str, Any] = {"observation_id": row.pk}
    if row.is_composite:
        carried["paths"] = row.paths
    if row.content_format is not None:
        carried["content_format"] = row.content_format
    return carried


def _cancel_operation(row: Observation) -> str:
    return Operation.CANCEL_OBSERVE_COMPOSITE if row.is_composite else Operation.CANCEL_OBSERVE


def _enqueue(
    row: Observation,
    device: Device,
    operation: str,
    arguments: dict[str, Any],
    by: str,
    reason: str,
    now: datetime,
    **delivery: Any,
) -> Command:
    return mailbox.enqueue(
        device=device,
        operation=operation,
        path="/" if row.is_composite else row.paths[0],
        arguments=arguments,
        requested_by=by,
        reason=reason,
        now=now,
        **delivery,
    )


def _take_back(row: Observation, reason: str) -> None:
    """A request that waits still asks for the old wish."""
    if row.command_id is not None:
        mailbox.cancel(command_id=row.command_id, reason=reason)
    row.command = None
