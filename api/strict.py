"""Bodies whose names are all known."""

from __future__ import annotations

from typing import Any

from django.utils.translation import gettext
from rest_framework import serializers


class Strict(serializers.Serializer):
    """Names that mean nothing are refused: a misspelt argument would silently not be one."""

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        unknown = sorted(set(self.initial_data) - set(self.fields))
        if unknown:
            raise serializers.ValidationError(dict.fromkeys(unknown, gettext("There is no such field.")))
        return attrs
