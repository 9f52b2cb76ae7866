"""What a device answers, sends and notifies is stored as it said it, or refused and nothing is lost."""

from __future__ import annotations

import pytest

from devices.observations.models import Observation
from devices.observations.services import observations
from devices.telemetry.models import ResourceHistory, ResourceValue
from tests.field import scripted
from tests.field.cases import Case, by_way, one
from tests.southbound.client import until

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def device(make_device):
    made = make_device()
    scripted.load_model(made)
    return made


def values_of(case: Case) -> dict:
    """The values that must stand afterwards."""
    if "values" in case.expected:
        return case.expected["values"]
    return {path: value for path, value in case.expected.items() if path.startswith("/")}


async def known_before(wire, case: Case) -> None:
    """What was known before the case's bytes came: the value that must not be wiped."""
    before = case.input.get("before", "")
    if before.startswith("/"):
        path, value = before.split(" = ")
        record = f'"vs":{value}' if value.startswith('"') else f'"v":{value}'
        payload = f'[{{"n":"{path}",{record}}}]'.encode()
    elif before:
        payload = b'[{"n":"/32700/0/0","vs":"before"},{"n":"/32700/0/5","vd":"AQID"}]'
    else:
        return
    assert await scripted.send(wire, 110, payload) == "2.04"


def assert_stands(device, wanted: dict) -> None:
    found = scripted.stored(device)
    for path, value in wanted.items():
        assert path in found or value is None, (path, found)
        assert value is None or scripted.same(found[path], value), (path, value, found)


@by_way("read")
def test_read_answer(play, device, case):
    refused = "code" in case.expected  # the answer says nothing that may be kept
    path = case.input.get("path") or case.input["via"].removeprefix("read").strip() or "/32700/0/1"
    wanted = values_of(case) if isinstance(case.expected, dict) else {path: 5}

    async def scene(southbound):
        wire, _ = await scripted.registered(southbound)
        await known_before(wire, case)
        return await scripted.read(
            wire,
            device,
            path,
            code=case.input.get("answer_code", "2.05"),
            number=case.input["content_format"],
            payload=case.payload,
        )

    command = play(scene)
    answer = command.answer or {}
    if refused:
        assert answer.get("problem") or command.state == "failed", (command.state, answer)
    else:
        told = {node["path"]: node["value"] for node in answer.get("nodes", ())}
        assert told or None in wanted.values(), (command.state, command.detail, answer)
        for at, value in wanted.items():
            assert value is None or scripted.same(told.get(at), value), (at, told)
    assert_stands(device, wanted)
    if case.kind == "senml-time":
        assert ResourceValue.objects.get(path=path).at.timestamp() == 1700000000


@by_way("send")
def test_send(play, device, case):
    codes = ("2.04",) if isinstance(case.expected, str) or "code" not in case.expected else ()
    codes = codes or tuple(c for c in ("2.04", "4.00", "4.04") if c in case.expected["code"])

    async def scene(southbound):
        wire, _ = await scripted.registered(southbound)
        await known_before(wire, case)
        before = await until(lambda: [scripted.stored(device)])
        code = await scripted.send(wire, case.input["content_format"], case.payload)
        await wire.is_alive()
        return before[0], code

    before, code = play(scene)
    assert code in codes, (code, case.expected)
    if isinstance(case.expected, str):
        return  # the history of one value, below
    assert_stands(device, values_of(case))
    if code != "2.04":
        assert scripted.stored(device) == before


def test_send_of_a_history_keeps_every_point_at_its_own_time(play, device):
    case = one("send-history-1")

    async def scene(southbound):
        wire, _ = await scripted.registered(southbound)
        assert await scripted.send(wire, 110, b'[{"n":"/32700/0/1","v":1}]') == "2.04"
        assert await scripted.send(wire, case.input["content_format"], case.payload) == "2.04"

    play(scene)
    points = ResourceHistory.objects.filter(value__path="/32700/0/1", at__year=2023).order_by("at")
    assert [(p.at.timestamp(), p.number) for p in points] == [
        (1700000000, 5),
        (1700000060, 6),
        (1700000120, 7),
    ]
    assert ResourceValue.objects.get(path="/32700/0/1").number == 1


@by_way("notification")
def test_notification(play, device, case):
    path = case.input.get("path") or next(iter(values_of(case)))
    wanted = values_of(case)
    code = case.input.get("code", "2.05")
    is_text = path.endswith("/0")

    async def scene(southbound):
        wire, _ = await scripted.registered(southbound)
        await until(lambda: observations.want(device=device, path=path, wanted_by="test"))
        asked = await wire.next()
        first = b"before" if is_text else str(next(iter(wanted.values()))).encode()
        wire.send(scripted.answer_to(asked, "2.05", 0, first, observe=b"\x05"))
        await until(lambda: Observation.objects.filter(state="active").exists())
        token = scripted.token_of(asked)
        head = bytes((0x40 | len(token), int(code[0]) << 5 | int(code[2:]))) + b"\x70\x01" + token
        wire.send(head + bytes((0x61, 6)) + (b"\x60" if code == "2.05" else b""))
        await wire.next()  # acknowledged or reset
        await wire.is_alive()

    play(scene)
    assert_stands(device, wanted)
