"""DTLS with a pre-shared key: from bootstrap to registration, wrong keys, loss, a NAT that forgets."""

from __future__ import annotations

import pytest

from coap import Tuning
from lwm2m.codes import Code
from lwm2m.messages import Register, Request, Update
from simulator.dtls_link import DtlsLink
from simulator.faults import Faults
from tests.fakes.devices import running_device
from tests.fakes.waiting import eventually
from tests.simulator.peers import running
from tests.simulator.secured import SecuredBootstrapServer, SecuredServer
from tests.simulator.test_bootstrap import FINISH, put

KEY, OTHER = bytes(range(16)), bytes(range(16, 32))


async def test_bootstraps_with_one_key_and_registers_with_another_int_1() -> None:
    async with (
        running(SecuredServer({b"manage": OTHER})) as server,
        running(SecuredBootstrapServer([], {b"boot": KEY})) as bootstrap,
    ):
        security = {0: server.uri, 1: False, 2: 0, 3: b"manage", 4: b"", 5: OTHER, 10: 101}
        bootstrap.script = [
            Request(Code.GET, (), accept=40),
            put("/0/1", security),
            put("/1/0", {0: 101, 1: 300, 6: True, 7: "U"}),
            FINISH,
        ]
        secrets = {"identity": "boot", "key": KEY}
        async with running_device("dev-1", bootstrap=bootstrap.uri, **secrets) as device:
            await device.until(lambda: device.is_registered)
            assert (await server.registered["dev-1"].ask(Code.GET, "/3/0/0", accept=0)).code is Code.CONTENT
            assert KEY.hex() not in repr(device.nameplate)


@pytest.mark.parametrize(
    "cipher",
    ["PSK-AES128-CCM8", "PSK-AES128-CCM", "PSK-AES128-GCM-SHA256", "PSK-AES128-CBC-SHA256"],
)
@pytest.mark.parametrize("cid", [None, b"", b"abcdef"])
async def test_registers_with_every_suite_int_401(cipher: str, cid: bytes | None) -> None:
    what = {"identity": "i", "key": KEY, "ciphers": (cipher,), "cid": cid}
    async with (
        running(SecuredServer({b"i": KEY})) as server,
        running_device("dev-1", server=server.uri, **what) as device,
    ):
        await device.until(lambda: device.is_registered)
        link = device.registrations[0].connection.link
        assert isinstance(link, DtlsLink)
        assert link.has_cid is (cid is not None)


async def test_a_wrong_key_is_told_and_tried_again() -> None:
    what = {"identity": "i", "key": KEY, "handshake_seconds": 0.5, "retry_seconds": 0.01}
    async with (
        running(SecuredServer({b"i": KEY})) as server,
        running_device("dev-1", server=server.uri, faults=Faults(wrong_key=True), **what) as device,
    ):
        await device.until(lambda: device.counts["refused"] >= 2)
        assert not server.of(Register)


async def test_a_key_that_is_too_short_is_a_refusal_not_a_crash() -> None:
    what = {"identity": "i", "key": b"short", "retry_seconds": 0.01}
    async with running_device("dev-1", server="coaps://127.0.0.1:1", **what) as device:
        await device.until(lambda: device.counts["refused"] >= 2)
        assert device.journal[0][1].startswith("unusable credentials")


async def test_loss_delays_but_does_not_prevent() -> None:
    what = {"identity": "i", "key": KEY, "handshake_seconds": 30.0}
    faults = Faults(drop_in=0.15, drop_out=0.15, seed=5)
    async with (
        running(SecuredServer({b"i": KEY})) as server,
        running_device("dev-1", server=server.uri, faults=faults, **what) as device,
    ):
        await device.until(lambda: device.is_registered, seconds=30)


async def test_with_a_cid_a_new_port_changes_nothing() -> None:
    what = {"identity": "i", "key": KEY, "cid": b""}
    async with (
        running(SecuredServer({b"i": KEY})) as server,
        running_device("dev-1", server=server.uri, **what) as device,
    ):
        await device.until(lambda: device.is_registered)
        link = device.registrations[0].connection.link
        before = link.local_port
        device.rebind()
        assert link.local_port != before
        await device.update()
        assert (await server.registered["dev-1"].ask(Code.GET, "/3/0/0", accept=0)).code is Code.CONTENT
        assert len(server.of(Register)) == 1
        assert len(server.of(Update)) == 1


async def test_without_a_cid_a_new_port_means_a_new_handshake_and_registration() -> None:
    quick = Tuning(ack_timeout=0.02, response_seconds=5.0)
    what = {"identity": "i", "key": KEY, "tuning": quick}
    async with (
        running(SecuredServer({b"i": KEY})) as server,
        running_device("dev-1", server=server.uri, **what) as device,
    ):
        await device.until(lambda: device.is_registered)
        device.rebind()
        device.registrations[0].wish_update()
        await device.until(lambda: device.counts["registered"] == 2)
        assert not server.of(Update)


async def test_a_session_that_the_server_closed_is_made_anew() -> None:
    what = {"identity": "i", "key": KEY}
    async with (
        running(SecuredServer({b"i": KEY})) as server,
        running_device("dev-1", server=server.uri, **what) as device,
    ):
        await device.until(lambda: device.is_registered)
        (session,) = server.dtls.sessions
        server._handle(server.dtls.close(session, server.loop.time()))
        link = device.registrations[0].connection.link
        await eventually(lambda: not link.is_usable)
        device.registrations[0].wish_update()
        await device.until(lambda: device.counts["registered"] == 2)
        assert not server.of(Update)
