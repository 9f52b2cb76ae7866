"""A password inside an address, as in a firmware's package URI, is shown to nobody."""

from __future__ import annotations

from typing import Any

import pytest
from django.utils import timezone

from accounts.roles import Role
from devices.inventory.secrecy import MASK, without_passwords
from devices.operations.services import operations
from devices.telemetry.services import traces
from devices.telemetry.services.traces import Message

URL = "http://user:geheim@files.example/fw.bin"


@pytest.mark.parametrize(
    ("said", "shown"),
    [
        (URL, f"http://{MASK}@files.example/fw.bin"),
        ("coaps+tcp://token@host/x", f"coaps+tcp://{MASK}@host/x"),
        ("see http://a:b@c and ftp://d:e@f", f"see http://{MASK}@c and ftp://{MASK}@f"),
        ("http://files.example/fw@2.bin", "http://files.example/fw@2.bin"),
        ("http://files.example/?to=a@b", "http://files.example/?to=a@b"),
        ("ann@example.com", "ann@example.com"),
        (
            {"values": {"/5/0/1": URL}, "n": 1},
            {"values": {"/5/0/1": f"http://{MASK}@files.example/fw.bin"}, "n": 1},
        ),
        ([URL, None, True], [f"http://{MASK}@files.example/fw.bin", None, True]),
    ],
)
def test_the_user_part_of_an_address_is_hidden(said: Any, shown: Any) -> None:
    assert without_passwords(said) == shown


@pytest.mark.django_db
def test_it_is_shown_neither_in_commands_nor_in_messages(api, member, north, device, client) -> None:
    operations.request(
        device=device,
        operation="write",
        path="/5/0/1",
        arguments={"value": URL, "force": True},
        requested_by="job:1",
    )
    traces.record(
        messages=[Message(device.pk, timezone.now(), "out", "PUT", "/5/0/1", payload={"value": URL})]
    )
    user = member(Role.READ_ONLY, north)
    rest = api(user)
    client.force_login(user)
    seen = [
        rest.get(f"/api/v1/devices/{device.endpoint}/commands/").content.decode(),
        rest.get(f"/api/v1/devices/{device.endpoint}/trace/").content.decode(),
        client.get(f"/admin/inventory/device/{device.pk}/manage/").content.decode(),
    ]
    assert all("files.example" in one for one in seen[:2])
    assert not any("geheim" in one for one in seen)
