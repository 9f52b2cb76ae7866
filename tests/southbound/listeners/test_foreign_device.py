"""Every operation on a device whose CoAP is aiocoap's, by a running southbound: no side of the air is ours alone."""

from __future__ import annotations

from devices.observations.models import Observation
from devices.registry.models import Registration
from devices.telemetry.models import ResourceValue
from tests.southbound.client import until
from tests.southbound.management import managed, order, told


def test_a_device_on_aiocoap_is_managed_like_any_other(play, make_device):
    device = make_device()

    async def scene(southbound):
        async with managed(southbound, stack="aiocoap") as client:
            assert told(await order(device, "read", "/3/0/0")) == {"/3/0/0": "Virtual Devices"}
            assert (await order(device, "read", "/3/0/99")).response_code == "4.04"
            assert (await order(device, "write", "/3/0/15", value="Europe/Oslo")).response_code == "2.04"
            assert client.tree.value(3, 0, 15) == "Europe/Oslo"
            assert (await order(device, "execute", "/1/0/8")).response_code == "2.04"
            await client.until(lambda: client.counts["updated"] >= 1)

            long = "z" * 3000
            assert (await order(device, "write", "/3/0/15", value=long)).response_code == "2.04"
            assert told(await order(device, "read", "/3/0/15")) == {"/3/0/15": long}

            assert (await order(device, "observe", "/3303/0/5601")).state == "done"
            await until(lambda: Observation.objects.filter(state="active").exists())
            for value in (18.5, 19.5):
                client.tree.set("/3303/0/5601", value)
                await until(
                    lambda n=value: ResourceValue.objects.filter(path="/3303/0/5601", number=n).exists()
                )
            assert (await order(device, "cancel-observe", "/3303/0/5601")).state == "done"
            await client.stop(deregister=True)
        await until(lambda: not Registration.objects.get().is_live)

    play(scene)
