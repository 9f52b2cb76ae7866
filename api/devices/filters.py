"""The query parameters of the list of devices, checked before they narrow anything."""

from __future__ import annotations

from django.db.models import QuerySet
from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from rest_framework import serializers

from devices.inventory.models import Device
from devices.inventory.states import Access, Provisioning
from devices.registry.selectors import search, sessions

ORDERINGS = ("id", "-id", "endpoint", "-endpoint", "created_at", "-created_at", "name", "-name")


class DeviceFilter(serializers.Serializer):
    q = serializers.CharField(
        required=False,
        max_length=255,
        help_text=_("Words, each of which is part of what a device or its person is known by."),
    )
    session = serializers.ChoiceField(choices=sessions.Session.choices, required=False)
    provisioning = serializers.ChoiceField(choices=Provisioning.choices, required=False)
    access = serializers.ChoiceField(choices=Access.choices, required=False)
    operator = serializers.SlugField(required=False, help_text=_("The operator's short name."))
    ordering = serializers.ChoiceField(choices=ORDERINGS, required=False, default="-id")

    def narrow(self, rows: QuerySet[Device]) -> QuerySet[Device]:
        given = self.validated_data
        if "q" in given:
            rows = search.found(rows, given["q"])
        if "session" in given:
            rows = rows.filter(sessions.condition(given["session"], timezone.now()))
        if "operator" in given:
            rows = rows.filter(operator__slug=given["operator"])
        rows = rows.filter(**{name: given[name] for name in ("provisioning", "access") if name in given})
        ordering = given["ordering"]
        return rows.order_by(ordering, "-id") if ordering.strip("-") != "id" else rows.order_by(ordering)
