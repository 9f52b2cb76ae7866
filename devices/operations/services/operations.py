"""Operations on devices, checked before they wait: the one way for pages, the API and the command line.

`request` refuses what the protocol or the object model rules out, so that nobody waits hours for a 4.05. What it puts
into the mailbox is exactly what southbound turns into one CoAP request:

    operation                 path      arguments (all optional unless said)
    read                      1..4 ids  content_format
    discover                  1..3      depth 0..3
    write                     2..4      value, or values {"/o/i/r[/ri]": value}; mode replace (PUT) or update (POST),
                                        replace (the same as a boolean), content_format
    write-attributes          1..4      attributes {"pmin": 10, "gt": 21.5, "st": null}: null is sent without a value
    execute                   3         arguments "0='text',1", the payload as plain text
    create                    1         instance_id, or null: the device chooses; values by absolute path, or by
                                        "r[/ri]" where the device chooses; content_format
    delete                    2 or 4    –
    observe                   1..4      observation_id, attributes (in the query; before LwM2M 1.2 written apart, in a
                                        request before it), content_format
    cancel-observe            1..4      observation_id, token and attributes of the Observe; mode active (GET with
                                        Observe 1); a passive one is done without the device
    read-composite            /         paths [...], content_format of the answer
    write-composite           /         values {"/o/i/r[/ri]": value}, null deletes a resource instance (ETCH)
    observe-composite         /         observation_id, paths, attributes, content_format
    cancel-observe-composite  /         as cancel-observe, with paths

How an end device of a gateway is reached is found when it is sent. A value is text, a number, true or false,
{"base64": "..."} or {"object_link": "3:0"}; secrets wait encrypted and are opened by `mailbox.claim`. What is
given may be looser: a path to Create may name the instance, names in `values` may be relative to the path, arguments
of Execute may be {"0": "text", "1": null}, a content format may be a name such as senml-cbor, and `force` leaves the
object model aside to see what the device itself says.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from accounts.errors import Refused
from devices.commands import dangers
from devices.commands.dangers import Asker
from devices.commands.models import Command, Operation
from devices.commands.services import mailbox, operation_asks, operation_rules
from devices.commands.services.operation_asks import Ask
from devices.inventory import secrecy
from devices.inventory.models import Device
from devices.observations.services import observations
from devices.registry.selectors import device_models, ways
from lwm2m.paths import Path

_OBSERVES = (Operation.OBSERVE, Operation.OBSERVE_COMPOSITE)
_CANCELS = (Operation.CANCEL_OBSERVE, Operation.CANCEL_OBSERVE_COMPOSITE)
EXPIRY_LIMIT_SECONDS = 90 * 86400
SERVER_OBJECT, MUTE_SEND = 1, 23
MUTE, UNMUTE = "mute-send", "unmute-send"
"""What doors call `mute_send`, beside the operations of the protocol."""


def request(
    *,
    device: Device,
    operation: str,
    path: str = "",
    paths: Sequence[str] = (),
    arguments: Mapping[str, Any] | None = None,
    requested_by: str,
    reason: str = "",
    expires_in_seconds: int = mailbox.EXPIRES_IN_SECONDS,
    priority: int = 0,
    asker: Asker | None = None,
) -> Command:
    """Check an operation and put it into the device's mailbox. Raises Refused, with the field that is wrong.

    `asker` is the person at a door: what endangers the device asks them for a role and a reason, see `dangers`.
    Observe and its cancel also keep the wish, see `observations`.
    """
    if not 1 <= expires_in_seconds <= EXPIRY_LIMIT_SECONDS:
        raise Refused("COMMAND_EXPIRY_OUT_OF_RANGE", field="expires_in_seconds")
    if not -100 <= priority <= 100:
        raise Refused("PRIORITY_OUT_OF_RANGE", field="priority")
    delivery: dict[str, Any] = {"expires_in_seconds": expires_in_seconds, "priority": priority}
    given = dict(arguments or {})
    paths = paths or given.pop("paths", None) or ()
    if isinstance(paths, str) or not all(isinstance(one, str) for one in paths):
        raise Refused("PATHS_NO_LIST", field="paths")
    is_composite = operation in operation_rules.COMPOSITE
    if bool(paths) != is_composite and operation != Operation.WRITE_COMPOSITE:
        raise Refused("TAKES_PATHS" if is_composite else "TAKES_ONE_PATH", field="paths")
    ask = operation_asks.of(device, operation, path=path, paths=paths, arguments=given)
    checked = operation_rules.checked(ask)
    dangers.check(dangers.of(operation, _touched(ask, checked)), asker, reason)
    if operation in _OBSERVES:
        return _observe(device, ask, given, requested_by, reason, delivery)
    if operation in _CANCELS:
        return _cancel(device, ask, checked["mode"], requested_by, reason, delivery)
    place = _place(ask)
    sealed = secrecy.sealed(checked, operation_asks.parse(place), ask.catalogue)
    return mailbox.enqueue(
        device=device,
        operation=operation,
        path=place,
        arguments=sealed,
        requested_by=requested_by,
        reason=reason,
        **delivery,
    )


def mute_send(
    *, device: Device, is_muted: bool, instance_id: int | None = None, requested_by: str, **more: Any
) -> Command:
    """Forbid or allow the device to Send (R-17): writes /1/x/23 of our account, by default its only one."""
    if instance_id is None:
        detail = ways.fresh_detail(device)
        links = device_models.object_links(detail)
        server = links.objects.get(SERVER_OBJECT) if links else None
        instances = server.instances if server else ()
        if len(instances) != 1:
            raise Refused("SERVER_ACCOUNTS_SEVERAL", field="instance_id", count=len(instances))
        instance_id = instances[0]
    return request(
        device=device,
        operation=Operation.WRITE,
        path=f"/{SERVER_OBJECT}/{instance_id}/{MUTE_SEND}",
        arguments={"value": is_muted},
        requested_by=requested_by,
        **more,
    )


def _touched(ask: Ask, checked: Mapping[str, Any]) -> list[Path]:
    """The path, and every value that a write or a create brings; those of a new instance may be named below it."""
    if ask.operation in operation_rules.COMPOSITE:
        return [operation_asks.parse(name) for name in checked.get("values", ())]
    values = [name for name in checked.get("values", ()) if name.startswith("/")]
    return [operation_asks.parse(name) for name in values] or [ask.path]


def _place(ask: Ask) -> str:
    """Where the mailbox keeps it: Create on the object, composite operations on the root."""
    if ask.operation in operation_rules.COMPOSITE:
        return "/"
    return f"/{ask.path.object_id}" if ask.operation == Operation.CREATE else str(ask.path)


def _observe(
    device: Device, ask: Ask, given: Mapping[str, Any], by: str, reason: str, delivery: Mapping[str, Any]
) -> Command:
    row = observations.want(
        device=device,
        path="" if ask.paths else str(ask.path),
        paths=[str(path) for path in ask.paths],
        arguments=given,
        wanted_by=by,
        reason=reason,
        must_ask=True,
        **delivery,
    )
    assert row.command is not None
    return row.command


def _cancel(
    device: Device, ask: Ask, mode: str, by: str, reason: str, delivery: Mapping[str, Any]
) -> Command:
    names = [str(path) for path in ask.paths] or [str(ask.path)]
    row = observations.find(device=device, paths=names, is_composite=bool(ask.paths))
    if row is None:
        raise Refused("NOT_OBSERVED", field="path", paths=" ".join(names))
    ended = observations.unwant(observation=row, mode=mode, by=by, reason=reason, must_tell=True, **delivery)
    assert ended.command is not None
    return ended.command
