"""The forms of a node: what can be asked of it, and how what was typed becomes an operation's path and arguments."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django import forms
from django.utils import timezone
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from accounts.errors import Refused
from backoffice.manage import inputs, shown
from backoffice.manage.facts import Facts
from backoffice.reasons import REASON_LIMIT
from devices.commands import dangers
from devices.commands.dangers import Danger
from devices.commands.models import Operation
from lwm2m.objects import ObjectModel, ResourceModel, ValueType
from lwm2m.paths import Path

_NUMBERS = (ValueType.INTEGER, ValueType.UNSIGNED, ValueType.FLOAT, ValueType.TIME)
_WITHOUT_RESOURCE_INSTANCES = "1.0"
FETCHED_FROM = frozenset({(5, 1), (9, 3)})
"""Package URI of Firmware Update and of Software Management: whence a device fetches a package by itself."""


class Ask(forms.Form):
    """`operation` it leads to; `place` and `said` are read once it is valid."""

    operation = ""
    button = ""
    danger: Danger | None = None

    def beware(self, danger: Danger | None) -> None:
        """The form of a danger asks its question, and for a reason."""
        self.danger = danger
        if danger is not None:
            self.ask_why()

    def ask_why(self) -> None:
        self.fields["reason"] = forms.CharField(
            label=gettext("Why"),
            max_length=REASON_LIMIT,
            help_text=gettext("Kept in the ledger, together with your name."),
            error_messages={"required": gettext("Say why; the ledger keeps it.")},
        )

    @property
    def reason(self) -> str:
        return self.cleaned_data.get("reason", "")

    def place(self, path: Path) -> Path:
        return path

    def said(self) -> dict[str, Any]:
        return {}


class Read(Ask):
    operation, button = Operation.READ, _("Read")


class Discover(Ask):
    operation, button = Operation.DISCOVER, _("Discover")


class Delete(Ask):
    operation, button = Operation.DELETE, _("Delete the instance")


class Write(Ask):
    operation, button = Operation.WRITE, _("Write")

    def __init__(
        self, model: ResourceModel | None, path: Path, version: str, *args: Any, **more: Any
    ) -> None:
        super().__init__(*args, **more)
        self._model = model
        self._has_places = version != _WITHOUT_RESOURCE_INSTANCES
        if model is not None and model.multiple and path.depth == 3:
            self.fields["instance"] = forms.IntegerField(
                label=gettext("Instance"), min_value=0, max_value=65_535, initial=0
            )
        if model is None:
            kinds = [(name, label) for name, (label, _) in inputs.RAW_TYPES.items()]
            self.fields["kind"] = forms.ChoiceField(label=gettext("As"), choices=kinds)
            self.fields["value"] = forms.CharField(
                label=gettext("Value"), strip=False, required=False, max_length=inputs.MAX_TEXT
            )
        else:
            # An empty text is a value as well.
            is_text = model.type in (ValueType.STRING, ValueType.CORE_LINK)
            self.fields["value"] = inputs.field(model, required=not is_text)
            zone = timezone.localtime().tzname() if model.type is ValueType.TIME else ""
            unit = zone or shown.unit_of(model)
            self.fields["value"].label = (
                gettext("New value, %(unit)s") % {"unit": unit} if unit else gettext("New value")
            )

    def clean(self) -> dict[str, Any]:
        data = super().clean() or {}
        if self._model is None and "value" in data and "kind" in data:
            try:
                data["value"] = inputs.raw_value(data["kind"], data["value"])
            except Refused as refusal:
                self.add_error("value", refusal.detail)
        return data

    def place(self, path: Path) -> Path:
        number = self.cleaned_data.get("instance")
        return path if number is None or not self._has_places else path.child(number)

    def said(self) -> dict[str, Any]:
        value = inputs.json_value(self.cleaned_data["value"])
        number = self.cleaned_data.get("instance")
        return {"value": value if number is None or self._has_places else {str(number): value}}


class Execute(Ask):
    operation, button = Operation.EXECUTE, _("Execute")
    arguments = forms.CharField(
        label=_("Arguments"),
        required=False,
        max_length=1_000,
        help_text=_("Mostly empty. Else digits, each with a text: 0='text',1"),
        widget=forms.TextInput(attrs={"autocomplete": "off", "spellcheck": "false"}),
    )

    def said(self) -> dict[str, Any]:
        text = self.cleaned_data["arguments"].strip()
        return {"arguments": text} if text else {}


class _Attributes(Ask):
    """When a device notifies. Thresholds are for numbers alone."""

    def __init__(self, model: ResourceModel | None, path: Path, *args: Any, **more: Any) -> None:
        super().__init__(*args, **more)
        for name, label in (("pmin", gettext("At most every, s")), ("pmax", gettext("At least every, s"))):
            self.fields[name] = forms.IntegerField(label=label, min_value=0, required=False)
        if path.depth >= 3 and (model is None or model.type in _NUMBERS):
            for name, label in (
                ("gt", gettext("Rises above")),
                ("lt", gettext("Falls below")),
                ("st", gettext("Changes by")),
            ):
                self.fields[name] = forms.FloatField(
                    label=label, required=False, widget=forms.NumberInput(attrs={"step": "any"})
                )

    def said(self) -> dict[str, Any]:
        given = {name: value for name, value in self.cleaned_data.items() if value is not None}
        return {"attributes": given} if given else {}


class Observe(_Attributes):
    operation, button = Operation.OBSERVE, _("Observe")


class WriteAttributes(_Attributes):
    operation, button = Operation.WRITE_ATTRIBUTES, _("Write attributes")

    def said(self) -> dict[str, Any]:
        return {"attributes": super().said().get("attributes", {})}


class Create(Ask):
    """A new instance: each resource may be left empty."""

    operation, button = Operation.CREATE, _("Create the instance")
    instance = forms.IntegerField(
        label=_("Instance"),
        min_value=0,
        max_value=65_534,
        required=False,
        help_text=_("Empty: the device chooses."),
    )

    def __init__(self, model: ObjectModel | None, *args: Any, **more: Any) -> None:
        super().__init__(*args, **more)
        resources = model.resources.values() if model else ()
        self._numbers = [
            one.resource_id
            for one in resources
            if "W" in one.operations and not one.multiple and one.type is not ValueType.NONE
        ]
        for number in self._numbers:
            self.fields[f"r{number}"] = inputs.field(model.resources[number], required=False)

    def said(self) -> dict[str, Any]:
        typed = {str(number): self.cleaned_data[f"r{number}"] for number in self._numbers}
        values = {name: inputs.json_value(one) for name, one in typed.items() if one not in (None, "")}
        return {"instance_id": self.cleaned_data["instance"], "values": values}


def offered(facts: Facts, path: Path, data: Mapping[str, Any] | None = None) -> dict[str, Ask]:
    """What this node can be asked, by operation; `data` fills the one that was sent."""
    model = facts.catalogue.resource(path)
    sent = (data or {}).get("ask", "")

    def bound(operation: str) -> dict[str, Any]:
        return {"data": data if sent == operation else None, "auto_id": f"ask-{operation}-%s"}

    can = model.operations if model else "RWE" if path.depth == 3 else "RW"
    made: list[Ask] = []
    if path.depth <= 2 or "R" in can:
        made.append(Read(**bound(Operation.READ)))
    if path.depth <= 3:
        made.append(Discover(**bound(Operation.DISCOVER)))
    if path.depth >= 3 and "W" in can:
        version = facts.detail.version if facts.detail else ""
        write = Write(model, path, version, **bound(Operation.WRITE))
        if path.depth == 3 and (path.object_id, path.resource_id) in FETCHED_FROM and facts.packages:
            inputs.suggest(
                write.fields["value"],
                facts.packages,
                _("Packages are offered with an address for this device."),
            )
        made.append(write)
    if path.depth == 3 and "E" in can:
        made.append(Execute(**bound(Operation.EXECUTE)))
    if path.depth <= 2 or "R" in can:
        made.append(Observe(model, path, **bound(Operation.OBSERVE)))
        made.append(WriteAttributes(model, path, **bound(Operation.WRITE_ATTRIBUTES)))
    if path.depth == 1:
        made.append(Create(facts.catalogue.objects.get(path.object_id or 0), **bound(Operation.CREATE)))
    if path.depth == 2:
        made.append(Delete(**bound(Operation.DELETE)))
    for form in made:
        form.beware(dangers.of(str(form.operation), [path]))
    return {str(form.operation): form for form in made}
