"""The command line says in words what became of an operation, and in its exit status."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest
from django.core.management import CommandError, call_command

from backoffice.management.commands import lwm2m
from devices.commands.models import Command
from devices.registry.models import Registration
from tests.devices.answering import answer
from tests.devices.conftest import device, make

__all__ = ["device", "make"]
pytestmark = pytest.mark.django_db


@pytest.fixture
def run(capsys: Any, monkeypatch: Any, device: Any) -> Callable[..., tuple[int, str, str]]:
    """Runs the command; while it waits, `then` happens."""

    def call(*words: str, then: Callable[[], Any] | None = None) -> tuple[int, str, str]:
        happens = [then] if then else []
        monkeypatch.setattr(lwm2m.time, "sleep", lambda seconds: happens.pop()() if happens else None)
        timeout = "5" if then else "0"
        try:
            call_command("lwm2m", *words, "--timeout", timeout)
            status = 0
        except SystemExit as ended:
            status = int(ended.code or 0)
        said = capsys.readouterr()
        return status, said.out, said.err

    return call


def test_a_table_of_what_was_read(run, device):
    nodes = {"/3/0/0": "Acme", "/3/0/9": 80, "/3/0/6/0": 1, "/32999/0/1": {"base64": "AQ=="}}
    status, out, _ = run("read", device.endpoint, "/3/0", then=lambda: answer(device, nodes=nodes))
    assert status == 0
    lines = out.splitlines()
    assert lines[0].split() == ["PATH", "NAME", "VALUE", "UNITS"]
    assert "Device / Manufacturer" in lines[1]
    assert lines[1].split()[-1] == "Acme"
    assert " 80 " in f"{lines[2]} "
    assert lines[4].split() == ["/32999/0/1", "AQ=="]


def test_json(run, device):
    status, out, _ = run(
        "read", device.endpoint, "/3/0/9", "--json", then=lambda: answer(device, nodes={"/3/0/9": 80})
    )
    said = json.loads(out)
    assert (status, said["state"], said["answer"]["nodes"][0]["value"]) == (0, "done", 80)


def test_a_refusal_of_the_device(run, device):
    status, _, err = run("execute", device.endpoint, "/3/0/12", then=lambda: answer(device, code="4.05"))
    assert (status, err.strip()) == (3, "The device refused: 4.05")


def test_asleep(run, device):
    Registration.objects.filter(device=device).update(queue_mode=True, last_seen_at="2026-01-01T00:00:00Z")
    status, _, err = run("read", device.endpoint, "/3/0")
    assert status == 5
    assert "asleep" in err
    assert "1 command waiting" in err
    assert Command.objects.get().state == "queued"
    status, _, err = run("read", device.endpoint, "/3/0", "--cancel")
    assert (status, "taken back" in err) == (5, True)


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("read", "urn:dev:nobody", "/3"), "no device"),
        (("read", "urn:dev:1", "/3", "--operator", "southsea"), "no device"),
        (("read", "urn:dev:1", "/3", "5"), "too much"),
        (("write", "urn:dev:1", "/3/0/9", "5"), "cannot be written"),
        (("write", "urn:dev:1", "/1/0/1", "soon"), "whole number"),
        (("write", "urn:dev:1", "/1/0", "60"), "ID=VALUE"),
        (("read", "urn:dev:1", "three"), "not an id"),
        (("fly", "urn:dev:1", "/3"), "invalid choice"),
    ],
)
def test_what_is_not_accepted(run, words, said):
    with pytest.raises(CommandError, match=said):
        run(*words)


@pytest.mark.parametrize(
    ("words", "operation", "arguments"),
    [
        (("write", "/1/0/1", "60"), "write", {"value": 60, "mode": "replace", "replace": True}),
        (("write", "/3/0/15", "60"), "write", {"value": "60", "mode": "replace", "replace": True}),
        (
            ("write", "/1/0", "1=60", "6=true"),
            "write",
            {"values": {"/1/0/1": 60, "/1/0/6": True}, "mode": "update", "replace": False},
        ),
        (
            ("write-attributes", "/3303/0/5700", "--attr", "pmin=5", "--attr", "st="),
            "write-attributes",
            {"attributes": {"pmin": 5, "st": None}},
        ),
        (("execute", "/1/0/8", "0='a'", "1"), "execute", {"arguments": "0='a',1"}),
        (
            ("create", "/16", "0/0=a", "--instance", "2"),
            "create",
            {"instance_id": 2, "values": {"/16/2/0/0": "a"}},
        ),
        (("read-composite", "/3/0/9", "/1/0"), "read-composite", {"paths": ["/3/0/9", "/1/0"]}),
        (
            ("write-composite", "/1/0/1=60", "/3/0/15=x"),
            "write-composite",
            {"values": {"/1/0/1": 60, "/3/0/15": "x"}},
        ),
        (("write", "/1/0/0", "5", "--raw"), "write", {"value": 5, "mode": "replace", "replace": True}),
        (("unmute-send",), "write", {"value": False, "mode": "replace", "replace": True}),
    ],
)
def test_what_is_typed_is_asked(run, device, words, operation, arguments):
    run(words[0], device.endpoint, *words[1:], "--reason", "a test")
    command = Command.objects.get()
    assert (command.operation, command.arguments) == (operation, arguments)
