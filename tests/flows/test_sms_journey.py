"""A device that has SMS alone, from claim to release: added, bootstrapped, registered, online, managed, removed."""

from __future__ import annotations

import asyncio

import pytest
from channels.layers import get_channel_layer

from devices.inventory.models import Device, Onboarding, Reach
from devices.inventory.states import Provisioning
from devices.messaging.services import smsc_links
from devices.registry.models import Registration
from m2m_portal.channel_layer import InProcessChannelLayer
from provisioning.models import BootstrapSession
from provisioning.services import jobs, lifecycle, onboarding
from simulator.modem import Sim
from southbound.process.worker import Options, Southbound
from tests.devices import making
from tests.fakes.devices import running_device
from tests.simulator.sms import smsc
from tests.southbound.client import until
from tests.southbound.conftest import ANY_PORTS
from tests.southbound.management import order, told
from tests.southbound.sms.scene import NUMBER, OURS, QUICK, link, off

pytestmark = pytest.mark.django_db(transaction=True)


def advance(device: Device) -> bool:
    """What a Celery worker does when a bell rings."""
    for job_id in device.jobs.values_list("pk", flat=True):
        jobs.advance(job_id=job_id)
    return Device.objects.get(pk=device.pk).provisioning == Provisioning.APPLIED


@pytest.mark.parametrize("version", ["1.0", "1.1"])
def test_int_1_a_device_by_sms_from_claim_to_release(transactional_db, settings, tmp_path, version):
    settings.DATA_DIR = tmp_path
    operator = making.operator()
    subscriber = making.subscriber(operator)
    smsc_links.save(operator=operator, host="127.0.0.1", port=1024, system_id="portal", address=OURS)

    async def main():
        InProcessChannelLayer.settle(asyncio.get_running_loop())
        southbound = Southbound(
            channel_layer=get_channel_layer(), ports=ANY_PORTS, options=Options(sms=QUICK, sweep_seconds=0.2)
        )
        await southbound.start()
        try:
            async with smsc() as switch:
                await link(operator, switch.port)
                await journey(switch)
        finally:
            await southbound.stop()
            InProcessChannelLayer.settle(None)

    async def journey(switch):
        added = await off(
            onboarding.add_device,
            operator=operator,
            subscriber=subscriber,
            endpoint="meter",
            reach=Reach.SMS,
            onboarding=Onboarding.BOOTSTRAP,
            msisdn=NUMBER,
        )
        device = added.device
        assert (device.security, added.secret_to_show) == ("msisdn", None)
        sim = Sim(NUMBER, port=switch.port)
        async with running_device(
            "meter", bootstrap=f"tel:{OURS}", sim=sim, version=version, binding="S"
        ) as client:
            await client.until(lambda: client.is_registered, 40)
            await until(lambda: advance(device), 30)
            device = await off(Device.objects.get, pk=device.pk)
            assert device.manufacturer
            session = await until(lambda: BootstrapSession.objects.filter(state="done").first())
            assert (session.transport, session.host) == ("sms", NUMBER)
            assert told(await order(device, "read", "/1/0/7"))["/1/0/7"].startswith("S")
            assert (await order(device, "write", "/3/0/14", value="+01:00")).state == "done"
        await off(lifecycle.release, device=device, reason="Sold")
        await until(lambda: not Registration.objects.filter(is_live=True).exists())

    asyncio.run(asyncio.wait_for(main(), 120))
