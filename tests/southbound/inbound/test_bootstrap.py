"""The bootstrap server against the simulated device: OMA int-0, int-1, int-4, int-9, and what goes wrong."""

from __future__ import annotations

import asyncio

import pytest

from devices.inventory.models import Device, Knock, Plane
from devices.registry.models import Registration
from lwm2m.codes import Code
from lwm2m.requests import bootstrap_pack_request, bootstrap_request
from provisioning.models import BootstrapSession, Job, JobState
from provisioning.selectors import progress
from provisioning.services import jobs, onboarding, operators
from simulator.faults import Faults
from southbound.inbound.bootstrap import BootstrapServer
from southbound.listeners.engine import Tuning
from tests.fakes.devices import running_device
from tests.southbound.client import bootstrap, until

pytestmark = pytest.mark.django_db(transaction=True)
KEY = bytes(range(16, 32))


@pytest.fixture
def lab(transactional_db):
    return operators.create(slug="lab", name="Lab")


@pytest.fixture
def added(lab):
    onboarding.add_device(
        operator=lab, subscriber=None, endpoint="bs-1", name="", psk_identity="bs-1", psk_key=KEY.hex()
    )
    return Device.objects.get(endpoint="bs-1")


def here(southbound, settings) -> str:
    """Tell the profiles where this southbound listens; the URI of its bootstrap server."""
    settings.PUBLIC_HOST = "127.0.0.1"
    settings.COAP_PORT = southbound.ports.port_of(Plane.MANAGEMENT, secured=False)
    settings.COAPS_PORT = southbound.ports.port_of(Plane.MANAGEMENT, secured=True)
    return f"coaps://127.0.0.1:{southbound.ports.port_of(Plane.BOOTSTRAP, secured=True)}"


def job_is_done() -> bool:
    jobs.advance(job_id=Job.objects.get().pk)
    return Job.objects.get().state == JobState.DONE


@pytest.mark.parametrize("version", ["1.0", "1.1"])
def test_int_1_bootstrap_then_register_with_what_was_written(play, added, settings, version):
    async def scene(southbound):
        uri = here(southbound, settings)
        async with running_device("bs-1", bootstrap=uri, identity="bs-1", key=KEY, version=version) as client:
            await client.until(lambda: client.is_registered)
            await until(job_is_done)

    play(scene)
    session = BootstrapSession.objects.get()
    assert session.state == "done"
    steps = list(session.exchanges.values_list("operation", "response_code"))
    assert steps[-1] == ("finish", "2.04")
    assert ("write", "2.04") in steps
    assert session.content_format == (112 if version == "1.1" else 11542)
    row = Registration.objects.get()
    assert row.identity not in ("", "bs-1")
    assert Device.objects.get().provisioning == "applied"


def test_unknown_endpoint_has_no_session(play, lab):
    async def scene(southbound):
        wire = await bootstrap(southbound)
        assert (await wire.ask(bootstrap_request(endpoint="nobody", preferred_format=112))).code == "4.00"
        assert (await wire.ask(bootstrap_request(endpoint="nobody", preferred_format=9999))).code == "4.15"

    play(scene)
    assert not BootstrapSession.objects.exists()


def test_int_9_refused_finish_is_recorded(play, added, settings):
    async def scene(southbound):
        uri = here(southbound, settings)
        faults = Faults(refuse={"finish": Code.NOT_ACCEPTABLE})
        async with running_device("bs-1", bootstrap=uri, identity="bs-1", key=KEY, faults=faults):
            await until(lambda: BootstrapSession.objects.filter(state="finish_refused").exists())

    play(scene)
    session = BootstrapSession.objects.filter(state="finish_refused").first()
    assert session.cause == "BOOTSTRAP_INCONSISTENT"
    assert session.exchanges.last().response_code == "4.06"


QUICK = Tuning(ack_timeout=0.1, max_retransmit=1)


@pytest.mark.parametrize("moment", ["delete", "write"])
def test_a_device_switched_off_in_the_middle_starts_fresh_at_its_next_contact(play, added, settings, moment):
    async def scene(southbound):
        uri = here(southbound, settings)
        faults = Faults(silent_after=moment)
        async with running_device("bs-1", bootstrap=uri, identity="bs-1", key=KEY, faults=faults):
            await until(lambda: BootstrapSession.objects.filter(state="failed").exists())
        async with running_device("bs-1", bootstrap=uri, identity="bs-1", key=KEY) as client:
            await client.until(lambda: client.is_registered)

    play(scene, tuning=QUICK)
    first, last = (
        BootstrapSession.objects.order_by("pk").first(),
        BootstrapSession.objects.order_by("pk").last(),
    )
    assert (first.state, first.cause) == ("failed", "BOOTSTRAP_TIMEOUT")
    assert first.exchanges.last().response_code == ""
    assert last.state == "done"


def test_the_newest_session_wins(play, added, settings):
    async def scene(southbound):
        uri = here(southbound, settings)
        async with running_device(
            "bs-1", bootstrap=uri, identity="bs-1", key=KEY, faults=Faults(silent_on="write")
        ):
            await until(lambda: BootstrapSession.objects.filter(exchanges__operation="delete").exists())
            # The first is still on and still asked: one that went would have ended its session itself.
            async with running_device("bs-1", bootstrap=uri, identity="bs-1", key=KEY) as client:
                await client.until(lambda: client.is_registered)
                await until(lambda: BootstrapSession.objects.filter(state="done").exists())

    play(scene)
    first, second = BootstrapSession.objects.order_by("pk")[:2]
    # Also where the newer DTLS session has closed the older one's way before the new session is stored.
    assert first.state == "superseded"
    assert (second.state, second.cause) == ("done", "")
    assert not first.exchanges.filter(operation="finish").exists()


async def asked_by(wire) -> bytes:
    """The next request of a session."""
    while True:
        data = await wire.next()
        if 0 < data[1] < 0x20:
            return data


def test_a_device_that_knocks_again_gets_a_new_session_at_once(play, lab):
    """It was switched off and on: nothing of the session before is repeated, and no answer is taken for it."""
    lab.allows_nosec = True
    lab.save()
    onboarding.add_device(operator=lab, subscriber=None, endpoint="bare", name="", security="none")

    async def scene(southbound):
        wire = await bootstrap(southbound)
        knock = bootstrap_request(endpoint="bare", preferred_format=112)
        seen = []
        for _ in range(3):
            assert (await wire.ask(knock)).code == "2.04"
            asked = await asked_by(wire)
            assert asked[2:4] not in seen
            seen.append(asked[2:4])
        token = asked[4 : 4 + (asked[0] & 15)]
        wire.send(bytes((0x60 | len(token), Code.DELETED)) + asked[2:4] + token)
        following = await asked_by(wire)
        assert following[2:4] not in seen

    play(scene)
    states = list(BootstrapSession.objects.order_by("pk").values_list("state", flat=True))
    assert states[:2] == ["superseded", "superseded"]


def test_a_session_that_was_begun_before_does_not_break_off_the_newer_one(play, lab, monkeypatch):
    """Two knocks at once are worked off by two threads, and may come back in either order."""
    lab.allows_nosec = True
    lab.save()
    onboarding.add_device(operator=lab, subscriber=None, endpoint="bare", name="", security="none")
    begun = []

    async def scene(southbound):
        run = BootstrapServer._begin

        async def late(self, exchange, message):
            session = await run(self, exchange, message)
            begun.append(session.session_id)
            if len(begun) == 1:
                while len(begun) < 2 or begun[1] not in [r.session_id for r in self._running.values()]:
                    await asyncio.sleep(0.01)
            return session

        monkeypatch.setattr(BootstrapServer, "_begin", late)
        wire = await bootstrap(southbound)
        for _ in range(2):
            wire.send(wire.encode(bootstrap_request(endpoint="bare", preferred_format=112)))
            await until(lambda: BootstrapSession.objects.exists())
        await asked_by(wire)
        await until(lambda: len(southbound.bootstrap._tasks) == 1)
        assert [r.session_id for r in southbound.bootstrap._running.values()] == [max(begun)]

    play(scene)


def test_a_refused_delete_is_recorded_and_the_session_goes_on(play, added, settings):
    async def scene(southbound):
        uri = here(southbound, settings)
        faults = Faults(refuse={"delete": Code.BAD_REQUEST})
        async with running_device("bs-1", bootstrap=uri, identity="bs-1", key=KEY, faults=faults):
            await until(lambda: BootstrapSession.objects.exclude(state="running").exists())

    play(scene)
    session = BootstrapSession.objects.order_by("pk").first()
    assert session.state in ("done_with_errors", "finish_refused")
    refused = session.exchanges.filter(operation="delete").first()
    assert (refused.response_code, refused.cause) == ("4.00", "BOOTSTRAP_DELETE_REFUSED")


def test_a_refused_account_is_no_bootstrap(play, added, settings):
    """No Finish, the session failed with its cause, the job waits with the same, nothing counts as configured."""

    async def scene(southbound):
        uri = here(southbound, settings)
        faults = Faults(refuse={"write": Code.BAD_REQUEST})
        async with running_device("bs-1", bootstrap=uri, identity="bs-1", key=KEY, faults=faults):
            await until(lambda: BootstrapSession.objects.filter(state="failed").exists())

    play(scene)
    session = BootstrapSession.objects.order_by("pk").first()
    assert (session.state, session.cause) == ("failed", "BOOTSTRAP_WRITE_REFUSED")
    writes = list(session.exchanges.filter(operation="write").values_list("path", "response_code", "detail"))
    assert [(path, code) for path, code, _ in writes] == [("/0/1", "4.00"), ("/0/1", "4.00")]
    assert writes[1][2].startswith("Tried in TLV, as SenML CBOR was answered 4.00.")
    assert not session.exchanges.filter(operation="finish").exists()
    jobs.advance(job_id=Job.objects.get().pk)
    step = Job.objects.get().steps.get(kind="bootstrap")
    assert (step.state, step.cause) == ("waiting", "BOOTSTRAP_WRITE_REFUSED")
    assert Device.objects.get().provisioning == "ready"
    phases = {phase.key: phase.state for phase in progress.stepper(Device.objects.get()).steps}
    assert phases["configured"] == "stuck"


def test_separate_responses_and_loss_do_no_harm(play, added, settings):
    async def scene(southbound):
        uri = here(southbound, settings)
        faults = Faults(slow_seconds=0.05, drop_in=0.1, drop_out=0.1)
        async with running_device("bs-1", bootstrap=uri, identity="bs-1", key=KEY, faults=faults) as client:
            await client.until(lambda: client.is_registered, 25)

    play(scene, tuning=Tuning(ack_timeout=0.3, max_retransmit=4))


def test_an_endpoint_that_is_not_the_credentials_is_refused(play, added, settings, lab):
    onboarding.add_device(
        operator=lab,
        subscriber=None,
        endpoint="bs-2",
        name="",
        psk_identity="bs-2",
        psk_key=bytes(range(16)).hex(),
    )

    async def scene(southbound):
        uri = here(southbound, settings)
        async with running_device("bs-2", bootstrap=uri, identity="bs-1", key=KEY):
            await until(lambda: Knock.objects.filter(cause="ENDPOINT_IDENTITY_MISMATCH").exists())

    play(scene)
    assert not BootstrapSession.objects.exists()


def test_bspack_is_answered_501(play):
    async def scene(southbound):
        wire = await bootstrap(southbound)
        assert (await wire.ask(bootstrap_pack_request(endpoint="bs-1"))).code == "5.01"

    play(scene)


def test_a_stranger_who_says_a_name_gets_no_more_bytes_than_they_sent(play, settings):
    """The address may be somebody else's: nothing is repeated until somebody there has answered (RFC 7252 11.3)."""
    operator = operators.create(slug="lab", name="Lab", allows_nosec=True)
    onboarding.add_device(operator=operator, subscriber=None, endpoint="open-1", name="", security="none")

    async def scene(southbound):
        here(southbound, settings)
        wire = await bootstrap(southbound)
        sent = b"\x40\x02\x00\x01\xb2bs\x49ep=open-1"
        wire.send(sent)
        got = [await wire.next(), await wire.next()]
        assert sum(map(len, got)) <= len(sent)
        await asyncio.sleep(1)  # with the tuning of this test a repetition would come after 0.1 s
        await wire.is_alive()
        assert wire.inbox.empty()

    play(scene, tuning=Tuning(ack_timeout=0.1))


def test_who_answered_is_asked_again(play, settings):
    operator = operators.create(slug="lab", name="Lab", allows_nosec=True)
    onboarding.add_device(operator=operator, subscriber=None, endpoint="open-1", name="", security="none")

    async def scene(southbound):
        here(southbound, settings)
        wire = await bootstrap(southbound)
        wire.send(b"\x40\x02\x00\x01\xb2bs\x49ep=open-1")
        assert (await wire.next())[1] == Code.CHANGED
        first = await wire.next()
        wire.send(bytes((0x60 | first[0] & 15, Code.NOT_FOUND)) + first[2 : 4 + (first[0] & 15)])
        second = await wire.next()
        assert second[0] & 15 == 8
        assert await wire.next() == second

    play(scene, tuning=Tuning(ack_timeout=0.1))


def test_a_device_that_registers_directly_gets_no_session_for_its_name(play, settings, operator, make_device):
    make_device("direct-1", provisioning="applied")

    async def scene(southbound):
        here(southbound, settings)
        wire = await bootstrap(southbound)
        assert (await wire.ask(bootstrap_request(endpoint="direct-1"))).code == "4.00"
        await until(lambda: Knock.objects.filter(cause="BOOTSTRAP_NOT_EXPECTED").exists())

    play(scene)
    assert not BootstrapSession.objects.exists()
    assert Device.objects.get(endpoint="direct-1").provisioning == "applied"
