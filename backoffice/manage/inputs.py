"""Typed inputs for values: one form field per data type of an object model, and its JSON for the operation.

They check shape, so that a slip is said at the field at once; `devices.operations.services.operations` checks meaning.
"""

from __future__ import annotations

import base64
from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Any

from django import forms
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from accounts.errors import Refused
from lwm2m.errors import Lwm2mError
from lwm2m.nodes import ObjectLinkValue
from lwm2m.objects import ResourceModel, ValueType
from lwm2m.ranges import Limits, limits

MAX_TEXT = 65_536
_PLAIN = {"autocomplete": "off", "autocapitalize": "none", "spellcheck": "false"}


class HexField(forms.CharField):
    """Bytes as hexadecimal digits; blanks, colons and hyphens between them do not matter."""

    def to_python(self, value: Any) -> bytes | None:
        text = super().to_python(value)
        if text in self.empty_values:
            return None
        digits = text.removeprefix("0x")
        for character in " :-\n\r\t":
            digits = digits.replace(character, "")
        try:
            return bytes.fromhex(digits)
        except ValueError:
            raise forms.ValidationError(
                gettext("Write bytes as pairs of the digits 0-9 and a-f, such as 0a ff 10.")
            ) from None


class LinkField(forms.CharField):
    """An object link such as 3:0."""

    def to_python(self, value: Any) -> str | None:
        text = super().to_python(value)
        if text in self.empty_values:
            return None
        try:
            return str(ObjectLinkValue.parse(text))
        except Lwm2mError:
            raise forms.ValidationError(gettext("Write an object and its instance, such as 3:0.")) from None


class Suggesting(forms.TextInput):
    """A text that may be anything, with some to choose from."""

    template_name = "backoffice/manage/suggesting.html"

    def __init__(self, suggestions: Sequence[tuple[str, str]], attrs: dict[str, Any]) -> None:
        super().__init__(attrs)
        self.suggestions = suggestions

    def get_context(self, name: str, value: Any, attrs: dict[str, Any] | None) -> dict[str, Any]:
        context = super().get_context(name, value, attrs)
        listed = f"{context['widget']['attrs'].get('id', name)}-suggestions"
        context["widget"]["attrs"]["list"] = listed
        return {**context, "listed": listed, "suggestions": self.suggestions}


class TimeInput(forms.DateTimeInput):
    input_type = "datetime-local"

    def __init__(self) -> None:
        super().__init__(attrs={"step": "1"}, format="%Y-%m-%dT%H:%M:%S")


def field(model: ResourceModel, *, required: bool = True) -> forms.Field:
    """The field of a resource's type; its help says range and unit."""
    made = _FIELDS[model.type](model)
    made.required = required
    made.label = model.name
    made.widget.is_required = required
    return made


def json_value(value: Any) -> Any:
    """A cleaned value as operations take it."""
    if isinstance(value, bytes):
        return {"base64": base64.b64encode(value).decode()}
    if isinstance(value, datetime):
        return int(value.timestamp())
    return value


def _number(model: ResourceModel, *, is_whole: bool) -> forms.Field:
    bounds = limits(model.range) or Limits()
    if bounds.allowed:
        choices = [(format(one, "g"), f"{one:g} {model.units}".strip()) for one in bounds.allowed]
        return forms.TypedChoiceField(choices=choices, coerce=int if is_whole else float, empty_value=None)
    low, high = bounds.low, bounds.high
    if model.type is ValueType.UNSIGNED and low is None:
        low = 0
    if is_whole:
        return forms.IntegerField(min_value=_whole(low), max_value=_whole(high))
    return forms.FloatField(min_value=low, max_value=high, widget=forms.NumberInput(attrs={"step": "any"}))


def _whole(bound: float | None) -> int | None:
    return None if bound is None else int(bound)


def _text(model: ResourceModel) -> forms.Field:
    bounds = limits(model.range)
    longest = bounds.high if bounds and bounds.high else MAX_TEXT
    return forms.CharField(
        strip=False, max_length=int(longest), empty_value="", widget=forms.TextInput(attrs=_PLAIN)
    )


def _boolean(model: ResourceModel) -> forms.Field:
    return forms.TypedChoiceField(
        choices=[("", gettext("Choose")), ("true", "true"), ("false", "false")],
        coerce=lambda text: text == "true",
        empty_value=None,
    )


def suggest(field: forms.Field, suggestions: Sequence[tuple[str, str]], help_text: str) -> None:
    """Offer some texts, each with what it is, in a field that takes any."""
    attrs = {**field.widget.attrs, **_PLAIN}
    field.widget = Suggesting(suggestions, attrs)
    field.help_text = help_text


_FIELDS: dict[ValueType, Callable[[ResourceModel], forms.Field]] = {
    ValueType.STRING: _text,
    ValueType.CORE_LINK: _text,
    ValueType.INTEGER: lambda model: _number(model, is_whole=True),
    ValueType.UNSIGNED: lambda model: _number(model, is_whole=True),
    ValueType.FLOAT: lambda model: _number(model, is_whole=False),
    ValueType.BOOLEAN: _boolean,
    ValueType.TIME: lambda model: forms.DateTimeField(
        widget=TimeInput(), input_formats=["%Y-%m-%dT%H:%M:%S", "%Y-%m-%dT%H:%M"]
    ),
    ValueType.OPAQUE: lambda model: HexField(max_length=3 * MAX_TEXT, widget=forms.TextInput(attrs=_PLAIN)),
    ValueType.OBJECT_LINK: lambda model: LinkField(widget=forms.TextInput(attrs=_PLAIN)),
}

RAW_TYPES = {
    "text": (_("Text"), ValueType.STRING),
    "number": (_("Number"), ValueType.FLOAT),
    "whole": (_("Whole number"), ValueType.INTEGER),
    "boolean": (_("true or false"), ValueType.BOOLEAN),
    "opaque": (_("Bytes, hex"), ValueType.OPAQUE),
}
"""What a resource without a model may be written as."""


def raw_value(kind: str, text: str) -> Any:
    """A value of a resource that no model describes; raises Refused at `value`."""
    model = ResourceModel(0, gettext("The value"), RAW_TYPES[kind][1], "W")
    if model.type is ValueType.STRING:
        return text
    try:
        return json_value(field(model).clean(text.strip()))
    except forms.ValidationError as error:
        raise Refused("VALUE_NOT_READABLE", field="value", problems=" ".join(error.messages)) from None
