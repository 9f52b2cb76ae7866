"""Registrations as the ledger tells them: which steps are worth an event, and what it says."""

from __future__ import annotations

from collections import OrderedDict
from datetime import datetime

from audit.actions import Action
from audit.ledger import Actor, Event
from devices.inventory import security
from devices.registry.standing_rows import DeviceFacts
from lwm2m.links import ObjectLinks
from lwm2m.registration import Change, Outcome, Registration

_ACTIONS = {
    Change.REGISTERED: Action.REGISTRATION_REGISTERED,
    Change.REPLACED: Action.REGISTRATION_REPLACED,
    Change.UPDATED: Action.REGISTRATION_UPDATED,
    Change.DEREGISTERED: Action.REGISTRATION_DEREGISTERED,
    Change.EXPIRED: Action.REGISTRATION_EXPIRED,
}
_CAUSES = {Change.DEREGISTERED: "DEREGISTERED", Change.REPLACED: "REGISTRATION_REPLACED"}
PATHS_TOLD = 64
NAMES_LIMIT = 1_024
_SYSTEM = Actor("system", "southbound", "Southbound")


def is_worth(outcome: Outcome) -> bool:
    """A port that a NAT moved is no news; lwm2m-node-lib comes from a new one with every Update."""
    if outcome.changed != {"origin"}:
        return True
    before, after = outcome.previous, outcome.registration
    return before is None or after is None or before.origin.host != after.origin.host


def event(device: DeviceFacts, outcome: Outcome, *, now: datetime) -> Event:
    change = outcome.change
    actor = _SYSTEM if change is Change.EXPIRED else Actor("device", str(device.device_id), device.endpoint)
    after = outcome.registration
    before = outcome.previous
    return Event(
        action=_ACTIONS[change],
        # Without credentials whoever knows the name can say this; that a lifetime ends is ours to say.
        by_stranger=security.of(device.security).is_anonymous and change is not Change.EXPIRED,
        operator_id=device.operator_id,
        actor=actor,
        result="failed" if change is Change.EXPIRED else "ok",
        cause=outcome.cause or _CAUSES.get(change, ""),
        target=device.endpoint,
        device_id=device.device_id,
        subscriber_id=device.subscriber_id,
        before=None if before is None else _facts(before, outcome),
        after=None if after is None else _facts(after, outcome),
        detail={"changed": sorted(outcome.changed)} if outcome.changed else None,
        personal=_addresses(outcome),
        at=now,
    )


def _addresses(outcome: Outcome) -> dict[str, str] | None:
    """Where a device is says where a person is: it stands where it can be erased."""
    is_told = outcome.change is not Change.UPDATED or "origin" in outcome.changed
    before, after = outcome.previous, outcome.registration
    places = {
        "came_from_before": "" if before is None else f"{before.origin.host}:{before.origin.port}",
        "came_from": "" if after is None else f"{after.origin.host}:{after.origin.port}",
    }
    if places["came_from_before"] == places["came_from"]:
        del places["came_from_before"]
    return {name: said for name, said in places.items() if said} if is_told else None


def _facts(row: Registration, outcome: Outcome) -> dict[str, object]:
    """What a reader of the timeline wants to see; on an Update only what it changed."""
    facts: dict[str, object] = {
        "transport": row.origin.transport,
        "lifetime_seconds": row.lifetime_seconds,
        "queue_mode": row.queue_mode,
    }
    if row.version:
        facts |= {"version": row.version, "binding": row.binding}
    if row.object_links is not None:
        facts["objects"] = _named(row.object_links)
    if outcome.change is not Change.UPDATED:
        return facts
    names = {"origin": ("transport",), "object_links": ("objects",)}
    kept = {name for changed in outcome.changed for name in names.get(changed, (changed,))}
    return {name: value for name, value in facts.items() if name in kept}


_names: OrderedDict[int, tuple[ObjectLinks, str]] = OrderedDict()
"""Object lists of one model are one object, shared by its devices; it is kept, so that its id stays its own."""


def _named(links: ObjectLinks) -> str:
    known = _names.get(id(links))
    if known is None:
        text = " ".join(str(path) for path in links.paths()[:PATHS_TOLD])
        known = _names[id(links)] = (links, text)
        if len(_names) > NAMES_LIMIT:
            _names.popitem(last=False)
    return known[1]
