"""Devices by SMS over a real SMPP link to the loopback SMSC: what they can do, and what an SMSC can do to them."""

from __future__ import annotations

import asyncio

import pytest

from accounts.models import Operator
from devices.inventory.models import Device, Knock, Reach
from devices.messaging.models import SmscLink, SmsMessage, SmsPart, SmsState
from devices.messaging.services import smsc_links
from devices.observations.models import Observation
from devices.registry.models import Registration
from devices.telemetry.models import ResourceValue
from lwm2m.messages import Response
from simulator.smsc_faults import SmscFaults
from smpp import Address, DeliverSm, Status
from southbound.counters import Counters
from southbound.listeners.engine import Engine
from southbound.sms.lane import SmsLane, SmsPeer
from southbound.sms.smpp_link import UNREACHED
from tests.southbound.client import until
from tests.southbound.management import order, told
from tests.southbound.sms.scene import NUMBER, OURS, QUICK, by_sms, linked, off, settled

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def meter(make_device) -> Device:
    return make_device("meter", reach=Reach.SMS, security="msisdn", msisdn=NUMBER)


def live() -> Registration | None:
    return Registration.objects.filter(is_live=True).first()


@pytest.fixture
def sms(play):
    def run(scene, **options):
        return play(scene, sms=QUICK, sweep_seconds=0.2, **options)

    return run


@pytest.mark.parametrize(
    ("version", "queue_mode", "binding"),
    [("1.0", False, "S"), ("1.0", True, "S"), ("1.1", False, "S"), ("1.1", True, "S")],
)
def test_registers_updates_and_leaves_by_sms(sms, operator, meter, version, queue_mode, binding):
    async def scene(southbound):
        async with (
            linked(operator) as switch,
            by_sms(switch, "meter", version=version, queue_mode=queue_mode, binding=binding) as client,
        ):
            await client.until(lambda: client.is_registered)
            row = await until(live)
            assert (row.transport, row.identity, row.host, row.port) == ("sms", NUMBER, NUMBER, 0)
            assert row.queue_mode is queue_mode
            before = row.last_seen_at
            await client.update()
            await until(lambda: live().last_seen_at > before)
            await client.stop(deregister=True, within_seconds=60)
            await until(lambda: live() is None)
        parts = await off(lambda: list(SmsPart.objects.values_list("handled_at", flat=True)))
        assert len(parts) >= 3
        await until(lambda: not SmsPart.objects.filter(handled_at=None).exists())

    sms(scene)


def test_every_operation_by_sms(sms, operator, meter):
    async def scene(southbound):
        async with linked(operator) as switch, by_sms(switch, "meter", version="1.1") as client:
            await client.until(lambda: client.is_registered)
            await until(live)
            read = told(await order(meter, "read", "/3/0"))
            assert read["/3/0/0"]
            assert (await order(meter, "write", "/3/0/14", value="+02:00")).state == "done"
            assert told(await order(meter, "read", "/3/0/14")) == {"/3/0/14": "+02:00"}
            assert (await order(meter, "execute", "/3/0/12")).state == "done"
            assert (await order(meter, "discover", "/3/0")).state == "done"
            assert (
                await order(meter, "write-attributes", "/3303/0/5601", attributes={"pmin": 0})
            ).state == "done"
            long = "x" * 300
            assert (await order(meter, "write", "/3/0/15", value=long)).state == "done"
            observed = await order(meter, "observe", "/3/0/9", attributes={"pmin": 0, "pmax": 600})
            assert observed.state == "done"
            await until(lambda: Observation.objects.filter(state="active").exists())
            client.tree.set("/3/0/9", 42)
            await until(lambda: ResourceValue.objects.filter(device=meter, number=42).exists())
            response = await client.send(["/3303/0/5601"], even_if_muted=True)
            assert response.code == 0x44
            largest = max(
                len(bytes(row.payload)) for row in await off(lambda: list(SmsMessage.objects.all()))
            )
            assert largest <= 133

    sms(scene)


def test_parts_twice_and_out_of_order_do_no_harm(sms, operator, meter):
    faults = SmscFaults(duplicate=1.0, reorder=2)

    async def scene(southbound):
        async with (
            linked(operator, options={"faults": faults}) as switch,
            by_sms(switch, "meter", version="1.1") as client,
        ):
            await client.until(lambda: client.is_registered, 20)
            await until(live)
            await until(lambda: not SmsPart.objects.filter(handled_at=None).exists())

    sms(scene)


def test_an_smsc_that_throttles_refuses_and_is_slow(sms, operator, meter):
    faults = SmscFaults()

    async def scene(southbound):
        async with (
            linked(operator, options={"faults": faults}) as switch,
            by_sms(switch, "meter", version="1.1") as client,
        ):
            await client.until(lambda: client.is_registered)
            await until(live)
            faults.throttle = 2
            faults.slow_seconds = 0.3
            assert told(await order(meter, "read", "/3/0/0"))
            assert await off(lambda: SmsMessage.objects.filter(attempts__gt=1).exists())
            faults.slow_seconds = 0.0
            for status in (Status.INVDSTADR, Status.INVDSTTON, Status.RX_R_APPN):
                faults.refuse, faults.refuse_with = 1_000, status  # whatever else leaves meanwhile
                ended = await order(meter, "read", "/3/0/0")
                assert (ended.state, ended.cause, ended.attempts) == ("refused", "SMS_REFUSED", 1)
                assert status.name in ended.detail
            refused = await until(lambda: SmsMessage.objects.filter(state=SmsState.REFUSED).first())
            assert refused.cause == "SMS_REFUSED"

    sms(scene)


def test_an_smsc_that_goes_down_is_bound_again_and_nothing_waiting_is_lost(sms, operator, meter):
    async def scene(southbound):
        async with linked(operator) as switch, by_sms(switch, "meter", version="1.1") as client:
            await client.until(lambda: client.is_registered)
            await until(live)
            await switch.go_down()
            down = await until(lambda: SmscLink.objects.exclude(state="bound").first())
            assert down.cause in ("", "SMSC_UNREACHABLE")
            asked = asyncio.create_task(order(meter, "read", "/3/0/0"))
            await asyncio.sleep(0.3)
            assert not asked.done()
            await switch.come_up()
            assert told(await asked)

    sms(scene)


def test_a_wrong_password_is_told_and_mended(sms, operator, meter):
    async def scene(southbound):
        async with linked(operator) as switch:
            await off(smsc_links.save, operator=operator, password="wrong")
            refused = await until(lambda: SmscLink.objects.filter(state="refused").first())
            assert (refused.cause, "INVPASWD" in refused.detail) == ("SMSC_REFUSED", True)
            await off(smsc_links.save, operator=operator, password="secret")
            await until(lambda: SmscLink.objects.filter(state="bound").exists())
            assert switch.counts["binds refused"] >= 1

    sms(scene)


def test_a_stranger_is_not_answered_and_is_in_the_waiting_room(sms, operator, meter, make_device):
    async def scene(southbound):
        other = await off(Operator.objects.create, slug="other", name="Other")
        theirs = await off(
            make_device,
            "theirs",
            operator=other,
            reach=Reach.SMS,
            security="msisdn",
            msisdn="+491510000009",
        )
        async with (
            linked(operator) as switch,
            by_sms(switch, "stranger", "+491510000008"),
            by_sms(switch, "theirs", "+491510000009"),
        ):
            unknown = await until(lambda: Knock.objects.filter(cause="MSISDN_UNKNOWN").first())
            assert (unknown.host, unknown.operator_id, unknown.device_id) == (
                "+491510000008",
                operator.pk,
                None,
            )
            mismatch = await until(lambda: Knock.objects.filter(cause="MSISDN_MISMATCH").first())
            assert mismatch.device_id == theirs.pk
            assert await off(SmsMessage.objects.count) == 0
            assert await off(SmsPart.objects.count) == 0

    sms(scene)


def test_the_days_number_ends_it(sms, operator, meter):
    async def scene(southbound):
        async with (
            linked(operator, daily_messages=3) as switch,
            by_sms(switch, "meter", version="1.1") as client,
        ):
            await client.until(lambda: client.is_registered)
            await until(live)
            assert told(await order(meter, "read", "/3/0/0"))
            assert told(await order(meter, "read", "/3/0/1"))
            waiting = asyncio.create_task(order(meter, "read", "/3/0/2"))
            await asyncio.sleep(1.0)
            assert not waiting.done()
            waiting.cancel()
            sent = SmsMessage.objects.exclude(state=SmsState.DROPPED)
            assert await off(sent.count) == 3

    sms(scene)


def test_a_device_with_ip_updates_by_sms_only_if_it_said_so(sms, operator, make_device):
    device = make_device("both", msisdn=NUMBER)

    async def scene(southbound):
        async with linked(operator) as switch, by_sms(switch, "both", binding="US") as client:
            await client.until(lambda: client.is_registered)
            assert (await until(live)).transport == "sms"
        await off(Registration.objects.all().delete)
        async with linked(operator) as switch, by_sms(switch, "both", binding="U"):
            await until(lambda: Knock.objects.filter(device=device, cause="BINDING_INVALID").exists())

    sms(scene)


def test_receipts_make_messages_delivered(sms, operator, meter):
    async def scene(southbound):
        async with linked(operator) as switch, by_sms(switch, "meter") as client:
            await client.until(lambda: client.is_registered)
            await until(lambda: SmsMessage.objects.filter(state=SmsState.DELIVERED).exists())

    sms(scene)


def test_two_operators_have_their_links_in_one_process(sms, operator, meter, make_device):
    async def scene(southbound):
        other = await off(Operator.objects.create, slug="other", name="Other", allows_nosec=True)
        await off(
            make_device,
            "second",
            operator=other,
            reach=Reach.SMS,
            security="msisdn",
            msisdn="+491510000002",
        )
        async with (
            linked(operator) as one,
            linked(other, address="+491700000002") as two,
            by_sms(one, "meter") as first,
            by_sms(two, "second", "+491510000002", server="tel:+491700000002") as second,
        ):
            await first.until(lambda: first.is_registered)
            await second.until(lambda: second.is_registered)
            assert sorted(southbound.sms.bound()) == sorted([operator.pk, other.pk])

    sms(scene)


# -- what an SMSC may send -----------------------------------------------------------------------------------


def coap_register(mid: int, *, lifetime: int = 600, endpoint: str = "meter") -> bytes:
    """A confirmable Register with its object list, cut in two by whoever sends it as parts."""
    head = bytes((0x41, 0x02, mid >> 8, mid & 255, 0x77)) + b"\xb2rd\x11\x28"
    query = [f"ep={endpoint}", f"lt={lifetime}", "lwm2m=1.1", "b=S"]
    options = b""
    for index, each in enumerate(query):
        options += bytes(((3 if index == 0 else 0) << 4 | len(each),)) + each.encode()
    return head + options + b"\xff</1/0>,</3/0>"


def deliver(payload: bytes, **fields) -> DeliverSm:
    values = {"source": Address.parse(NUMBER), "destination": Address.parse(OURS), "data_coding": 4} | fields
    return DeliverSm(short_message=payload, **values)


@pytest.fixture
def received(play, operator):
    """What the SMSC is told for messages that it delivers, with the traffic beside a link that is never bound."""

    def run(*bodies: DeliverSm, then):
        async def scene(southbound):
            statuses: list[int] = []
            for body in bodies:
                southbound.sms.traffic.received(operator.pk, body, statuses.append)
            await settled(lambda: len(statuses) == len(bodies))
            await then(statuses)

        return play(scene, sms=QUICK, sweep_seconds=0.2)

    return run


@pytest.mark.parametrize("data_coding", [0x02, 0x04, 0x14, 0xF5])
def test_8_bit_data_is_taken_under_whatever_coding(received, meter, data_coding):
    async def then(statuses):
        assert statuses == [Status.OK]
        assert (await until(live)).device_id == meter.pk

    received(deliver(coap_register(1), data_coding=data_coding), then=then)


@pytest.mark.parametrize(
    ("fields", "said"),
    [
        ({"data_coding": 0}, "An SMS that is text"),
        ({"esm_class": 0x40, "short_message": b"\x09\x00"}, "An SMS that cannot be read"),
        ({"short_message": b"\xffnot coap"}, "An SMS from"),
    ],
)
def test_what_cannot_be_read_is_seen_by_staff_and_not_called_taken(received, operator, meter, fields, said):
    body = deliver(fields.pop("short_message", b"hello"), **fields)

    async def then(statuses):
        knock = await until(lambda: Knock.objects.filter(cause="MESSAGE_MALFORMED").first())
        assert (knock.claimed_name, knock.operator_id) == (NUMBER, operator.pk)
        assert knock.detail.startswith(said)
        if said != "An SMS from":  # that was stored before anybody looked into it
            assert statuses == [Status.RX_P_APPN]
            assert knock.device_id == meter.pk

    received(body, then=then)


def test_a_stranger_is_not_called_taken(received, meter):
    async def then(statuses):
        assert statuses == [Status.RX_P_APPN] * 2
        await until(lambda: Knock.objects.filter(cause="MSISDN_UNKNOWN", count=1).count() == 2)

    name = Address.parse("ACME")
    stranger = Address.parse("+491519999999")
    received(deliver(b"x", source=stranger, data_coding=0), deliver(b"x", source=name), then=then)


def test_a_message_after_half_of_another_is_as_it_was_sent(received, operator, meter):
    """VoCat#104, jsmpp#64: the first device was switched off after part 2; the next message has the reference again."""
    old, new = (coap_register(mid, lifetime=lifetime) for mid, lifetime in ((1, 111), (2, 222)))

    def part(message: bytes, number: int) -> DeliverSm:  # an 8-bit reference, 3GPP TS 23.040 9.2.3.24.1
        cut = message[:20] if number == 1 else message[20:]
        return deliver(bytes((5, 0, 3, 1, 2, number)) + cut, esm_class=0x40)

    async def then(statuses):
        assert statuses == [Status.OK] * 3
        assert (await until(live)).lifetime_seconds == 222
        await until(lambda: Knock.objects.filter(cause="SMS_INCOMPLETE", device=meter).first())

    received(part(old, 2), part(new, 1), part(new, 2), then=then)


def test_an_answer_and_a_request_may_have_the_same_id(meter):
    """RFC 7252 section 4.4: message ids are those of who made them up, and an ACK has one of ours."""
    taken, came, handled = [], [], []
    engine = Engine()
    engine.on_empty = lambda lane, peer: came.append(peer)
    lane = SmsLane(
        send=lambda *_: None,
        on_handled=handled.append,
        on_unreadable=lambda _: None,
        take=taken.append,
        engine=engine,
        counters=Counters(),
        tuning=QUICK.tuning,
    )
    peer = SmsPeer(1, NUMBER)
    lane.take_in(peer, bytes.fromhex("4402123461626364b27264") + b"\x44ep=1", (1,))
    lane.take_in(peer, bytes.fromhex("60001234"), (2,))
    assert (len(taken), came, handled) == (1, [peer], [[2]])
    taken[0].answer(Response(0x41))
    assert handled == [[2], [1]]


async def _speaks_http(reader, writer):
    await reader.read(100)
    writer.write(b"HTTP/1.1 400 Bad Request\r\n\r\n")
    await writer.drain()
    writer.close()


@pytest.mark.parametrize("there", ["nothing", "http", "barred"])
def test_a_link_tells_nothing_of_what_is_there_instead_of_an_smsc(sms, operator, settings, there):
    async def scene(southbound):
        server = await asyncio.start_server(_speaks_http, "127.0.0.1", 0)
        port = server.sockets[0].getsockname()[1]
        if there == "nothing":
            server.close()
            await server.wait_closed()
        values = {"host": "localhost", "system_id": "s", "address": "1234", "port": port}
        if there == "barred":
            settings.SMSC_NETWORKS = ["public"]
        await off(smsc_links.save, operator=operator, **values)
        down = await until(lambda: SmscLink.objects.filter(cause="SMSC_UNREACHABLE").first())
        assert down.detail == UNREACHED
        server.close()

    sms(scene)
