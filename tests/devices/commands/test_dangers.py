"""Commands that may cut a device off: every role at every door, the reason in the ledger, the question on the page."""

from __future__ import annotations

import html
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.test import Client

from accounts.errors import Refused
from accounts.roles import Role
from audit.models import LedgerEvent
from devices.commands import dangers
from devices.commands.dangers import Asker
from devices.commands.models import Command, Operation
from devices.operations.services import operations
from lwm2m.paths import Path

pytestmark = pytest.mark.django_db

DEEDS = [
    ("execute", "/3/0/5", {}),
    ("execute", "/3/0/4", {}),
    ("execute", "/1/0/4", {}),
    ("execute", "/1/0/9", {}),
    ("execute", "/5/0/2", {}),
    ("delete", "/1/0", {}),
    ("delete", "/0/0", {}),
    ("delete", "/2/1", {}),
    ("delete", "/21/0", {}),
    ("write", "/1/0/7", {"value": "U"}),
    ("write", "/1/0", {"values": {"1": 60, "7": "U"}}),
    ("write-composite", "", {"values": {"/3/0/14": "+01:00", "/1/0/7": "U"}}),
    ("create", "/1", {"values": {"1": 60}}),
]
MAY = {Role.ADMINISTRATOR, Role.PROVISIONING}
ASKS_NOBODY = [
    ("read", "/3/0/5", {}),
    ("read", "/1/0", {}),
    ("observe", "/1/0/1", {}),
    ("execute", "/1/0/8", {}),
    ("execute", "/3/0/12", {}),
    ("delete", "/16/0", {}),
    ("write", "/3/0/14", {"value": "+01:00"}),
    ("write", "/1/0/6", {"value": True}),
    ("write-composite", "", {"values": {"/3/0/14": "+01:00"}}),
    ("read-composite", "", {"paths": ["/1/0/7", "/3/0"]}),
]


def _said(deed: tuple[str, str, dict[str, Any]]) -> dict[str, Any]:
    operation, path, more = deed
    return {"operation": operation, "force": True, **({"path": path} if path else {}), **more}


@pytest.mark.parametrize("role", list(Role))
@pytest.mark.parametrize("deed", DEEDS, ids=lambda deed: f"{deed[0]} {deed[1]}")
def test_over_rest_a_danger_asks_for_a_role_and_a_reason(api, member, north, device, deed, role) -> None:
    client = api(member(role, north))
    address = f"/api/v1/devices/{device.endpoint}/commands/"
    silent = client.post(address, _said(deed))
    told = client.post(address, {**_said(deed), "reason": "ticket 4711"})
    if role not in MAY:
        assert (silent.status_code, told.status_code) == (403, 403)
        assert not Command.objects.exists()
        return
    assert (silent.status_code, silent.json()["code"]) == (400, "REASON_MISSING")
    assert list(silent.json()["fields"]) == ["reason"]
    assert told.status_code == 201, told.json()
    assert Command.objects.get().reason == "ticket 4711"
    assert LedgerEvent.objects.filter(device_id=device.pk, reason="ticket 4711").exists()


@pytest.mark.parametrize("deed", ASKS_NOBODY, ids=lambda deed: f"{deed[0]} {deed[1]}")
def test_what_is_no_danger_asks_nobody(api, member, north, device, deed) -> None:
    answer = api(member(Role.SUPPORT, north)).post(
        f"/api/v1/devices/{device.endpoint}/commands/", _said(deed)
    )
    assert answer.status_code == 201, answer.json()


def test_a_lifetime_asks_for_a_reason_alone(api, member, north, device) -> None:
    client = api(member(Role.SUPPORT, north))
    address = f"/api/v1/devices/{device.endpoint}/commands/"
    body = {"operation": "write", "path": "/1/0/1", "value": 60}
    assert client.post(address, body).json()["code"] == "REASON_MISSING"
    assert client.post(address, {**body, "reason": "battery"}).status_code == 201


@pytest.mark.parametrize("deed", DEEDS, ids=lambda deed: f"{deed[0]} {deed[1]}")
def test_the_portal_itself_is_not_asked(device, deed) -> None:
    operation, path, more = deed
    operations.request(
        device=device, operation=operation, path=path, arguments={**more, "force": True}, requested_by="job:1"
    )
    assert Command.objects.exists()


def test_blanks_are_no_reason(device) -> None:
    with pytest.raises(Refused) as caught:
        operations.request(
            device=device, operation="execute", path="/3/0/4", requested_by="user:1", reason="  ",
            asker=Asker(may_endanger=True),
        )  # fmt: skip
    assert caught.value.cause == "REASON_MISSING"


@pytest.mark.parametrize("words", [("execute", "/3/0/5"), ("delete", "/1/0")])
def test_the_command_line_asks_why(device, words) -> None:
    operation, path = words
    with pytest.raises(CommandError, match="Say why"):
        call_command("lwm2m", operation, device.endpoint, path, "--timeout", "0")
    with pytest.raises(SystemExit):  # still waiting
        call_command("lwm2m", operation, device.endpoint, path, "--timeout", "0", "--reason", "ticket 1")
    assert Command.objects.get().reason == "ticket 1"


def _page(client: Client, device: Any, node: str) -> str:
    return html.unescape(
        client.get(f"/admin/inventory/device/{device.pk}/manage/?node={node}").content.decode()
    )


@pytest.mark.parametrize("role", list(Role))
@pytest.mark.parametrize(("path", "word"), [("/3/0/5", "factory settings"), ("/3/0/4", "Reboot it")])
def test_the_page_names_the_effect_and_asks_why(client, member, north, device, role, path, word) -> None:
    client.force_login(member(role, north))
    page = _page(client, device, path)
    there = f"/admin/inventory/device/{device.pk}/manage/ask/"
    assert (word in page) is (role in MAY)
    silent = client.post(there, {"ask": "execute", "path": path})
    if role not in MAY:
        assert silent.status_code in (200, 403)
        assert client.post(there, {"ask": "execute", "path": path, "reason": "x"}).status_code in (200, 403)
        assert not Command.objects.exists()
        return
    assert "Say why" in html.unescape(silent.content.decode())
    assert not Command.objects.exists()
    assert client.post(there, {"ask": "execute", "path": path, "reason": "ticket 4711"}).status_code == 302
    assert LedgerEvent.objects.filter(device_id=device.pk, reason="ticket 4711").exists()


def test_nothing_is_ever_written_for_a_canned_reason(client, member, north, device) -> None:
    client.force_login(member(Role.ADMINISTRATOR, north))
    there = f"/admin/inventory/device/{device.pk}/manage/ask/"
    client.post(there, {"ask": "read", "path": "/3/0"})
    assert Command.objects.get().reason == ""


def test_a_danger_that_is_seen_only_when_sent_is_asked_back(client, member, north, device) -> None:
    """A new instance of the server object: the reason is asked, and what was typed stays."""
    client.force_login(member(Role.ADMINISTRATOR, north))
    there = f"/admin/inventory/device/{device.pk}/manage/ask/"
    page = html.unescape(client.post(there, {"ask": "create", "path": "/1", "r1": "301"}).content.decode())
    assert 'value="301"' in page
    assert 'name="reason"' in page
    assert not Command.objects.exists()


@pytest.mark.parametrize("danger", dangers.TABLE, ids=lambda danger: danger.question[:24])
def test_every_danger_of_the_table_asks_a_question_about_an_operation_that_exists(danger) -> None:
    assert danger.question.count("?") == 1
    assert danger.operations <= set(Operation.values)
    for number in danger.objects:
        for operation in danger.operations:
            assert dangers.of(operation, [Path(number, 0, danger.resource or 0)]) is not None
