"""The registration acceptance list of reference section 3.7, by real sockets; OMA test ids where they have one."""

from __future__ import annotations

import asyncio

import pytest

from accounts.models import Operator
from audit.models import LedgerEvent
from devices.commands.models import Command
from devices.commands.services import mailbox
from devices.inventory.models import Knock
from devices.inventory.states import Access, Provisioning
from devices.registry.models import Registration, RegistrationDetail
from lwm2m.codes import Code
from lwm2m.messages import Request
from lwm2m.requests import deregister_request, register_request, update_request
from tests.fakes.devices import running_device
from tests.southbound.client import LINKS, management, until

pytestmark = pytest.mark.django_db(transaction=True)


def register(query: str, payload: bytes = LINKS, **more) -> Request:
    items = tuple(query.split("&")) if query else ()
    return Request(Code.POST, ("rd",), items, more.pop("content_format", 40), payload, **more)


@pytest.mark.parametrize(
    ("query", "payload", "code"),
    [
        ("ep=dev-1", LINKS, "4.00"),  # 2: no lwm2m
        ("ep=dev-1&lwm2m=9.9", LINKS, "4.12"),  # 3
        ("ep=dev-1&lwm2m=abc", LINKS, "4.00"),  # 4
        ("ep=nobody&lwm2m=1.1", LINKS, "4.03"),  # 6
        ("ep=dev-1&lwm2m=1.1&Q=1", LINKS, "4.00"),  # 7
        ("ep=dev-1&lwm2m=1.0&Q", LINKS, "4.00"),  # 7
        ("ep=dev-1&lwm2m=1.1&b=UQ", LINKS, "4.00"),  # L-07
        ("ep=dev-1&lwm2m=1.1&lt=", LINKS, "4.00"),  # 11
        ("ep=dev-1&lwm2m=1.1&lt=never", LINKS, "4.00"),  # L-08
        ("ep=dev-1&lwm2m=1.1", b"", "4.00"),  # L-06
        ("ep=dev-1&lwm2m=1.1", b"<<<>;;,", "4.00"),
        ("lwm2m=1.1", LINKS, "4.00"),  # L-03
        ("ep=dev-1&lwm2m=1.1&unknown=yes&flag", LINKS, "2.01"),  # L-08
        ("ep=dev-1&lwm2m=1.0&b=UQ", LINKS, "2.01"),
        ("ep=dev-1&lwm2m=1.1&b=U&Q", LINKS, "2.01"),  # int-108
        ("ep=dev-1&lwm2m=1.1", b"</>;rt=oma.lwm2m;ct=110, </1/0>,</3/0/>", "2.01"),
        ("ep=dev-1&lwm2m=1.1", b"</1/0>,</3/0>,</32999/7>", "2.01"),  # 10
        ("ep=dev-1&lwm2m=1.2&pid=6:27354b9a", b"", "4.09"),  # 21
    ],
)
def test_register_is_answered_with(play, make_device, query, payload, code):
    make_device("dev-1")

    async def scene(southbound):
        wire = await management(southbound)
        assert (await wire.ask(register(query, payload))).code == code

    play(scene)


def test_hidden_objects_are_never_shown_and_versions_are_kept(play, make_device):
    make_device("dev-1")

    async def scene(southbound):
        wire = await management(southbound)
        payload = b"</0/0>,</21/0>,</1/0>,</3>;ver=1.2,</3/0>,</3303/0>;ver=1.1"
        assert (await wire.ask(register("ep=dev-1&lwm2m=1.1", payload))).code == "2.01"

    play(scene)
    objects = RegistrationDetail.objects.get().object_links["objects"]
    assert sorted(objects) == ["1", "3", "3303"]
    assert (objects["3"]["version"], objects["3303"]["version"]) == ("1.2", "1.1")


def test_int_105_reregister_gives_a_new_id_and_the_old_one_is_unknown(play, make_device):
    make_device("dev-1")

    async def scene(southbound):
        wire = await management(southbound)
        first = (await wire.ask(register_request(endpoint="dev-1", object_links=LINKS))).location
        second = (await wire.ask(register_request(endpoint="dev-1", object_links=LINKS))).location
        assert first != second
        assert (await wire.ask(update_request(first))).code == "4.04"
        assert (await wire.ask(update_request(second))).code == "2.04"

    play(scene)
    actions = list(LedgerEvent.objects.order_by("id").values_list("action", flat=True))
    assert actions == ["registration.registered", "registration.replaced"]


def test_int_102_a_registration_that_is_not_refreshed_expires(play, make_device):
    device = make_device("dev-1")

    async def scene(southbound):
        wire = await management(southbound)
        location = (
            await wire.ask(register_request(endpoint="dev-1", object_links=LINKS, lifetime_seconds=1))
        ).location
        await until(lambda: not Registration.objects.get().is_live)
        assert (await wire.ask(update_request(location))).code == "4.04"

    play(scene)
    assert RegistrationDetail.objects.get().end_cause == "LIFETIME_EXPIRED"
    assert LedgerEvent.objects.get(action="registration.expired").device_id == device.pk


def test_lifetime_0_never_expires(play, make_device):
    make_device("dev-1")

    async def scene(southbound):
        wire = await management(southbound)
        location = (
            await wire.ask(register_request(endpoint="dev-1", object_links=LINKS, lifetime_seconds=0))
        ).location
        assert (await wire.ask(update_request(location))).code == "2.04"

    play(scene)
    assert Registration.objects.get().expires_at is None


def test_conmgmt_int_1250_update_replaces_the_object_list_and_is_history(play, make_device):
    make_device("dev-1")

    async def scene(southbound):
        wire = await management(southbound)
        location = (await wire.ask(register_request(endpoint="dev-1", object_links=LINKS))).location
        changed = update_request(location, object_links=b"</1/0>,</3/0>,</11/0>")
        assert (await wire.ask(changed)).code == "2.04"
        assert (await wire.ask(update_request(location))).code == "2.04"

    play(scene)
    assert sorted(RegistrationDetail.objects.get().object_links["objects"]) == ["1", "11", "3"]
    assert LedgerEvent.objects.filter(action="registration.updated").count() == 1


def test_an_update_from_another_port_moves_the_registration_without_history(play, make_device):
    make_device("dev-1")

    async def scene(southbound):
        wire = await management(southbound)
        location = (await wire.ask(register_request(endpoint="dev-1", object_links=LINKS))).location
        other = await management(southbound)
        assert (await other.ask(update_request(location))).code == "2.04"
        return other.local_port

    port = play(scene)
    assert Registration.objects.get().port == port
    assert not LedgerEvent.objects.filter(action="registration.updated").exists()


def test_int_110_a_profile_once_learned_stands_for_its_list(play, make_device):
    make_device("dev-1")
    make_device("dev-2")

    async def scene(southbound):
        wire = await management(southbound)
        query = "ep={}&lwm2m=1.2&pid=6:00c0ffee"
        assert (await wire.ask(register(query.format("dev-1"), b"</1/0>,</3/0>"))).code == "2.01"
        assert (await wire.ask(register(query.format("dev-2"), b"", content_format=None))).code == "2.01"
        # int-111: a list beside a known profile is added to it
        assert (await wire.ask(register(query.format("dev-2"), b"</4/0>"))).code == "2.01"

    play(scene)
    detail = RegistrationDetail.objects.get(device__endpoint="dev-2")
    assert sorted(detail.object_links["objects"]) == ["1", "3", "4"]


@pytest.mark.parametrize(
    ("facts", "tenant", "code", "cause"),
    [
        ({"access": Access.SUSPENDED}, {}, "4.03", "DEVICE_SUSPENDED"),
        ({"access": Access.BARRED}, {}, "4.03", "DEVICE_BARRED"),
        ({"provisioning": Provisioning.DRAFT}, {}, "4.03", "NOT_PROVISIONED"),
        ({"security": "psk"}, {}, "4.03", "WRONG_SECURITY"),
        ({}, {"is_active": False}, "4.03", "OPERATOR_INACTIVE"),
        ({}, {"allows_nosec": False}, "4.03", "NOSEC_NOT_ALLOWED"),
    ],
)
def test_who_may_not_register(play, make_device, facts, tenant, code, cause):
    row = make_device("dev-1", **facts)
    if tenant:
        Operator.objects.update(**tenant)

    async def scene(southbound):
        wire = await management(southbound)
        assert (await wire.ask(register_request(endpoint="dev-1", object_links=LINKS))).code == code
        await until(lambda: Knock.objects.filter(cause=cause, device=row, claimed_name="dev-1").exists())

    play(scene)


def test_suspending_a_device_refuses_its_updates(play, make_device):
    device = make_device("dev-1")

    async def scene(southbound):
        wire = await management(southbound)
        location = (await wire.ask(register_request(endpoint="dev-1", object_links=LINKS))).location
        await until(lambda: type(device).objects.update(access=Access.SUSPENDED))
        assert (await wire.ask(update_request(location))).code == "4.00"
        assert (await wire.ask(deregister_request(location))).code == "4.00"

    play(scene)
    assert Registration.objects.get().is_live


def test_19_a_storm_of_reregistrations_leaves_one_row_each_and_every_event(play, make_device):
    for number in range(40):
        make_device(f"dev-{number}")

    async def scene(southbound):
        wires = [await management(southbound) for _ in range(40)]

        async def one(number):
            request = register_request(endpoint=f"dev-{number}", object_links=LINKS)
            return [(await wires[number].ask(request)).path for _ in range(5)]

        return await asyncio.gather(*(one(number) for number in range(40)))

    paths = play(scene)
    assert {f"rd/{r}" for r in Registration.objects.values_list("registration_id", flat=True)} == {
        each[-1] for each in paths
    }
    assert LedgerEvent.objects.filter(action__startswith="registration.").count() == 200


def test_int_109_three_commands_wait_for_a_sleeping_device_and_leave_in_order(play, make_device, settings):
    settings.AWAKE_SECONDS = 1
    device = make_device("dev-1")

    def queue(path):
        return mailbox.enqueue(device=device, operation="read", path=path, requested_by="test")

    async def scene(southbound):
        from devices.inventory.models import Plane

        uri = f"coap://127.0.0.1:{southbound.ports.port_of(Plane.MANAGEMENT, secured=False)}"
        async with running_device("dev-1", server=uri, queue_mode=True, awake_seconds=60) as client:
            await client.until(lambda: client.is_registered)
            await asyncio.sleep(1.1)  # the awake window is a span of time
            for path in ("/3/0/0", "/3/0/1", "/3/0/2"):
                await until(lambda path=path: queue(path))
            assert await until(lambda: Command.objects.filter(state="queued").count() == 3)
            await client.update()
            await until(lambda: Command.objects.filter(state="done").count() == 3)

    play(scene)
    rows = list(Command.objects.order_by("sent_at").values_list("path", flat=True))
    assert rows == ["/3/0/0", "/3/0/1", "/3/0/2"]


def test_8_reads_go_to_the_alternate_path(play, make_device):
    device = make_device("dev-1")

    async def scene(southbound):
        wire = await management(southbound)
        payload = b'</lwm2m>;rt="oma.lwm2m";ct=110,</lwm2m/1/0>,</lwm2m/3/0>'
        await wire.ask(register("ep=dev-1&lwm2m=1.1", payload))
        await until(
            lambda: mailbox.enqueue(device=device, operation="read", path="/3/0", requested_by="test")
        )
        request = await wire.next()
        assert b"\xb5lwm2m\x013\x010" in request
        wire.send(bytes((0x70, 0)) + request[2:4])  # RST: not wanted
        await until(lambda: Command.objects.get().state == "refused")

    play(scene)


def test_a_register_in_blocks(play, make_device):
    make_device("dev-1")
    payload = b"".join(b"</3303/%d>," % n for n in range(300)) + b"</1/0>,</3/0>"

    async def scene(southbound):
        wire = await management(southbound)
        parts = [payload[at : at + 512] for at in range(0, len(payload), 512)]
        for number, part in enumerate(parts):
            more = number < len(parts) - 1

            def block(message, number=number, more=more):
                message.opt.block1 = (number, more, 5)

            answer = await wire.ask(register("ep=dev-1&lwm2m=1.1", part), options=block)
            assert answer.code == ("2.31" if more else "2.01")
            assert answer.message.opt.block1.block_number == number

    play(scene)
    assert len(RegistrationDetail.objects.get().object_links["objects"]["3303"]["instances"]) == 300


def test_ipv6(transactional_db, make_device, settings, tmp_path):
    from southbound.process.ports import PortSettings
    from tests.southbound.client import Wire
    from tests.southbound.conftest import running

    settings.DATA_DIR = tmp_path
    device = make_device("dev-1")

    async def main():
        async with running(ports=PortSettings("::1", 0, 0, 0, 0)) as southbound:
            wire = await Wire.to(southbound.ports.port_of("management", secured=False), "::1")
            await wire.ask(register_request(endpoint="dev-1", object_links=LINKS))
            await until(
                lambda: mailbox.enqueue(device=device, operation="read", path="/3/0", requested_by="test")
            )
            asked = await wire.next()
            wire.send(bytes((0x60 | asked[0] & 15, 0x84)) + asked[2 : 4 + (asked[0] & 15)])
            await until(lambda: Command.objects.filter(response_code="4.04").exists())

    asyncio.run(asyncio.wait_for(main(), 30))
    assert Registration.objects.get().host == "::1"
