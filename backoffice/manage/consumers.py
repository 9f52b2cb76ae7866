"""The page of a device, live: its state, tree, queue and messages on one line, the chosen node on another."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from urllib.parse import parse_qs

from django.contrib.auth.models import AnonymousUser
from django.db.models import QuerySet
from django.template.loader import render_to_string

from accounts.models import User
from backoffice.manage import facts, node, page, parts
from devices.inventory.models import Device
from devices.registry.selectors import ways
from live import groups
from live.consumers import Fragment, LiveConsumer


def _devices(user: User | AnonymousUser) -> QuerySet[Device]:
    return Device.objects.of_staff(user, "inventory.view_device", "inventory.change_device")


class _DeviceConsumer(LiveConsumer):
    """For staff whose role lets them see this device."""

    tick_seconds = 15.0  # a device falls asleep without a word

    def allowed(self, user: User | AnonymousUser, kwargs: Mapping[str, Any]) -> bool:
        return _devices(user).filter(pk=kwargs["device_id"]).exists()

    def groups_for(self, user: User, kwargs: Mapping[str, Any]) -> list[str]:
        return [groups.device(one) for one in ways.shown_with(kwargs["device_id"])]

    def read(self) -> facts.Facts | None:
        """The device as it is now; None when it went this very moment."""
        device = facts.rows(_devices(self.user)).filter(pk=self.kwargs["device_id"]).first()
        return None if device is None else facts.of(device)


class ManageConsumer(_DeviceConsumer):
    """/ws/devices/<device_id>/manage/"""

    async def connect(self) -> None:
        self.parts = parts.Parts()
        await super().connect()

    def render(self, changed_ids: frozenset[int] | None) -> list[Fragment]:
        found = self.read()
        if found is None:
            return []
        drawn = self.parts.of(found, may_act=page.may_act(self.user, found))
        return [Fragment(target=target, html=html) for target, html in drawn]


class NodeConsumer(_DeviceConsumer):
    """/ws/devices/<device_id>/manage/node/?path=/3/0/9&span=1d"""

    def render(self, changed_ids: frozenset[int] | None) -> list[Fragment]:
        query = parse_qs(self.scope["query_string"].decode(errors="replace"))
        path = node.parse(query.get("path", [""])[0])
        found = self.read()
        if found is None or path is None:
            return []
        chosen = node.of(found, path, span=query.get("span", [""])[0])
        said = parts.node_context(found, chosen, may_act=page.may_act(self.user, found))
        html = render_to_string("backoffice/manage/manage_node_live.html", said)
        return [Fragment(target="node-live", html=html)]
