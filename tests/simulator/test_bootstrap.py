"""Bootstrap as the device sees it, in TLV (1.0) and SenML CBOR (1.1), and what can go wrong in it."""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from lwm2m import formats
from lwm2m.codes import Code, ContentFormat
from lwm2m.links import parse_bootstrap_discover
from lwm2m.messages import BootstrapRequest, Register, Request
from lwm2m.nodes import Node, Value
from lwm2m.paths import Path
from simulator.device import State
from simulator.faults import Faults
from tests.fakes.devices import new_device, running_device
from tests.simulator.peers import BootstrapServer, Server, running

FINISH = Request(Code.POST, ("bs",))


def put(text: str, values: dict[int, Value], content_format: int = ContentFormat.SENML_CBOR) -> Request:
    """A Bootstrap-Write of one instance."""
    path = Path.parse(text)
    nodes = [Node(path.child(resource), value) for resource, value in values.items()]
    payload = formats.encode(content_format, nodes, path)
    return Request(Code.PUT, path.segments, content_format=int(content_format), payload=payload)


def account(uri: str, **changes: Value) -> list[Request]:
    """The usual two writes, for a server without security."""
    form = changes.pop("content_format", ContentFormat.SENML_CBOR)
    security = {0: uri, 1: False, 2: 3, 10: changes.get("ssid", 101)}
    server = {0: 101, 1: changes.get("lifetime", 300), 6: True, 7: "U"}
    return [put("/0/1", security, form), put("/1/0", server, form)]  # type: ignore[arg-type]


def codes(answers: Sequence) -> list[str]:
    return [answer if isinstance(answer, str) else answer.code.dotted for answer in answers]


async def test_a_1_1_device_is_configured_in_senml_and_registers_int_0() -> None:
    async with running(Server()) as server, running(BootstrapServer([])) as bootstrap:
        bootstrap.script = [
            Request(Code.GET, (), accept=40),
            Request(Code.DELETE, ("0",)),
            Request(Code.DELETE, ("1",)),
            *account(server.uri),
            Request(Code.GET, ("1",)),
            FINISH,
        ]
        async with running_device("dev-1", bootstrap=bootstrap.uri) as device:
            await device.until(lambda: device.is_registered)
            await bootstrap.until(lambda: len(bootstrap.answers) == 7)
            assert bootstrap.of(BootstrapRequest) == [BootstrapRequest("dev-1", 112)]
            assert codes(bootstrap.answers) == ["2.05", "2.02", "2.02", "2.04", "2.04", "2.05", "2.04"]
            discovered = parse_bootstrap_discover(bootstrap.answers[0].payload)
            assert discovered.version == "1.1"
            assert discovered.bootstrap_account_instance == 0
            (register,) = server.of(Register)
            assert register.lifetime_seconds == 300
            assert device.tree.value(0, 0, 1) is True
            assert ("bootstrap-request", "2.04") in device.journal


async def test_a_1_0_device_asks_for_no_format_and_takes_tlv() -> None:
    async with running(Server()) as server, running(BootstrapServer([])) as bootstrap:
        tlv = account(server.uri, content_format=ContentFormat.TLV)
        bootstrap.script = [Request(Code.GET, ("0",), accept=40), *tlv, FINISH]
        async with running_device("old", bootstrap=bootstrap.uri, version="1.0") as device:
            await device.until(lambda: device.is_registered)
            assert bootstrap.of(BootstrapRequest) == [BootstrapRequest("old", None)]
            assert bootstrap.answers[0].payload == b'lwm2m="1.0",</0/0>'
            assert server.of(Register)[0].version == "1.0"


async def test_a_1_0_device_does_not_take_senml() -> None:
    async with (
        running(BootstrapServer([*account("coap://127.0.0.1:1")])) as bootstrap,
        running_device("old", bootstrap=bootstrap.uri, version="1.0"),
    ):
        await bootstrap.until(lambda: len(bootstrap.answers) == 2)
        assert codes(bootstrap.answers) == ["4.15", "4.15"]


async def test_delete_of_everything_leaves_the_bootstrap_account_and_the_device_object_int_4() -> None:
    script = [Request(Code.DELETE, ()), Request(Code.GET, (), accept=40), Request(Code.DELETE, ("0", "0"))]
    async with (
        running(BootstrapServer(script)) as bootstrap,
        running_device("dev-1", bootstrap=bootstrap.uri) as device,
    ):
        await bootstrap.until(lambda: len(bootstrap.answers) == 3)
        assert codes(bootstrap.answers) == ["2.02", "2.05", "4.00"]
        left = parse_bootstrap_discover(bootstrap.answers[1].payload)
        assert left.bootstrap_account_instance == 0
        assert left.others == (Path(3, 0),)
        assert device.state is State.BOOTSTRAPPING


@pytest.mark.parametrize(
    ("script", "words"),
    [
        ([], b"no account of a server in /0"),
        ([put("/1/0", {5: 60})], b"no account of a server in /0"),
        (account("coap://127.0.0.1:1")[:1], b"no server in /1"),
        (account("coap://127.0.0.1:1", ssid=7), b"/0/x/10 has 7 but /1/x/0 has 101"),
        (account("coaps://127.0.0.1:1"), b"/0/1/0 and the security mode do not fit"),
        (
            [put("/0/0", {0: "coap://127.0.0.1:1", 1: False, 2: 3, 10: 101})],
            b"the account of the bootstrap server was overwritten",
        ),
        (
            [put("/0/1", {0: "coaps://127.0.0.1:1", 1: False, 2: 0, 10: 101}), account("coap://x")[1]],
            b"/0/1 has no identity or no key",
        ),
    ],
)
async def test_an_inconsistent_configuration_is_refused_in_words_int_9(script: list, words: bytes) -> None:
    async with (
        running(BootstrapServer([*script, FINISH])) as bootstrap,
        running_device("dev-1", bootstrap=bootstrap.uri),
    ):
        await bootstrap.until(lambda: len(bootstrap.answers) == len(script) + 1)
        assert bootstrap.answers[-1].code is Code.NOT_ACCEPTABLE
        assert bootstrap.answers[-1].payload == words


async def test_a_configuration_that_is_mended_is_accepted() -> None:
    async with running(Server()) as server, running(BootstrapServer([])) as bootstrap:
        bootstrap.script = [account(server.uri)[0], FINISH, account(server.uri)[1], FINISH]
        async with running_device("dev-1", bootstrap=bootstrap.uri) as device:
            await device.until(lambda: device.is_registered)
            await bootstrap.until(lambda: len(bootstrap.answers) == 4)
            assert codes(bootstrap.answers) == ["2.04", "4.06", "2.04", "2.04"]


async def test_a_silent_bootstrap_server_is_given_up_and_asked_again() -> None:
    async with running(Server()) as server, running(BootstrapServer([])) as bootstrap:
        bootstrap.script = [put("/0/0", {0: "coap://127.0.0.1:1", 1: False, 2: 3, 10: 101})]
        async with running_device(
            "dev-1", bootstrap=bootstrap.uri, finish_seconds=0.3, retry_seconds=0.05
        ) as device:
            await device.until(lambda: device.counts["bootstrap-failed"] == 1)
            assert device.journal[-1][1] == "the bootstrap server went silent before Finish"
            assert device.tree.value(0, 0, 1) is True
            bootstrap.script = [*account(server.uri), FINISH]
            await device.until(lambda: device.is_registered)


async def test_an_unknown_device_keeps_knocking() -> None:
    async with running(BootstrapServer([])) as bootstrap:
        bootstrap.codes[BootstrapRequest] = Code.BAD_REQUEST
        async with running_device("dev-1", bootstrap=bootstrap.uri, retry_seconds=0.05) as device:
            await device.until(lambda: device.counts["bootstrap-failed"] == 3)
            assert device.state is State.WAITING


async def test_server_that_never_accepts_sends_the_device_back_to_bootstrap_int_7() -> None:
    async with running(Server()) as server, running(BootstrapServer([])) as bootstrap:
        server.codes[Register] = Code.FORBIDDEN
        bootstrap.script = [*account(server.uri), FINISH]
        what = {"retry_seconds": 0.01, "registration_attempts": 2}
        async with running_device("dev-1", bootstrap=bootstrap.uri, **what) as device:
            await device.until(lambda: device.counts["bootstrapped"] == 2)
            assert len(server.of(Register)) >= 2
            assert device.counts["registration-failed"] >= 1


async def test_bootstrap_trigger_starts_it_anew_int_5() -> None:
    async with running(Server()) as server, running(BootstrapServer([])) as bootstrap:
        bootstrap.script = [
            Request(Code.DELETE, ("0",)),
            Request(Code.DELETE, ("1",)),
            *account(server.uri),
            FINISH,
        ]
        async with running_device("dev-1", bootstrap=bootstrap.uri) as device:
            await device.until(lambda: device.is_registered)
            response = await server.registered["dev-1"].ask(Code.POST, "/1/0/9")
            assert response.code is Code.CHANGED
            await device.until(lambda: device.counts["bootstrapped"] == 2 and device.is_registered)


async def test_a_device_refuses_finish_and_discover_when_told_to() -> None:
    script = [Request(Code.GET, (), accept=40), FINISH]
    refuse = Faults(refuse={"discover": Code.METHOD_NOT_ALLOWED, "finish": Code.NOT_ACCEPTABLE})
    async with (
        running(BootstrapServer(script)) as bootstrap,
        running_device("dev-1", bootstrap=bootstrap.uri, faults=refuse),
    ):
        await bootstrap.until(lambda: len(bootstrap.answers) == 2)
        assert codes(bootstrap.answers) == ["4.05", "4.06"]


async def test_a_device_that_dies_after_a_write_says_no_more() -> None:
    async with running(BootstrapServer([*account("coap://127.0.0.1:1"), FINISH])) as bootstrap:
        device = new_device("dev-1", bootstrap=bootstrap.uri, faults=Faults(silent_after="write"))
        device.start()
        await device.until(lambda: device.state is State.OFF and device.counts["write /0/1"] == 1)
        await bootstrap.until(lambda: len(bootstrap.answers) == 2, seconds=20)
        assert codes(bootstrap.answers) == ["2.04", "No acknowledgement after all repetitions."]
        await device.stop()


async def test_separate_answers_and_loss_do_not_stop_a_bootstrap() -> None:
    faults = Faults(drop_in=0.2, drop_out=0.2, slow_seconds=0.05, seed=3)
    async with running(Server()) as server, running(BootstrapServer([])) as bootstrap:
        bootstrap.script = [*account(server.uri), FINISH]
        async with running_device("dev-1", bootstrap=bootstrap.uri, faults=faults) as device:
            await device.until(lambda: device.is_registered, seconds=30)


async def test_two_servers_are_both_registered_with_int_950() -> None:
    async with running(Server()) as one, running(Server()) as two, running(BootstrapServer([])) as bootstrap:
        second = [
            put("/0/2", {0: two.uri, 1: False, 2: 3, 10: 102}),
            put("/1/1", {0: 102, 1: 400, 6: True, 7: "U"}),
        ]
        bootstrap.script = [*account(one.uri), *second, FINISH]
        async with running_device("dev-1", bootstrap=bootstrap.uri) as device:
            await device.until(lambda: device.is_registered)
            assert one.of(Register)[0].lifetime_seconds == 300
            assert two.of(Register)[0].lifetime_seconds == 400
