"""A southbound with an SMSC beside it: the loopback one, or any other, and devices that have SMS alone."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from functools import partial

from accounts.models import Operator
from devices.messaging.models import LinkState, SmscLink
from devices.messaging.services import smsc_links
from simulator.device import Device as Client
from simulator.modem import Sim
from simulator.smsc import Smsc
from southbound.sms import tuning
from southbound.sms.links import SmsOptions
from southbound.sms.smpp_link import Patience
from tests.fakes.devices import running_device
from tests.simulator.sms import smsc
from tests.southbound.client import until

OURS = "+491700000001"
NUMBER = "+491510000001"
QUICK = SmsOptions(
    tuning=tuning.sms(ack_seconds=2.0, repetitions=2, response_seconds=5.0),
    patience=Patience(first=0.05, longest=0.2, refused=0.5, steady=0.0, response=1.0, enquire=0.5),
    renew_seconds=0.2,
    care_seconds=0.2,
)


async def off(work, *args, **kwargs):
    """Run something that speaks with the database off the loop."""
    found = await until(lambda: [partial(work, *args, **kwargs)()])
    return found[0]


async def link(operator: Operator, port: int, **fields) -> SmscLink:
    """The operator's link to an SMSC on loopback, once it is bound."""
    values = {
        "host": "127.0.0.1",
        "system_id": "portal",
        "address": OURS,
        "messages_per_second": 2000,
        "window": 50,
        "password": "secret",
    } | fields
    await off(smsc_links.save, operator=operator, port=port, **values)
    return await until(lambda: SmscLink.objects.filter(pk=operator.pk, state=LinkState.BOUND).first())


@asynccontextmanager
async def linked(operator: Operator, *, options=None, **fields) -> AsyncIterator[Smsc]:
    """A loopback SMSC to which the operator's link is bound."""
    async with smsc(**(options or {})) as switch:
        await link(operator, switch.port, **fields)
        yield switch


@asynccontextmanager
async def by_sms(switch: Smsc, endpoint: str, number: str = NUMBER, **behaviour) -> AsyncIterator[Client]:
    """A device that is switched on; it calls our management server by SMS."""
    behaviour = {"server": f"tel:{OURS}", "binding": "S"} | behaviour
    async with running_device(endpoint, sim=Sim(number, port=switch.port), **behaviour) as client:
        yield client


async def settled(condition, seconds: float = 10.0) -> None:
    """Until something that is no row is so."""
    async with asyncio.timeout(seconds):
        while not condition():
            await asyncio.sleep(0.01)
