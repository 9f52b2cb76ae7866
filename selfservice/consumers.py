"""The subscriber's device page, live: the same fragments as on the first load."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django.contrib.auth.models import AnonymousUser
from django.http import Http404
from django.template.loader import render_to_string
from django.utils import timezone

from accounts.models import User
from devices.registry.selectors import ways
from live import groups
from live.consumers import Fragment, LiveConsumer
from selfservice.selectors import own, page

PARTS = {
    "device-state": "selfservice/state.html",
    "verdict": "selfservice/verdict.html",
    "stepper": "portal/stepper.html",
    "device-behind": "selfservice/behind.html",
    "device-facts": "selfservice/facts.html",
}


class StepperConsumer(LiveConsumer):
    """/ws/devices/<device_id>/stepper/"""

    tick_seconds = 15.0  # late, silent for too long, a knock of nobody: all come without anybody saying so

    def allowed(self, user: User | AnonymousUser, kwargs: Mapping[str, Any]) -> bool:
        return user.is_authenticated and own.devices(user).filter(pk=kwargs["device_id"]).exists()

    def groups_for(self, user: User, kwargs: Mapping[str, Any]) -> list[str]:
        """An end device's state is its gateway's, so that is listened to as well."""
        return [groups.device(one) for one in ways.shown_with(kwargs["device_id"])]

    def render(self, changed_ids: frozenset[int] | None) -> list[Fragment]:
        try:
            device = own.get(self.user, self.kwargs["device_id"])
        except Http404:  # released this very moment; the next look closes the page
            return []
        context = {**page.context(device, timezone.now()), "reader": "subscriber"}
        return [
            Fragment(target=target, html=render_to_string(name, context)) for target, name in PARTS.items()
        ]
