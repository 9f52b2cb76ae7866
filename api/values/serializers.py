"""How values look in JSON: the latest as a list or tree, and their course over time."""

from __future__ import annotations

from typing import Any

from django.utils.text import format_lazy
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _
from rest_framework import serializers

from devices.telemetry.models import ResourceHistory, ResourceValue, ValueKind
from devices.telemetry.selectors import series, values
from lwm2m.objects import Catalogue
from lwm2m.paths import Path

TYPES = {kind.value: kind.name.lower() for kind in ValueKind}


class ResourceValueSerializer(serializers.ModelSerializer):
    """The latest value of one resource (instance). `at` is its own time, `received_at` when it came."""

    type = serializers.SerializerMethodField(
        help_text=format_lazy(_("One of {types}."), types=", ".join(TYPES.values()))
    )
    name = serializers.SerializerMethodField(help_text=_("From the object model; empty where none is known."))
    units = serializers.SerializerMethodField()
    value = serializers.SerializerMethodField()

    class Meta:
        model = ResourceValue
        fields = ("path", "name", "units", "type", "value", "at", "received_at")
        read_only_fields = fields

    @property
    def _catalogue(self) -> Catalogue:
        return self.context["catalogue"]

    def get_name(self, row: ResourceValue) -> str:
        return self._catalogue.name(Path.parse(row.path))

    def get_units(self, row: ResourceValue) -> str:
        model = self._catalogue.resource(Path.parse(row.path))
        return model.units if model else ""

    def get_type(self, row: ResourceValue) -> str:
        return TYPES[row.kind]

    def get_value(self, row: ResourceValue) -> Any:
        return values.value(row.kind, row.number, row.text)


class HistorySerializer(serializers.ModelSerializer):
    type = serializers.SerializerMethodField(
        help_text=format_lazy(_("One of {types}."), types=", ".join(TYPES.values()))
    )
    value = serializers.SerializerMethodField()

    class Meta:
        model = ResourceHistory
        fields = ("at", "type", "value")
        read_only_fields = fields

    def get_type(self, row: ResourceHistory) -> str:
        return TYPES[row.kind]

    def get_value(self, row: ResourceHistory) -> Any:
        return values.value(row.kind, row.number, row.text)


class LeafSerializer(serializers.Serializer):
    path = serializers.CharField()
    type = serializers.SerializerMethodField(
        help_text=format_lazy(_("One of {types}."), types=", ".join(TYPES.values()))
    )
    value = serializers.JSONField(allow_null=True)
    at = serializers.DateTimeField(allow_null=True)
    received_at = serializers.DateTimeField(allow_null=True)

    def get_type(self, leaf: values.Leaf) -> str:
        return TYPES[leaf.kind]


class TreeResourceSerializer(serializers.Serializer):
    path = serializers.CharField()
    number = serializers.IntegerField()
    name = serializers.CharField()
    type = serializers.CharField()
    operations = serializers.CharField(help_text=_("Of R, W, E."))
    is_multiple = serializers.BooleanField()
    units = serializers.CharField()
    range = serializers.CharField()
    is_absent = serializers.BooleanField(help_text=_("The device told no value, or that it has none."))
    latest = LeafSerializer(allow_null=True)
    instances = LeafSerializer(many=True)


class TreeInstanceSerializer(serializers.Serializer):
    path = serializers.CharField()
    number = serializers.IntegerField()
    is_announced = serializers.BooleanField(help_text=_("Stands in the device's object list."))
    resources = TreeResourceSerializer(many=True)


class TreeObjectSerializer(serializers.Serializer):
    path = serializers.CharField()
    number = serializers.IntegerField()
    name = serializers.CharField()
    version = serializers.CharField(help_text=_("Of the model it is read by."))
    instances = TreeInstanceSerializer(many=True)


class PointSerializer(serializers.Serializer):
    at = serializers.DateTimeField()
    value = serializers.JSONField(allow_null=True, help_text=_("Of a span, the last."))
    low = serializers.FloatField(allow_null=True)
    high = serializers.FloatField(allow_null=True)
    count = serializers.IntegerField()


class SeriesSerializer(serializers.Serializer):
    path = serializers.CharField()
    span_seconds = serializers.FloatField(help_text=_("0 where every value stands for itself."))
    points = PointSerializer(many=True)


class ResourceFilter(serializers.Serializer):
    path = serializers.CharField(required=False, max_length=24, help_text=_("This path and all below it."))
    since = serializers.DateTimeField(required=False, help_text=_("Values of this time and later."))


class SpanFilter(serializers.Serializer):
    since = serializers.DateTimeField(required=False, help_text=_("By default a day before `until`."))
    until = serializers.DateTimeField(required=False, help_text=_("By default now."))

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        if "since" in attrs and "until" in attrs and attrs["since"] >= attrs["until"]:
            raise serializers.ValidationError({"since": gettext("since is not before until.")})
        return attrs


class SeriesFilter(SpanFilter):
    max_points = serializers.IntegerField(
        required=False, default=series.POINTS, min_value=1, max_value=series.POINTS_LIMIT
    )
