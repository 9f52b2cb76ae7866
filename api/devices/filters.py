"""The query parameters of the lists, checked before they narrow anything."""

from __future__ import annotations

from django.db.models import Q, QuerySet
from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from rest_framework import serializers

from devices.inventory.models import Device, Knock, Plane
from devices.inventory.states import Access, Provisioning
from devices.registry.models import Registration, Transport
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


class RegistrationFilter(serializers.Serializer):
    q = serializers.CharField(
        required=False, max_length=255, help_text=_("Part of an endpoint name, or an address.")
    )
    session = serializers.ChoiceField(choices=sessions.Session.choices, required=False)
    transport = serializers.ChoiceField(choices=Transport.choices, required=False)
    operator = serializers.SlugField(required=False, help_text=_("The operator's short name."))

    def narrow(self, rows: QuerySet[Registration]) -> QuerySet[Registration]:
        given = self.validated_data
        if "q" in given:
            rows = rows.filter(device__in=search.found(Device.objects.order_by(), given["q"]))
        if "session" in given:
            rows = rows.filter(sessions.condition(given["session"], timezone.now(), of_device=False))
        if "transport" in given:
            rows = rows.filter(transport=given["transport"])
        if "operator" in given:
            rows = rows.filter(device__operator__slug=given["operator"])
        return rows


class KnockFilter(serializers.Serializer):
    q = serializers.CharField(
        required=False,
        max_length=255,
        help_text=_(
            "Part of the name or the address. The whole name also finds knocks of devices nobody added."
        ),
    )
    cause = serializers.CharField(required=False, max_length=40)
    plane = serializers.ChoiceField(choices=Plane.choices, required=False)

    def narrow(self, rows: QuerySet[Knock], of_nobody: QuerySet[Knock]) -> QuerySet[Knock]:
        given = self.validated_data
        if "q" in given:
            rows = rows.filter(Q(claimed_name__icontains=given["q"]) | Q(host=given["q"])) | of_nobody
        return rows.filter(**{name: given[name] for name in ("cause", "plane") if name in given})
