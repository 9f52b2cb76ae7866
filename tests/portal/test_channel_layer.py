"""The embedded channel layer: who listens stays in the group, who is gone leaves it."""

from __future__ import annotations

import asyncio
from typing import Any

from m2m_portal.channel_layer import InProcessChannelLayer

DAYS = 86_400
GROUP = "device.1"
MESSAGE = {"type": "device.changed", "device_id": 1}


def as_if_joined(layer: InProcessChannelLayer, channel: str, days_ago: int) -> None:
    layer.groups[GROUP][channel] -= days_ago * DAYS


def test_a_page_that_is_open_for_months_still_hears() -> None:
    async def scene() -> Any:
        layer = InProcessChannelLayer()
        page = await layer.new_channel()
        await layer.group_add(GROUP, page)
        as_if_joined(layer, page, 400)
        await layer.group_send(GROUP, MESSAGE)
        return await asyncio.wait_for(layer.receive(page), 5)

    assert asyncio.run(scene()) == MESSAGE


def test_a_page_that_vanished_is_forgotten_with_its_unread_messages() -> None:
    async def scene() -> InProcessChannelLayer:
        layer = InProcessChannelLayer(expiry=-1)  # a message has expired as soon as it is there
        await layer.group_add(GROUP, await layer.new_channel())
        await layer.group_send(GROUP, MESSAGE)
        await layer.group_send(GROUP, MESSAGE)
        return layer

    layer = asyncio.run(scene())
    assert not layer.groups[GROUP]
    assert not layer.channels
