"""A registered device of its own for each case, on a Southbound of its own: the case then drives and judges."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any

import pytest

from devices.inventory.models import Device
from simulator.device import Device as Client
from tests.southbound.conftest import flush_may_empty_the_ledger, make_device, operator, play
from tests.southbound.management import managed

__all__ = ["flush_may_empty_the_ledger", "make_device", "operator", "play"]

Scene = Callable[[Device, Client], Awaitable[Any]]


@pytest.fixture
def drive(play, make_device) -> Callable[..., Any]:
    """``drive(scene, **behaviour)`` runs ``scene(device, client)`` with a device that behaves so and is registered.

    ``device`` is the portal's row, ``client`` the device itself; ``tuning`` is of the Southbound.
    """

    def run(scene: Scene, **behaviour: Any) -> Any:
        device = make_device()

        async def main(southbound: Any) -> Any:
            async with managed(southbound, **behaviour) as client:
                return await scene(device, client)

        return play(main)

    return run
