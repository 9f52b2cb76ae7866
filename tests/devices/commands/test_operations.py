"""What may be asked of a device and what waits for it then; refusals name the field that is wrong."""

from __future__ import annotations

from typing import Any

import pytest

from accounts.errors import Refused
from devices.commands.models import Command
from devices.operations.services import operations

pytestmark = pytest.mark.django_db


def ask(device: Any, operation: str, path: str = "", **more: Any) -> Command:
    delivery = {name: more.pop(name) for name in ("expires_in_seconds", "priority", "paths") if name in more}
    return operations.request(
        device=device, operation=operation, path=path, arguments=more, requested_by="user:1", **delivery
    )


# operation, path, arguments -> what the mailbox keeps
ACCEPTED = [
    ("read", "/3", {}, {}),
    ("read", "3/0/9/", {"content_format": "senml-json"}, {"content_format": 110}),
    ("read", "/3/0/0", {"content_format": 0}, {"content_format": 0}),
    ("read", "/32999/0/1", {}, {}),
    ("read", "/0", {}, {}),
    ("discover", "/3/0/7", {}, {}),
    ("write", "/1/0/1", {"value": 63}, {"value": 63, "mode": "replace", "replace": True}),
    (
        "write",
        "/1/0",
        {"values": {"1": 61, "/1/0/6": True}},
        {"values": {"/1/0/1": 61, "/1/0/6": True}, "mode": "update", "replace": False},
    ),
    (
        "write",
        "/1/0",
        {"values": {"1": 61}, "mode": "replace", "content_format": 11542},
        {"values": {"/1/0/1": 61}, "mode": "replace", "replace": True, "content_format": 11542},
    ),
    ("write", "/16/0/0/3", {"value": "x"}, {"value": "x", "mode": "replace", "replace": True}),
    (
        "write",
        "/16/0/0",
        {"value": {"0": "a", "3": "b"}, "mode": "update"},
        {"values": {"/16/0/0/0": "a", "/16/0/0/3": "b"}, "mode": "update", "replace": False},
    ),
    (
        "write",
        "/3/0/13",
        {"value": "2026-03-01T12:00:00+00:00"},
        {"value": 1772366400, "mode": "replace", "replace": True},
    ),
    (
        "write",
        "/32999/0/1",
        {"value": {"base64": "AAE="}},
        {"value": {"base64": "AAE="}, "mode": "replace", "replace": True},
    ),
    (
        "write",
        "/1/0/10",
        {"value": "11:0"},
        {"value": {"object_link": "11:0"}, "mode": "replace", "replace": True},
    ),
    ("write", "/0/0/0", {"value": "coap://x"}, {"value": "coap://x", "mode": "replace", "replace": True}),
    (
        "write-attributes",
        "/3/0",
        {"attributes": {"pmin": 10, "pmax": 60}},
        {"attributes": {"pmin": 10, "pmax": 60}},
    ),
    (
        "write-attributes",
        "/3303/0/5700",
        {"attributes": {"lt": 10, "gt": 20.5, "st": 1, "pmin": None}},
        {"attributes": {"lt": 10, "gt": 20.5, "st": 1, "pmin": None}},
    ),
    ("write-attributes", "/3303/0/5700", {"attributes": {"st": 1e-7}}, {"attributes": {"st": "0.0000001"}}),
    ("execute", "/3/0/4", {}, {}),
    ("execute", "/1/0/8", {"arguments": "0='http://a.b/c',3"}, {"arguments": "0='http://a.b/c',3"}),
    ("execute", "/1/0/8", {"arguments": {"1": None, "0": "x"}}, {"arguments": "0='x',1"}),
    (
        "create",
        "/16",
        {"instance_id": 3, "values": {"0/0": "a"}},
        {"instance_id": 3, "values": {"/16/3/0/0": "a"}},
    ),
    ("create", "/16/3", {"values": {}}, {"instance_id": 3, "values": {}}),
    ("create", "/16", {"values": {"0/0": "a"}}, {"instance_id": None, "values": {"0/0": "a"}}),
    ("delete", "/16/3", {}, {}),
    ("delete", "/16/3/0/1", {}, {}),
    (
        "read-composite",
        "",
        {"paths": ["/3", "/1/0", "/1/0/1", "/1/0/8"]},
        {"paths": ["/3", "/1/0", "/1/0/1", "/1/0/8"]},
    ),
    ("read-composite", "", {"paths": ["/"]}, {"paths": ["/"]}),
    (
        "write-composite",
        "",
        {"values": {"/1/0/1": 60, "/3/0/15": "x"}},
        {"values": {"/1/0/1": 60, "/3/0/15": "x"}},
    ),
    (
        "write-composite",
        "",
        {"values": {"/16/0/0/1": None}},
        {"values": {"/16/0/0/1": None}, "content_format": 322},
    ),
]


@pytest.mark.parametrize(("operation", "path", "given", "kept"), ACCEPTED)
def test_what_is_asked_waits_in_one_form(device, operation, path, given, kept):
    command = ask(device, operation, path, **given)
    assert command.arguments == kept
    assert command.state == "queued"
    expected = "/16" if operation == "create" else "/" if "composite" in operation else "/" + path.strip("/")
    assert command.path == expected


# operation, path, arguments -> the field that is named
REFUSED = [
    ("fly", "/3/0", {}, "operation"),
    ("read", "/", {}, "path"),
    ("read", "/3/0/65536", {}, "path"),
    ("read", "/3/0/x", {}, "path"),
    ("read", "/3/0/4", {}, "path"),
    ("read", "/3/0", {"content_format": 0}, "content_format"),
    ("read", "/3/0/0", {"content_format": 40}, "content_format"),
    ("read", "/3/0/0", {"content_format": 999}, "content_format"),
    ("read", "/3/0/0", {"content_format": True}, "content_format"),
    ("discover", "/3/0/7/0", {}, "path"),
    ("discover", "/3", {"depth": 4}, "depth"),
    ("discover", "/3", {"depth": 1}, "depth"),
    ("write", "/3", {"values": {"0/15": "x"}}, "path"),
    ("write", "/3/0/9", {"value": 5}, "path"),
    ("write", "/1/0/1", {"value": "60"}, "value"),
    ("write", "/1/0/1", {"value": True}, "value"),
    ("write", "/1/0/1", {"value": 2**63}, "value"),
    ("write", "/3311/0/5851", {"value": 101}, "value"),
    ("write", "/1/0/6", {"value": 1}, "value"),
    ("write", "/1/0/10", {"value": "zero"}, "value"),
    ("write", "/3/0/13", {"value": "2026-03-01T12:00:00"}, "value"),
    ("write", "/1/0/1", {}, "values"),
    ("write", "/1/0/1", {"value": 1, "values": {}}, "value"),
    ("write", "/1/0", {"value": 1}, "value"),
    ("write", "/1/0", {"values": {"/3/0/15": "x"}}, "values"),
    ("write", "/1/0/1/0", {"value": 1}, "path"),
    ("write", "/16/0/0", {"value": "x"}, "value"),
    ("write", "/16/0", {"values": {"0": "x", "0/1": "y"}}, "values"),
    ("write", "/1/0/1", {"value": 1, "mode": "patch"}, "mode"),
    ("write", "/1/0", {"values": {"1": 1, "2": 2}, "content_format": 0}, "content_format"),
    ("write", "/32999/0/1", {"value": {"base64": "?"}}, "value"),
    ("write", "/32999/0/1", {"value": float("inf")}, "value"),
    ("write", "/0/0/5", {"value": {"base64": "AAE="}}, "path"),
    ("write-attributes", "/3/0", {}, "attributes"),
    ("write-attributes", "/3/0", {"attributes": {}}, "attributes"),
    ("write-attributes", "/3/0", {"attributes": {"pmin": 10, "pmax": 5}}, "attributes"),
    ("write-attributes", "/3/0", {"attributes": {"gt": 5}}, "attributes"),
    ("write-attributes", "/3/0/0", {"attributes": {"gt": 5}}, "attributes"),
    ("write-attributes", "/3303/0/5700", {"attributes": {"lt": 5, "gt": 5}}, "attributes"),
    ("write-attributes", "/3303/0/5700", {"attributes": {"lt": 5, "gt": 7, "st": 1}}, "attributes"),
    ("write-attributes", "/3303/0/5700", {"attributes": {"edge": 1}}, "attributes"),
    ("write-attributes", "/3/0", {"attributes": {"dim": 1}}, "attributes"),
    ("execute", "/3/0", {}, "path"),
    ("execute", "/3/0/9", {}, "path"),
    ("execute", "/3/0/4", {"arguments": "hello world"}, "arguments"),
    ("execute", "/3/0/4", {"arguments": "10='x'"}, "arguments"),
    ("create", "/16/3/0", {}, "path"),
    ("create", "/16", {"instance_id": 65535}, "instance_id"),
    ("delete", "/16", {}, "path"),
    ("delete", "/16/0/0", {}, "path"),
    ("observe", "/", {}, "path"),
    ("observe", "/3/0/9", {"attributes": {"pmin": None}}, "attributes"),
    ("cancel-observe", "/3/0/9", {}, "path"),
    ("read-composite", "/3", {}, "paths"),
    ("read-composite", "", {"paths": ["/3", "/3"]}, "paths"),
    ("read-composite", "", {"paths": ["/", "/3"]}, "paths"),
    ("read-composite", "", {"paths": ["/3"], "content_format": 11542}, "content_format"),
    ("observe-composite", "", {"paths": ["/"]}, "paths"),
    ("observe-composite", "", {"paths": ["/3/0/9"], "attributes": {"pmin": 1}}, "attributes"),
    ("write-composite", "", {"values": {"/3/0": 1}}, "values"),
    ("write-composite", "", {"values": {"/3/0/15": None}}, "values"),
    ("write-composite", "", {"values": {"/16/0/0/1": None}, "content_format": 112}, "content_format"),
    ("read", "/3", {"expires_in_seconds": 0}, "expires_in_seconds"),
    ("read", "/3", {"priority": 1000}, "priority"),
]


@pytest.mark.parametrize(("operation", "path", "given", "field"), REFUSED)
def test_what_cannot_be_is_refused_before_it_waits(device, operation, path, given, field):
    with pytest.raises(Refused) as refused:
        ask(device, operation, path, **given)
    assert refused.value.field == field, refused.value.detail
    assert not Command.objects.exists()


def test_force_asks_the_device_itself(device):
    """test int_256: a write that the model rules out, so that the device's 4.05 can be seen."""
    assert ask(device, "write", "/1/0/0", value=2, force=True).arguments["value"] == 2


@pytest.mark.parametrize(
    ("version", "operation", "path", "given"),
    [
        ("1.0", "read", "/3/0/7/0", {}),
        ("1.0", "read-composite", "", {"paths": ["/3"]}),
        ("1.0", "write-composite", "", {"values": {"/3/0/15": "x"}}),
        ("1.1", "write-attributes", "/3/0", {"attributes": {"con": 1}}),
        ("1.0", "write-attributes", "/3/0", {"attributes": {"epmin": 1}}),
    ],
)
def test_what_the_version_lacks_is_refused(make, version, operation, path, given):
    with pytest.raises(Refused, match=f"LwM2M {version}"):
        ask(make("urn:dev:old", version), operation, path, **given)


def test_newer_versions_have_more(make):
    newer = make("urn:dev:new", "1.2")
    assert ask(newer, "discover", "/3", depth=3).arguments == {"depth": 3}
    assert ask(newer, "write-attributes", "/3/0", attributes={"con": 1, "hqmax": 9}).arguments
    unknown = make("urn:dev:unseen", "")
    assert ask(unknown, "discover", "/3", depth=0).arguments == {"depth": 0}


def test_int_307_muting_send_writes_1_x_23(device, make):
    command = operations.mute_send(device=device, is_muted=False, requested_by="user:1")
    assert (command.operation, command.path, command.arguments["value"]) == ("write", "/1/0/23", False)
    two = make("urn:dev:two", links=b"</1/0>,</1/3>,</3/0>")
    with pytest.raises(Refused) as refused:
        operations.mute_send(device=two, is_muted=True, requested_by="user:1")
    assert refused.value.field == "instance_id"
    chosen = operations.mute_send(device=two, is_muted=True, instance_id=3, requested_by="user:1")
    assert chosen.path == "/1/3/23"
