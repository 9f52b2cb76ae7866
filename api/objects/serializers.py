"""How loaded object definitions look in JSON, and what may be asked of their list."""

from __future__ import annotations

from typing import Any

from django.db.models import QuerySet
from django.utils.text import format_lazy
from django.utils.translation import gettext_lazy as _
from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from devices.inventory import object_files
from devices.inventory.models import ObjectDefinition
from devices.inventory.selectors import object_definitions
from devices.inventory.services.object_models import Result
from lwm2m.errors import Lwm2mError
from lwm2m.objects import from_json


class ObjectResourceSerializer(serializers.Serializer):
    id = serializers.IntegerField(source="resource_id")
    name = serializers.CharField()
    operations = serializers.CharField(help_text=_("Of R, W, E; empty where only bootstrap may touch it."))
    type = serializers.CharField(source="type.value")
    is_multiple = serializers.BooleanField(source="multiple")
    is_mandatory = serializers.BooleanField(source="mandatory")
    units = serializers.CharField()
    range = serializers.CharField()


class ObjectDefinitionSerializer(serializers.ModelSerializer):
    """A definition that was loaded; `operator` null is for all operators."""

    operator = serializers.SlugRelatedField(slug_field="slug", read_only=True, allow_null=True)

    class Meta:
        model = ObjectDefinition
        fields = ("id", "object_id", "version", "name", "operator", "source", "loaded_at")
        read_only_fields = fields


class WholeDefinitionSerializer(ObjectDefinitionSerializer):
    """The same with its resources."""

    is_multiple = serializers.SerializerMethodField()
    is_mandatory = serializers.SerializerMethodField()
    resources = serializers.SerializerMethodField()

    class Meta(ObjectDefinitionSerializer.Meta):
        fields = (*ObjectDefinitionSerializer.Meta.fields, "is_multiple", "is_mandatory", "resources")
        read_only_fields = fields

    def get_is_multiple(self, row: ObjectDefinition) -> bool:
        return bool(row.definition.get("multiple"))

    def get_is_mandatory(self, row: ObjectDefinition) -> bool:
        return bool(row.definition.get("mandatory"))

    @extend_schema_field(ObjectResourceSerializer(many=True))
    def get_resources(self, row: ObjectDefinition) -> Any:
        try:
            model = from_json(row.definition)
        except Lwm2mError:  # written by hand; the list of its resources is then empty
            return []
        return ObjectResourceSerializer(model.resources.values(), many=True).data


class NewDefinitionsSerializer(serializers.Serializer):
    """Files as multipart/form-data, the part `files` repeated for each."""

    operator = serializers.SlugField(
        required=False,
        help_text=_(
            "Whom they are for, by short name. Without it: your operator, if you have but one; for "
            "superusers, all operators."
        ),
    )
    files = serializers.ListField(
        child=serializers.FileField(allow_empty_file=True, max_length=None),
        help_text=format_lazy(
            _("DDF files (XML), 1 MB each, up to {max_files} at once."), max_files=object_files.MAX_FILES
        ),
    )


class FileReportSerializer(serializers.Serializer):
    file = serializers.CharField()
    result = serializers.ChoiceField(choices=[result.value for result in Result], source="result.value")
    objects = serializers.ListField(
        child=serializers.CharField(), help_text=_("What it defines, such as `/3303 1.1 Temperature`.")
    )
    detail = serializers.CharField(help_text=_("Why it was refused, and what to do."), allow_blank=True)
    notes = serializers.ListField(
        child=serializers.CharField(),
        help_text=_("What is odd about single resources, and how it was taken."),
    )


class LoadedSerializer(serializers.Serializer):
    """One report a file, in their order; a refused file hinders no other."""

    files = FileReportSerializer(many=True)


class NothingLoadedSerializer(LoadedSerializer):
    """Every file was refused: a problem like any other, with the reports."""

    code = serializers.CharField()
    detail = serializers.CharField()


class DefinitionFilter(serializers.Serializer):
    q = serializers.CharField(
        required=False, max_length=200, help_text=_("Part of the object's or the file's name, or the number.")
    )
    object_id = serializers.IntegerField(required=False, min_value=0, max_value=65535)
    version = serializers.CharField(required=False, max_length=12)
    operator = serializers.SlugField(required=False, help_text=_("The operator's short name."))

    def narrow(self, rows: QuerySet[ObjectDefinition]) -> QuerySet[ObjectDefinition]:
        given = self.validated_data
        if "q" in given:
            rows = object_definitions.found(rows, given["q"])
        if "operator" in given:
            rows = rows.filter(operator__slug=given["operator"])
        return rows.filter(**{name: given[name] for name in ("object_id", "version") if name in given})
