"""Bootstrap, OMA cases 0 to 12: our bootstrap server configures a device that has nothing, and the device registers.

The server discovers before it writes, to keep off the bootstrap account, where OMA's scripts discover afterwards.
"""

from __future__ import annotations

from contextlib import asynccontextmanager

import pytest

from coap import Tuning
from devices.inventory.models import Device, Plane
from devices.registry.models import Registration
from lwm2m.codes import Code
from lwm2m.requests import bootstrap_pack_request
from provisioning.models import BootstrapSession, Job, JobState
from provisioning.profiles import profiles
from provisioning.services import jobs, onboarding, operators
from simulator.faults import Faults
from tests.conformance.wire import expect
from tests.fakes.devices import new_device
from tests.southbound.client import bootstrap, until
from tests.southbound.management import order, told

pytestmark = pytest.mark.django_db(transaction=True)
KEY = bytes(range(16, 32))
HASTY = Tuning(ack_timeout=0.05, response_seconds=5.0)


@pytest.fixture
def lab(transactional_db):
    return operators.create(slug="lab", name="Lab")


@pytest.fixture
def device(lab) -> Device:
    onboarding.add_device(
        operator=lab, subscriber=None, endpoint="bs-1", name="", psk_identity="bs-1", psk_key=KEY.hex()
    )
    return Device.objects.get(endpoint="bs-1")


@pytest.fixture
def here(settings):
    """Tells the profiles where a southbound listens; the URI of its bootstrap server."""

    def tell(southbound) -> str:
        settings.PUBLIC_HOST = "127.0.0.1"
        settings.COAP_PORT = southbound.ports.port_of(Plane.MANAGEMENT, secured=False)
        settings.COAPS_PORT = southbound.ports.port_of(Plane.MANAGEMENT, secured=True)
        return f"coaps://127.0.0.1:{southbound.ports.port_of(Plane.BOOTSTRAP, secured=True)}"

    return tell


@asynccontextmanager
async def unpacked(uri: str, *, prepare=lambda client: None, **behaviour):
    """C.13: a device with the bootstrap account alone; `prepare` may change that before it is switched on."""
    client = new_device("bs-1", bootstrap=uri, identity="bs-1", key=KEY, **behaviour)
    prepare(client)
    client.start()
    try:
        yield client
    finally:
        await client.stop()


def job_is_done() -> bool:
    """The worker's part: the job that brings the device online."""
    for job in Job.objects.all():
        jobs.advance(job_id=job.pk)
    return Job.objects.filter(state=JobState.DONE).exists()


def exchanges(session: BootstrapSession) -> list[tuple[str, str, str]]:
    return list(session.exchanges.order_by("pk").values_list("operation", "path", "response_code"))


def profile(**changes) -> None:
    row = profiles.default_of(Device.objects.get().operator_id)
    for name, value in changes.items():
        setattr(row, name, value)
    profiles.save(profile=row)


@pytest.mark.parametrize("number", [110, 112, 11542])
def test_int_0_client_initiated_bootstrap(play, device, here, number):
    async def scene(southbound):
        async with unpacked(here(southbound), preferred_format=number) as client:
            await client.until(lambda: client.counts["bootstrapped"] == 1)
            assert ("bootstrap-request", "2.04") in client.journal
            assert ("finish", "2.04") in client.journal
            # the account of the bootstrap server stays where it was, ours stands beside it
            assert client.tree.value(0, 0, 1) is True
            assert (client.tree.value(0, 1, 1), client.tree.value(0, 1, 10)) == (False, 1)
            assert (client.tree.value(1, 0, 0), client.tree.value(1, 0, 1)) == (1, 86400)
            await until(lambda: BootstrapSession.objects.filter(state="done").exists())

    play(scene)
    session = BootstrapSession.objects.order_by("pk").first()
    assert session.content_format == number
    assert exchanges(session) == [
        ("discover", "/0", "2.05"),
        ("delete", "/0", "2.02"),
        ("delete", "/1", "2.02"),
        ("write", "/0/1", "2.04"),
        ("write", "/1/0", "2.04"),
        ("finish", "/", "2.04"),
    ]


@pytest.mark.parametrize("version", ["1.0", "1.1", "1.2"])
def test_int_1_full_bootstrap_with_a_pre_shared_key(play, device, here, version):
    async def scene(southbound):
        async with unpacked(here(southbound), version=version) as client:
            await client.until(lambda: client.is_registered)
            await until(job_is_done)
            assert told(await order(device, "read", "/3/0/2")) == {"/3/0/2": "bs-1"}

    play(scene)
    row = Registration.objects.get()
    assert (row.transport, row.is_live) == ("dtls", True)
    assert row.identity not in ("", "bs-1")  # the credentials that were written, not those of the label
    assert Device.objects.get().provisioning == "applied"


def test_int_4_delete_leaves_the_bootstrap_account(play, device, here):
    profile(reads=["/1"], deletes=["/0", "/1"])

    def foreign(client) -> None:
        """Accounts of an earlier life, which the bootstrap shall take away."""
        client.tree.set_instance(0, 3, {0: "coap://gone.example", 1: False, 2: 3, 10: 77})
        client.tree.set_instance(1, 5, {0: 77, 1: 300, 6: True, 7: "U"})
        client.start_bootstrap()

    async def scene(southbound):
        async with unpacked(here(southbound), prepare=foreign) as client:
            await client.until(lambda: client.is_registered)
            assert client.tree.instance_ids(0) == [0, 1]
            assert client.tree.instance_ids(1) == [0]
            assert client.tree.value(0, 0, 1) is True
            await until(lambda: BootstrapSession.objects.filter(state="done").exists())

    play(scene)
    steps = exchanges(BootstrapSession.objects.order_by("pk").first())
    assert steps[1:4] == [("read", "/1", "2.05"), ("delete", "/0", "2.02"), ("delete", "/1", "2.02")]


async def online(client) -> None:
    await client.until(lambda: client.is_registered)
    await until(job_is_done)


def test_int_5_server_initiated_bootstrap(play, device, here):
    async def scene(southbound):
        async with unpacked(here(southbound)) as client:
            await online(client)
            before = await until(lambda: Registration.objects.get())
            expect(await order(device, "execute", "/1/0/9"), "2.04")
            await client.until(lambda: client.counts["bootstrapped"] == 2 and client.is_registered)
            after = await until(
                lambda: Registration.objects.exclude(registration_id=before.registration_id).first()
            )
            assert after.is_live
            assert after.identity != before.identity  # new credentials with each bootstrap
            await until(lambda: BootstrapSession.objects.filter(state="done").count() == 2)

    play(scene)


def test_int_6_an_account_from_the_factory_goes_before_bootstrap(play, device, here):
    """A device that can register does so; the bootstrap server is not called."""

    async def scene(southbound):
        uri = here(southbound)
        async with unpacked(uri) as client:
            await online(client)
            await client.stop(deregister=True)
            client.start()  # switched on again, with the account it has
            await client.until(lambda: client.is_registered)
            assert client.counts["bootstrapped"] == 1

    play(scene)
    assert BootstrapSession.objects.count() == 1


def test_int_7_fallback_to_bootstrap(play, device, here):
    """The management server of its account does not answer: back to the bootstrap server, and to the right one."""

    def wrong(client) -> None:
        client.tree.set_instance(0, 1, {0: "coap://127.0.0.1:9", 1: False, 2: 3, 10: 1})
        client.tree.set_instance(1, 0, {0: 1, 1: 300, 6: True, 7: "U", 17: 1, 19: 1})

    async def scene(southbound):
        async with unpacked(here(southbound), prepare=wrong, registration_attempts=1, tuning=HASTY) as client:
            await client.until(lambda: client.is_registered, 20)
            assert client.counts["registration-failed"] == 1
            assert client.counts["bootstrapped"] == 1
            address = client.registrations[0].account.address
            assert address.port == southbound.ports.port_of(Plane.MANAGEMENT, secured=True)

    play(scene)
    assert Registration.objects.get().is_live


def test_int_8_bootstrap_read_and_access_rights(play, device, here):
    """Rights on the device object are written; the next session reads /1 and /2 before it writes anew."""
    profile(reads=["/1", "/2"], access_rights=[{"path": "/3/0", "rights": {"0": 31}}])

    async def scene(southbound):
        async with unpacked(here(southbound)) as client:
            await online(client)
            expect(await order(device, "execute", "/1/0/9"), "2.04")
            await client.until(lambda: client.counts["bootstrapped"] == 2 and client.is_registered)
            assert dict(client.tree.instance(2, 0)) == {0: 3, 1: 0, 2: {0: 31}, 3: 65535}
            await until(lambda: BootstrapSession.objects.filter(state="done").count() == 2)

    play(scene)
    first, second = (exchanges(session) for session in BootstrapSession.objects.order_by("pk"))
    assert ("read", "/2", "4.04") in first  # nothing there yet, which is no error
    assert ("write", "/2/0", "2.04") in first
    assert ("read", "/1", "2.05") in second
    assert ("read", "/2", "2.05") in second


def test_int_9_an_inconsistent_configuration_is_told(play, device, here):
    """The device answers the writes and keeps none, finds itself without an account at Finish, and says 4.06 in words.

    A write that it refused would end the session before Finish.
    """

    async def scene(southbound):
        uri = here(southbound)
        faults = Faults(refuse={"write": Code.CHANGED})
        async with unpacked(uri, faults=faults) as client:
            await client.until(lambda: ("finish", "4.06") in client.journal)
            await until(lambda: BootstrapSession.objects.filter(state="finish_refused").exists())
        async with unpacked(uri) as client:  # mended: the next contact goes through
            await client.until(lambda: client.is_registered)
            await until(lambda: BootstrapSession.objects.filter(state="done").exists())

    play(scene)
    refused = BootstrapSession.objects.filter(state="finish_refused").first()
    assert refused.cause == "BOOTSTRAP_INCONSISTENT"
    last = refused.exchanges.order_by("pk").last()
    assert (last.operation, last.response_code) == ("finish", "4.06")
    assert "no account of a server in /0" in last.detail


def test_int_12_a_bootstrap_pack_is_refused_and_the_device_falls_back(play, device, here):
    """5.01 tells a 1.2 device to go on with a Bootstrap-Request."""

    async def scene(southbound):
        uri = here(southbound)
        wire = await bootstrap(southbound)
        answer = await wire.ask(bootstrap_pack_request(endpoint="bs-1"))
        assert (answer.code, answer.payload) == ("5.01", b"")
        async with unpacked(uri, version="1.2", asks_for_pack=True) as client:
            await client.until(lambda: client.is_registered)
            assert ("bootstrap-pack", "5.01") in client.journal
            assert ("bootstrap-request", "2.04") in client.journal
            await until(lambda: BootstrapSession.objects.get().state == "done")

    play(scene)
