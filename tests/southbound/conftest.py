"""A running southbound on free loopback ports, devices in the database, and a bare CoAP client to talk to it."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

import pytest
from channels.layers import get_channel_layer

from accounts.models import Operator
from devices.models import Device, Onboarding, Security
from devices.states import Ownership, Provisioning
from m2m_portal.channel_layer import InProcessChannelLayer
from southbound.transports.ports import PortSettings
from southbound.worker import Options, Southbound
from tests.ledger_triggers import flush_may_empty_the_ledger  # noqa: F401 a fixture
from tests.southbound.client import Wire

ANY_PORTS = PortSettings("127.0.0.1", 0, 0, 0, 0)


@pytest.fixture
def operator(db) -> Operator:
    return Operator.objects.create(slug="lab", name="Lab", allows_nosec=True)


@pytest.fixture
def make_device(operator) -> Callable[..., Device]:
    def make(endpoint: str = "dev-1", **facts) -> Device:
        values = {
            "operator": operator,
            "endpoint": endpoint,
            "onboarding": Onboarding.DIRECT,
            "security": Security.NONE,
            "ownership": Ownership.CLAIMED,
            "provisioning": Provisioning.APPLIED,
        } | facts
        return Device.objects.create(**values)

    return make


@asynccontextmanager
async def running(*, ports: PortSettings = ANY_PORTS, **options) -> AsyncIterator[Southbound]:
    """A started southbound, stopped at the end whatever happens."""
    InProcessChannelLayer.settle(asyncio.get_running_loop())
    southbound = Southbound(channel_layer=get_channel_layer(), ports=ports, options=Options(**options))
    await southbound.start()
    try:
        yield southbound
    finally:
        await Wire.close_all()
        await asyncio.wait_for(southbound.stop(), 5)
        InProcessChannelLayer.settle(None)


@pytest.fixture
def play(transactional_db, settings, tmp_path) -> Callable:
    """Run one scene (a coroutine function that gets the southbound) against a running southbound."""

    settings.DATA_DIR = tmp_path

    def run(scene, **options):
        async def main():
            async with running(**options) as southbound:
                return await asyncio.wait_for(scene(southbound), 30)

        return asyncio.run(main())

    return run
