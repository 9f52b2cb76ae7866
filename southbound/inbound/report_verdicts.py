"""What a report means and what becomes of it: pure judgement, no database and no socket."""

from __future__ import annotations

from collections.abc import Mapping, MutableMapping, Sequence, Set
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any

from devices.gateways.services import end_device_reading
from devices.observations.services.observations import Observed
from devices.telemetry.services.values import LIMIT, Sample, samples
from lwm2m import formats, names, notification_order
from lwm2m.codes import Code, dotted
from lwm2m.errors import Lwm2mError, bad_request
from lwm2m.messages import Send
from lwm2m.nodes import Node
from lwm2m.paths import ROOT, Path
from lwm2m.registration import Origin
from southbound.listeners.lane import Exchange
from southbound.listeners.notifications import Notification
from southbound.peers import contents
from southbound.peers.senders import Sender, of_exchange
from southbound.peers.targets import Target

_LAST = "The device notified without the Observe option, which is the last time that it does."


@dataclass(frozen=True, slots=True)
class Sent:
    """A Send that waits for its answer."""

    exchange: Exchange
    message: Send

    @property
    def origin(self) -> Origin:
        """As a registration is known by it."""
        return of_exchange(self.exchange)


@dataclass(frozen=True, slots=True)
class Notified:
    """A response that nobody asked for."""

    notification: Notification
    origin: Origin


Report = Sent | Notified


@dataclass(frozen=True, slots=True)
class EndDevices:
    """Instances of object 25; `is_whole`: what is not among them is gone."""

    instances: end_device_reading.Resources
    is_whole: bool


@dataclass(frozen=True, slots=True)
class Verdict:
    """What is stored and answered. `is_stray`: the device observes what is not known; repair its observations."""

    code: Code = Code.CHANGED
    device_id: int | None = None
    samples: Sequence[Sample] = ()
    is_welcome: bool = True
    is_end: bool = False
    is_stray: bool = False
    has_waiting: bool = False
    cause: str = ""
    detail: str = ""
    about: Observed | None = None
    """What is notified."""
    token: str = ""
    number: int | None = None
    """The Observe option of the notification."""
    is_first_block: bool = False
    """The rest of it has to be read."""
    is_late: bool = False
    """A newer one came before it: only what has a time of its own is worth keeping."""
    behind: Mapping[str, Sequence[Sample]] = field(default_factory=dict)
    """Prefix -> values of a device behind this gateway."""
    end_devices: EndDevices | None = None
    """What a gateway notifies of the devices behind it."""


SEND_LIMIT = 4_096
"""One Send may speak of so many resources, and of each as often as it likes."""
_SEND_CODES = (Code.NOT_FOUND, Code.REQUEST_ENTITY_TOO_LARGE)
_NO_VALUE: Mapping[str, Any] = {
    "cause": "PAYLOAD_MALFORMED",
    "detail": "A notification of values is 2.05, and 2.03 where they are as before.",
}


def judge_send(report: Sent, sender: Sender | None, now: datetime) -> Verdict:
    """L-16, L-17: a stranger is 4.00, as is what has no values; a place that is not registered is 4.04.

    It is kept whole or refused whole: nothing is acknowledged and dropped.
    """
    if sender is None:
        detail = "No registration of this sender; register."
        return Verdict(Code.BAD_REQUEST, cause="REGISTRATION_UNKNOWN", detail=detail)
    if not sender.is_welcome:
        detail = "The device may not be served."
        return Verdict(Code.BAD_REQUEST, sender.device_id, cause="DEVICE_DECLINED", detail=detail)
    message = report.message
    try:
        nodes = _decoded(message.content_format, message.payload, ROOT, sender.target)
        if len(nodes) > SEND_LIMIT and len({(node.prefix, node.path) for node in nodes}) > SEND_LIMIT:
            detail = f"A Send may speak of {SEND_LIMIT} resources; send the others in another one."
            raise Lwm2mError(Code.REQUEST_ENTITY_TOO_LARGE, "VALUES_LIMIT", detail)
        if not any(node.path.depth >= 3 for node in nodes):
            raise bad_request("PAYLOAD_MALFORMED", "Send has no values; send at least one.")
        _check_places(nodes, sender.target)
        for node in nodes:
            _check_registered(node, sender.target)
    except Lwm2mError as error:
        code = error.code if error.code in _SEND_CODES else Code.BAD_REQUEST
        return Verdict(code, sender.device_id, cause=error.cause, detail=error.detail)
    return Verdict(
        device_id=sender.device_id,
        samples=_samples(sender.device_id, nodes, now),
        behind=_behind(nodes, now),
        has_waiting=sender.has_waiting,
    )


def judge_notification(
    report: Notified,
    sender: Sender | None,
    observed: MutableMapping[tuple[int, str], Observed],
    now: datetime,
) -> Verdict:
    """Unknown: a reset. An error ends the observation; what cannot be read leaves it standing (L-18).

    `observed` is brought up to date with what the notification says about the order.
    """
    if sender is None or not sender.is_welcome:
        return Verdict(is_welcome=False)
    notification = report.notification
    key = (sender.device_id, notification.token.hex())
    found = observed.get(key)
    if found is None:
        return Verdict(device_id=sender.device_id, is_welcome=False, is_stray=not notification.is_last)
    is_late = _is_late(notification, found, now)
    if not is_late and notification.sequence is not None:
        observed[key] = replace(found, number=notification.sequence, heard_at=now)
    verdict = Verdict(
        device_id=sender.device_id,
        about=found,
        has_waiting=sender.has_waiting,
        token=key[1],
        number=notification.sequence,
        is_late=is_late,
    )
    if notification.code >> 5 != 2:
        said = contents.text(notification.payload[:200])
        detail = f"{dotted(notification.code)} {said}".strip()
        return replace(verdict, is_end=True, cause="COMMAND_REFUSED", detail=detail)
    if notification.is_last:  # RFC 7641 section 3.2; what it says counts all the same
        verdict = replace(verdict, is_end=True, cause="OBSERVATION_ENDED", detail=_LAST)
    if notification.code != Code.CONTENT:
        return verdict if notification.code == Code.VALID else replace(verdict, **_NO_VALUE)
    if notification.is_partial:
        return replace(verdict, is_first_block=not is_late)
    path = ROOT if found.is_composite else Path.parse(found.paths[0])
    wanted = [Path.parse(name) for name in found.paths]
    try:
        nodes = _decoded(notification.content_format, notification.payload, path, sender.target)
        _check_places(nodes, sender.target)
        if not nodes:
            contents.check_said(path, notification.payload, sender.target.catalogue)
    except Lwm2mError as error:
        return replace(verdict, cause=error.cause, detail=error.detail)
    if not all(any(each.contains(node.path) for each in wanted) for node in nodes):
        return replace(verdict, cause="PAYLOAD_MALFORMED", detail="It speaks of what is not observed.")
    kept = [node for node in nodes if node.time is not None] if is_late else nodes
    told = None
    if found.device_id == sender.device_id and end_device_reading.is_about(path) and not is_late:
        instances = end_device_reading.resources((node.path, node.value) for node in nodes)
        told = EndDevices(instances, path.depth == 1)
    samples = _samples(found.device_id, kept, now)
    return replace(verdict, samples=samples, behind=_behind(kept, now), end_devices=told)


def with_room(verdict: Verdict, refused: Mapping[int, Set[str]]) -> Verdict:
    """The verdict of a report of which some values found no room: 4.13, and what was known before is up to date."""
    own = refused.get(verdict.device_id or 0, frozenset())
    theirs = {
        path for device_id, paths in refused.items() if device_id != verdict.device_id for path in paths
    }
    if not any(one.path in own for one in verdict.samples) and not any(
        one.path in theirs for said in verdict.behind.values() for one in said
    ):
        return verdict
    detail = f"A device has values of at most {LIMIT} resources; those that were not known are not kept."
    return replace(verdict, code=Code.REQUEST_ENTITY_TOO_LARGE, cause="VALUES_LIMIT", detail=detail)


def _is_late(notification: Notification, found: Observed, now: datetime) -> bool:
    if notification.sequence is None or found.number is None or found.heard_at is None:
        return False
    since = (now - found.heard_at).total_seconds()
    return notification_order.is_late(notification.sequence, found.number, since)


def _decoded(content_format: int | None, payload: bytes, path: Path, target: Target) -> list[Node]:
    nodes = formats.decode(content_format, payload, path, target.catalogue)
    root = target.root_path
    if not any(node.prefix for node in nodes):
        return nodes
    return [replace(node, prefix=contents.end_device(node.prefix, root)) for node in nodes]


def _check_places(nodes: Sequence[Node], target: Target) -> None:
    """Only a gateway speaks of others (`OMA-TS-LWM2M_Gateway`); what a name that is nobody's says can't be kept."""
    links = target.object_links
    if links is not None and end_device_reading.OBJECT in links.objects:
        return
    for node in nodes:
        if node.prefix:
            name = names.written(node.prefix, node.path)
            detail = (
                f"{name} is no place of this device, which is no gateway; send /object/instance/resource."
            )
            raise Lwm2mError(Code.NOT_FOUND, "PATH_UNREGISTERED", detail)


def _check_registered(node: Node, target: Target) -> None:
    """What stands behind a gateway was never registered, and is taken as it is."""
    links = target.object_links
    if not node.prefix and (links is None or node.path.depth < 3 or not links.has_instance(node.path)):
        raise Lwm2mError(
            Code.NOT_FOUND, "PATH_UNREGISTERED", f"{node.path} is not registered; update the object list."
        )


def _samples(device_id: int, nodes: Sequence[Node], now: datetime) -> list[Sample]:
    return samples(device_id=device_id, nodes=nodes, received_at=now.timestamp())


def _behind(nodes: Sequence[Node], now: datetime) -> dict[str, list[Sample]]:
    """What is said of end devices, by their prefixes; whose they are is looked up when it is stored."""
    found: dict[str, list[Sample]] = {}
    for node in nodes:
        if node.prefix and node.path.depth >= 3:
            said = samples(device_id=0, nodes=[replace(node, prefix="")], received_at=now.timestamp())
            found.setdefault(node.prefix, []).extend(said)
    return found
