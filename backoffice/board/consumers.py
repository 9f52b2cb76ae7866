"""The live board over WebSocket."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django.contrib.auth.models import AnonymousUser

from accounts import tenancy
from accounts.models import User
from backoffice.board import listing, parts
from live import groups
from live.consumers import Fragment, LiveConsumer


class BoardConsumer(LiveConsumer):
    """The operators' board: the rows of the page that its address describes, and the counts above them."""

    tick_seconds = 15.0

    def allowed(self, user: User | AnonymousUser, kwargs: Mapping[str, Any]) -> bool:
        return tenancy.operator_ids(user, "inventory.view_device") != set()

    def groups_for(self, user: User, kwargs: Mapping[str, Any]) -> list[str]:
        ids = tenancy.operator_ids(user, "inventory.view_device")
        return [groups.BOARD] if ids is None else [groups.operator(one) for one in sorted(ids)]

    async def connect(self) -> None:
        self.query = listing.Query.parse(self.scope["query_string"].decode())
        self.parts = parts.Parts(self.query)
        await super().connect()

    def render(self, changed_ids: frozenset[int] | None) -> list[Fragment]:
        fragments = [
            Fragment(target=target, html=html) for target, html in self.parts.of(self.user, changed_ids)
        ]
        self.again_seconds = self.parts.again_seconds
        return fragments
