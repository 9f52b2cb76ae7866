"""What a device said at Register and a refresh never repeats: its row, and the profile ids learned from it."""

from __future__ import annotations

import json
from collections import OrderedDict
from collections.abc import Iterable, Mapping
from dataclasses import replace
from datetime import datetime
from typing import Any

from devices.registry import detail_rows, stored_links
from devices.registry.models import RegistrationDetail
from lwm2m.links import ObjectLinks
from lwm2m.messages import Register
from lwm2m.registration import Registration

FIELDS = frozenset({"version", "binding", "sms_number", "object_links", "attributes", "profile_ids"})
"""Fields of `lwm2m.registration.Registration` that stand in RegistrationDetail."""

_PROFILE = "pid"
_PARSED_LIMIT = 4096
_PROFILES_LIMIT = 1024


def load(device_ids: Iterable[int]) -> dict[int, dict[str, Any]]:
    """Device id -> the fields of `FIELDS`, as `lwm2m` has them."""
    return {device_id: _fields(*row) for device_id, *row in detail_rows.load(sorted(device_ids))}


def _fields(version: str, binding: str, sms_number: str, links: str, attributes: str) -> dict[str, Any]:
    pairs = json.loads(attributes) if attributes != "[]" else []
    return {
        "version": version,
        "binding": binding,
        "sms_number": sms_number or None,
        "object_links": _links(links),
        "attributes": tuple((name, value) for name, value in pairs if name != _PROFILE),
        "profile_ids": tuple(v for name, value in pairs if name == _PROFILE for v in value.split(",")),
    }


def save(rows: Mapping[int, Registration]) -> None:
    """Write the details of these registrations whole."""
    detail_rows.save([(device_id, *_columns(row)) for device_id, row in sorted(rows.items())])


def _columns(row: Registration) -> tuple[Any, ...]:
    """In the order of `detail_rows.Row`, without the device id."""
    links = {} if row.object_links is None else row.object_links.to_json()
    return row.version, row.binding, row.sms_number or "", json.dumps(links), json.dumps(_attributes(row))


def end(causes: Mapping[int, str], *, now: datetime) -> None:
    """Say why these registrations ended."""
    by_cause: dict[str, list[int]] = {}
    for device_id, cause in causes.items():
        by_cause.setdefault(cause, []).append(device_id)
    for cause, ids in by_cause.items():
        RegistrationDetail.objects.filter(device_id__in=ids).update(ended_at=now, end_cause=cause)


def told(objects: Mapping[int, Mapping[str, Any]]) -> None:
    """Device id -> the objects of a device that never registers itself, as its gateway says, in `ObjectLinks` JSON."""
    RegistrationDetail.objects.bulk_create(
        [RegistrationDetail(device_id=pk, object_links=links) for pk, links in sorted(objects.items())],
        update_conflicts=True,
        unique_fields=["device"],
        update_fields=["object_links"],
    )


def _attributes(row: Registration) -> list[list[str]]:
    pairs = [[name, value] for name, value in row.attributes if name != _PROFILE]
    return [*pairs, [_PROFILE, ",".join(row.profile_ids)]] if row.profile_ids else pairs


# -- parsed object lists, shared by the thousands of devices of one model --------------------------------------
_parsed: OrderedDict[str, ObjectLinks] = OrderedDict()


def _links(text: str) -> ObjectLinks | None:
    found = _parsed.get(text)
    if found is None:
        value = json.loads(text)
        if not value:
            return None
        found = stored_links.read(value)
        if found is None:
            return None
        _parsed[text] = found
        if len(_parsed) > _PARSED_LIMIT:
            _parsed.popitem(last=False)
    return found


# -- profile ids (LwM2M 1.2) ---------------------------------------------------------------------------------
# Nothing defines what a profile id is a hash of, so it is an opaque key learned from a Register that carried one
# together with its list, apart for each operator. Forgetting one costs a 4.09 and a Register with the list.
_profiles: OrderedDict[tuple[int, str], ObjectLinks] = OrderedDict()


def with_profiles(message: Register, operator_id: int) -> Register:
    """The message with the object lists that its profile ids stand for; unchanged when one of them is unknown."""
    if not message.profile_ids:
        return message
    known = [_profiles.get((operator_id, profile_id)) for profile_id in message.profile_ids]
    links: ObjectLinks | None = None
    for found in known:
        if found is None:
            return message
        links = found if links is None else links.merged(found)
    if links is None:
        return message
    if message.object_links is not None:
        links = links.merged(message.object_links)
    return replace(message, object_links=links)


def learn_profile(message: Register, operator_id: int) -> None:
    """Remember the list of a Register that named exactly one profile; the first one learned stands."""
    if len(message.profile_ids) != 1 or message.object_links is None:
        return
    _profiles.setdefault((operator_id, message.profile_ids[0]), message.object_links)
    if len(_profiles) > _PROFILES_LIMIT:
        _profiles.popitem(last=False)
