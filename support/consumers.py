"""The support desk's device page, live: the same fragments as on the first load, under the same filters."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from urllib.parse import parse_qsl

from django.contrib.auth.models import AnonymousUser
from django.http import Http404
from django.template.loader import render_to_string
from django.utils import timezone

from accounts.models import User
from devices.registry.selectors import ways
from live import groups
from live.consumers import Fragment, LiveConsumer
from support.access import operator_ids
from support.selectors import devices, page, timeline

PARTS = {
    "device-state": "support/state.html",
    "diagnosis": "support/diagnosis.html",
    "action": "support/actions.html",
    "cause": "support/causes.html",
    "timeline": "support/timeline.html",
    "stepper": "portal/stepper.html",
    "device-facts": "support/facts.html",
    "bootstraps": "support/bootstraps.html",
    "jobs": "support/jobs.html",
    "knocks": "support/knocks.html",
}


class TimelineConsumer(LiveConsumer):
    """/ws/support/devices/<device_id>/, with the page's filters as query."""

    tick_seconds = 15.0  # knocks are counted without a word

    def allowed(self, user: User | AnonymousUser, kwargs: Mapping[str, Any]) -> bool:
        return devices.visible(operator_ids(user)).filter(pk=kwargs["device_id"]).exists()

    def groups_for(self, user: User, kwargs: Mapping[str, Any]) -> list[str]:
        return [groups.device(one) for one in ways.shown_with(kwargs["device_id"])]

    def render(self, changed_ids: frozenset[int] | None) -> list[Fragment]:
        query = dict(parse_qsl(self.scope["query_string"].decode()))
        allowed = operator_ids(self.user)
        try:
            device = devices.get(self.kwargs["device_id"], allowed)
        except Http404:
            return []
        context = page.context(device, allowed, timeline.Filters.read(query), timezone.now())
        context["reader"] = "support"
        return [
            Fragment(target=target, html=render_to_string(name, context)) for target, name in PARTS.items()
        ]
