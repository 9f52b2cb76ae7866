"""How claimed commands ended, and what follows from an answer: values told, an observation that stands or was refused.

The one way back of `operations.request`. In one transaction with the devices locked; then come commands, end devices,
registration and observation, and last the values: whoever stores values together with something else keeps that order.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from audit import ledger
from audit.actions import Action
from devices.commands.models import Command, Operation
from devices.commands.outcomes import DeviceRefused, Done, Outcome
from devices.commands.services import delivery
from devices.commands.services.delivery import Settled
from devices.gateways.services import end_device_reading, end_devices, route_locks
from devices.inventory.models import Device, Reach
from devices.inventory.services import device_trail
from devices.observations.services import observation_states
from devices.registry.selectors import device_models
from devices.telemetry.services import values
from devices.telemetry.services.value_json import from_json
from devices.telemetry.services.values import Sample
from lwm2m.nodes import absolute_time
from lwm2m.paths import Path
from lwm2m.values import typed

_READS = (Operation.READ, Operation.OBSERVE, Operation.READ_COMPOSITE, Operation.OBSERVE_COMPOSITE)
_WRITES = (Operation.WRITE, Operation.CREATE, Operation.WRITE_COMPOSITE)
_OBSERVES = (Operation.OBSERVE, Operation.OBSERVE_COMPOSITE)
_WHOLE = (Operation.READ, Operation.OBSERVE)
_NOT_FOUND = "4.04"


@dataclass(frozen=True, slots=True)
class Learned:
    """What an answer told of values: these are there, and of a whole `path` nothing else is."""

    device_id: int
    samples: Sequence[Sample] = ()
    path: str = ""


def settle(
    *, devices: Mapping[int, Device], outcomes: Sequence[tuple[int, Outcome]], now: datetime
) -> list[Settled]:
    """Of many commands (id, outcome) whose devices the caller has locked; those not in flight are left alone.

    With `route_locks.lock`: an answer of a gateway may move others than its own device.
    """
    settled = delivery.settle(devices=devices, outcomes=outcomes, now=now)
    answered = [(one.command, one.answer) for one in settled if one.answer is not None]
    if answered:
        with ledger.together():
            learned = [_learned(command, answer, now) for command, answer in answered]
        operators = {command.device_id: command.device.operator_id for command, _ in answered}
        _keep(learned, now, operators=operators)
    return settled


def settle_one(*, command_id: int, outcome: Outcome, now: datetime) -> Command | None:
    """Of one command; a second time nothing changes, and None is returned.

    After silence a command that may be repeated waits for its next try, at most `mailbox.MAX_ATTEMPTS` in all.
    """
    with ledger.unit_of_work():
        owner = Command.objects.filter(pk=command_id).values_list("device_id", flat=True)
        devices = route_locks.lock(set(owner), route_locks.answers([(command_id, outcome)]))
        settled = settle(devices=devices, outcomes=[(command_id, outcome)], now=now)
    return settled[0].command if settled else None


def _learned(command: Command, answer: Done | DeviceRefused, now: datetime) -> Learned:
    return _done(command, answer, now) if isinstance(answer, Done) else _refused(command, answer, now)


def _done(command: Command, outcome: Done, now: datetime) -> Learned:
    """The device did it."""
    if command.device.reach == Reach.GATEWAY:
        end_devices.heard([command.device_id], now=now)
    device_id, path = command.device_id, command.path
    if command.operation in _OBSERVES:
        _observing(command, outcome, now)
    if command.operation in _READS:
        told = list(_told(device_id, outcome.answer, now))
        told += _end_devices(command, outcome.answer, now)
        is_whole = command.operation in _WHOLE and isinstance(outcome.answer, Mapping)
        return Learned(device_id, told, path if is_whole and "nodes" in outcome.answer else "")
    if command.operation in _WRITES:
        return Learned(device_id, list(_written(command, now)))
    return Learned(device_id, (), path if command.operation == Operation.DELETE else "")


def _end_devices(command: Command, answer: Any, now: datetime) -> Sequence[Sample]:
    """A gateway told of what is behind it; returns the values that waited for this."""
    path = Path.parse(command.path)
    if not end_device_reading.is_about(path) or not isinstance(answer, Mapping) or "nodes" not in answer:
        return ()
    instances = end_device_reading.of_nodes(answer["nodes"])
    is_whole = path.depth == 1
    return end_devices.told(gateway=command.device, instances=instances, is_whole=is_whole, now=now).samples


def _refused(command: Command, outcome: DeviceRefused, now: datetime) -> Learned:
    """The device answered with an error."""
    if command.operation in _OBSERVES and (observation_id := command.arguments.get("observation_id")):
        observation_states.refused(
            observation_id=observation_id,
            cause=outcome.cause,
            detail=f"{outcome.code} {outcome.detail}".strip(),
            now=now,
        )
    is_gone = command.operation in _WHOLE and outcome.code == _NOT_FOUND
    if command.device.reach == Reach.GATEWAY:  # there it may be the prefix that is not found
        is_gone = False
    return Learned(command.device_id, (), command.path if is_gone else "")


def _keep(learned: Sequence[Learned], now: datetime, *, operators: Mapping[int, int]) -> None:
    """Store what a batch of answers told, at most one of each device; `operators` are those of the devices."""
    told = [sample for one in learned for sample in one.samples]
    refused = values.store(samples=told, now=now, operators=operators)
    for device in Device.objects.filter(pk__in=refused) if refused else ():
        device_trail.record(
            device,
            Action.VALUES_REFUSED,
            result="refused",
            cause="VALUES_LIMIT",
            detail={"count": len(refused[device.pk]), "limit": values.LIMIT},
        )
    by_path: dict[str, dict[int, list[str]]] = defaultdict(dict)
    for one in learned:
        if one.path:
            by_path[one.path][one.device_id] = [sample.path for sample in one.samples]
    for path, seen in by_path.items():
        values.absent(path=path, seen=seen, now=now)


def _observing(command: Command, outcome: Done, now: datetime) -> None:
    observation_id = command.arguments.get("observation_id")
    if observation_id is None:
        return
    if outcome.observing is None:
        observation_states.refused(
            observation_id=observation_id,
            cause="COMMAND_REFUSED",
            detail="The device answered once and does not observe this.",
            now=now,
        )
        return
    observation_states.established(
        observation_id=observation_id,
        registration_id=outcome.observing.registration_id,
        token=outcome.observing.token,
        number=outcome.observing.number,
        now=now,
    )


def _told(device_id: int, answer: Any, now: datetime) -> Iterator[Sample]:
    nodes = answer.get("nodes") if isinstance(answer, Mapping) else None
    received_at = now.timestamp()
    for node in nodes or ():
        path = Path.parse(node["path"])
        if path.depth >= 3:
            at = absolute_time(node.get("time"), received_at)
            yield Sample(device_id, str(path), from_json(node["value"]), at)


def _written(command: Command, now: datetime) -> Iterator[Sample]:
    """What was written is what the device has now, as far as it can be read at all."""
    device = command.device
    catalogue = device_models.catalogue(device, getattr(device, "registration_detail", None))
    for path, value in _given(command):
        model = catalogue.resource(path)
        if model is None or "R" in model.operations:
            found = typed(from_json(value), path, catalogue)
            yield Sample(command.device_id, str(path), found, now.timestamp())


def _given(command: Command) -> Iterable[tuple[Path, Any]]:
    arguments = command.arguments
    if "value" in arguments:
        return [(Path.parse(command.path), arguments["value"])]
    given = arguments.get("values") or {}
    return [(Path.parse(name), value) for name, value in given.items() if name.startswith("/")]
