"""2,000 SMS at once while the portal is killed: what was acknowledged to the SMSC is stored, and all is worked off."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path

import pytest

from simulator.smsc import Smsc
from smpp import Address, Limits, submit_sm
from smpp.parts import Part
from smpp.udh import COAP
from tests.fakes.waiting import eventually
from tests.running_portal import RunningPortal, running_portal
from tests.simulator.sms import Esme, smsc

DEVICES, EACH = 200, 10
OURS = "+491700000001"
_SEED = """
from accounts.models import Operator
from devices.inventory.models import Device
from devices.messaging.services import smsc_links
operator = Operator.objects.create(slug="burst", name="Burst")
smsc_links.save(operator=operator, host="127.0.0.1", port={port}, system_id="portal", password="secret",
                address="{ours}", messages_per_second=5000, window=100, wants_receipts=False)
Device.objects.bulk_create(
    Device(operator=operator, endpoint=f"meter-{{n}}", reach="sms", security="msisdn", onboarding="direct",
           msisdn=f"+4915100{{n:05d}}", ownership="claimed", provisioning="applied") for n in range({devices}))
"""
_COUNT = """
import json
from devices.messaging.models import SmsMessage, SmsPart
from devices.registry.models import Registration
print(json.dumps([
    len({bytes(p) for p in SmsPart.objects.values_list("payload", flat=True)}),
    SmsPart.objects.filter(handled_at=None).count(),
    Registration.objects.filter(is_live=True, transport="sms").count(),
    SmsMessage.objects.exclude(state__in=["sent", "delivered", "dropped"]).count(),
]))
"""


def register(device: int, number: int) -> bytes:
    """CON POST /rd?ep=...&lt=86400&lwm2m=1.1&b=S with an object list; its message id is its own."""
    mid = (device * EACH + number + 1).to_bytes(2, "big")
    ep = f"ep=meter-{device}".encode()
    query = b"".join(bytes((len(each),)) + each for each in (b"lt=86400", b"lwm2m=1.1", b"b=S"))
    options = b"\xb2rd\x11\x28" + bytes((0x30 | (13 if len(ep) > 12 else len(ep)),))
    options += bytes((len(ep) - 13,)) if len(ep) > 12 else b""
    return b"\x42\x02" + mid + mid + options + ep + query + b"\xff</1/0>,</3/0>"


def count(portal: RunningPortal) -> list[int]:
    done = portal.manage("shell", "-c", _COUNT)
    assert done.returncode == 0, done.stderr
    return list(json.loads(done.stdout.strip().splitlines()[-1]))


async def burst(switch: Smsc, esme: Esme) -> None:
    """From one line that has all the numbers, as an SMSC has."""
    loop = asyncio.get_running_loop()
    for number in range(EACH):
        for device in range(DEVICES):
            source = Address.parse(f"+4915100{device:05d}")
            message = submit_sm(
                Part(register(device, number), COAP), source=source, destination=Address.parse(OURS)
            )
            await eventually(lambda: esme.session.room(loop.time()) > 0, 30)
            esme.wire.act(esme.session.submit(message, None, loop.time()))
    await eventually(lambda: switch.counts["accepted"] >= DEVICES * EACH, 30)


@pytest.mark.slow
def test_a_burst_survives_a_kill(tmp_path: Path) -> None:
    async def scene(portal: RunningPortal, switch: Smsc) -> None:
        seed = _SEED.format(port=switch.port, ours=OURS, devices=DEVICES)
        done = await asyncio.to_thread(portal.manage, "shell", "-c", seed)
        assert done.returncode == 0, done.stderr
        esme = Esme("+4915100", window=200)
        esme.own = Address(1, 1, "^4915100")
        await esme.bound(switch)

        def acknowledged() -> int:
            """By the portal: its answers are acknowledged by the line of the devices."""
            return switch.counts["acknowledged"] - len(esme.received)

        sending = asyncio.create_task(burst(switch, esme))
        await eventually(lambda: acknowledged() >= 300, 60)
        await asyncio.to_thread(portal.kill)
        known = acknowledged()
        stored, *_ = await asyncio.to_thread(count, portal)
        assert DEVICES * EACH > stored >= known
        await sending
        await asyncio.to_thread(portal.start)
        for _ in range(60):
            stored, unhandled, registered, open_ones = await asyncio.to_thread(count, portal)
            if (stored, unhandled, open_ones) == (DEVICES * EACH, 0, 0):
                break
        assert (stored, unhandled, registered, open_ones) == (DEVICES * EACH, 0, DEVICES, 0)
        assert "Traceback" not in portal.text()

    async def main() -> None:
        async with smsc(limits=Limits(window=100, response_timeout=10.0), repeat_seconds=1.0) as switch:
            portals = running_portal(tmp_path)
            portal = await asyncio.to_thread(portals.__enter__)
            try:
                await scene(portal, switch)
            finally:
                await asyncio.to_thread(portals.__exit__, None, None, None)

    asyncio.run(asyncio.wait_for(main(), 400))
