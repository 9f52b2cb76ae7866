"""Two southbounds on the same ports, one stopped and started after the other, while DTLS devices go on."""

from __future__ import annotations

import asyncio
from contextlib import AsyncExitStack

import pytest
from django.utils import timezone

from devices.inventory.models import Plane
from devices.inventory.security import Material
from devices.inventory.services import credentials
from devices.registry.models import Registration
from southbound.process.ports import PortSettings
from tests.fakes.devices import new_device
from tests.running_portal import free_port
from tests.southbound.conftest import running

pytestmark = pytest.mark.django_db(transaction=True)
KEY = bytes(range(16))
COUNT = 24


@pytest.fixture
def fleet(make_device):
    for number in range(COUNT):
        device = make_device(f"dev-{number}", security="psk")
        credentials.store(
            device=device,
            plane=Plane.MANAGEMENT,
            kind="psk",
            material=Material(f"psk-{number}", KEY),
            origin="test",
        )


def handshakes(southbound) -> int:
    return southbound.ports._secured[Plane.MANAGEMENT].server.statistics.handshakes


@pytest.mark.parametrize("cid", [b"", None], ids=["with CID", "without CID"])
def test_a_clean_restart_of_each_needs_no_new_handshake(transactional_db, fleet, settings, tmp_path, cid):
    settings.DATA_DIR = tmp_path
    ports = PortSettings("127.0.0.1", *(free_port(datagram=True) for _ in range(4)))

    def process(number):
        return running(ports=ports, number=number, shared=True)

    async def main():
        async with AsyncExitStack() as stack:
            zero = AsyncExitStack()
            one = AsyncExitStack()
            for each in (zero, one):
                stack.push_async_callback(each.aclose)
            first = await zero.enter_async_context(process(0))
            second = await one.enter_async_context(process(1))
            devices = [
                new_device(
                    f"dev-{n}",
                    server=f"coaps://127.0.0.1:{ports.coaps}",
                    identity=f"psk-{n}",
                    key=KEY,
                    cid=cid,
                )
                for n in range(COUNT)
            ]
            for device in devices:
                stack.push_async_callback(device.stop)
                device.start()
            await asyncio.gather(*(device.until(lambda d=device: d.is_registered, 25) for device in devices))
            assert handshakes(first) + handshakes(second) == COUNT
            if cid is not None:
                for device in devices:
                    device.rebind()
            await asyncio.gather(*(device.update() for device in devices))
            await zero.aclose()
            again = await zero.enter_async_context(process(0))
            await asyncio.gather(*(device.update() for device in devices))
            await one.aclose()
            twice = await one.enter_async_context(process(1))
            await asyncio.gather(*(device.update() for device in devices))
            assert handshakes(again) == handshakes(twice) == 0
            assert sum(s.counters.passed_on for s in (first, second, again, twice)) > 0

    begun = timezone.now()
    asyncio.run(main())
    assert Registration.objects.filter(is_live=True, registered_at__gt=begun).count() == COUNT
