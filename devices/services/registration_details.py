"""What a device said at Register and a refresh never repeats: its row, and the profile ids learned from it."""

from __future__ import annotations

import json
from collections import OrderedDict
from collections.abc import Iterable, Mapping
from dataclasses import replace
from datetime import datetime
from typing import Any

from devices.models import RegistrationDetail
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
    ids = sorted(device_ids)
    if not ids:
        return {}
    rows = RegistrationDetail.objects.filter(device_id__in=ids).values_list(
        "device_id", "version", "binding", "sms_number", "object_links", "attributes"
    )
    return {
        device_id: {
            "version": version,
            "binding": binding,
            "sms_number": sms_number or None,
            "object_links": _links(links),
            "attributes": tuple((name, value) for name, value in attributes if name != _PROFILE),
            "profile_ids": tuple(
                v for name, value in attributes if name == _PROFILE for v in value.split(",")
            ),
        }
        for device_id, version, binding, sms_number, links, attributes in rows
    }


def save(rows: Mapping[int, Registration]) -> None:
    """Write the details of these registrations whole."""
    RegistrationDetail.objects.bulk_create(
        [
            RegistrationDetail(
                device_id=device_id,
                version=row.version,
                binding=row.binding,
                sms_number=row.sms_number or "",
                object_links={} if row.object_links is None else row.object_links.to_json(),
                attributes=_attributes(row),
                ended_at=None,
                end_cause="",
            )
            for device_id, row in sorted(rows.items())
        ],
        update_conflicts=True,
        unique_fields=["device"],
        update_fields=[
            "version",
            "binding",
            "sms_number",
            "object_links",
            "attributes",
            "ended_at",
            "end_cause",
        ],
    )


def end(causes: Mapping[int, str], *, now: datetime) -> None:
    """Say why these registrations ended."""
    by_cause: dict[str, list[int]] = {}
    for device_id, cause in causes.items():
        by_cause.setdefault(cause, []).append(device_id)
    for cause, ids in by_cause.items():
        RegistrationDetail.objects.filter(device_id__in=ids).update(ended_at=now, end_cause=cause)


def _attributes(row: Registration) -> list[list[str]]:
    pairs = [[name, value] for name, value in row.attributes if name != _PROFILE]
    return [*pairs, [_PROFILE, ",".join(row.profile_ids)]] if row.profile_ids else pairs


# -- parsed object lists, shared by the thousands of devices of one model --------------------------------------
_parsed: OrderedDict[str, ObjectLinks] = OrderedDict()


def _links(value: Mapping[str, Any]) -> ObjectLinks | None:
    if not value:
        return None
    key = json.dumps(value, separators=(",", ":"))
    found = _parsed.get(key)
    if found is None:
        found = _parsed[key] = ObjectLinks.from_json(value)
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
