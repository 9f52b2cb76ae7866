"""What was typed wrong when a device was added, corrected by staff: its key, its endpoint name, its own name."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

from django import forms
from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from accounts import tenancy
from accounts.errors import Refused
from devices.inventory.models import Device
from devices.inventory.security import EntryField
from provisioning.services import corrections, mending

ACT = "inventory.change_device"
_PLAIN = {"autocomplete": "off", "autocapitalize": "none", "spellcheck": "false"}


class _Correction(forms.Form):
    """`act` names what is asked; `reason` goes into the ledger."""

    title = ""
    button = ""
    reason = forms.CharField(
        max_length=200, label=_("Reason"), help_text=_("Goes into the device's timeline.")
    )


class KeyForm(_Correction):
    """What the device's security mode lets one type."""

    title, button = _("The key"), _("Save the key")

    def __init__(self, *args: Any, asked: Sequence[EntryField], **more: Any) -> None:
        super().__init__(*args, **more)
        self.fields |= {one.name: _entry(one) for one in asked}
        self.order_fields([*(one.name for one in asked), "reason"])


def _entry(asked: EntryField) -> forms.CharField:
    return forms.CharField(
        max_length=asked.max_length,
        required=not asked.is_optional,
        label=asked.staff_label or asked.label,
        help_text=asked.staff_help,
        widget=forms.TextInput(attrs=_PLAIN),
    )


class EndpointForm(_Correction):
    title, button = _("The endpoint name"), _("Correct the name")
    endpoint = forms.CharField(
        max_length=255, label=_("Endpoint name"), widget=forms.TextInput(attrs={**_PLAIN, "size": 60})
    )
    field_order = ("endpoint", "reason")


class NameForm(forms.Form):
    title, button = _("What it is called"), _("Rename")
    name = forms.CharField(
        max_length=120, required=False, label=_("Name"), widget=forms.TextInput(attrs={"size": 60})
    )


def urls(model_admin: Any) -> list[URLPattern]:
    """`…/devices/device/<id>/correct/`."""
    view = model_admin.admin_site.admin_view(partial(correct, model_admin))
    return [path("<int:device_id>/correct/", view, name="inventory_device_correct")]


def may_correct(user: Any, device: Device) -> bool:
    return tenancy.may(user, ACT, device.operator_id)


def correct(model_admin: Any, request: HttpRequest, device_id: int) -> HttpResponse:
    """GET: the forms. POST: `act` says which; what is refused stands there again."""
    device = model_admin.get_queryset(request).filter(pk=device_id).first()
    if device is None:
        raise Http404("There is no such device, or it is another operator's.")
    if not may_correct(request.user, device):
        raise PermissionDenied
    shown = _forms(device, request.GET.get("endpoint", ""))
    act = request.POST.get("act", "")
    if request.method == "POST" and act in shown:
        form = shown[act] = _forms(device, data=request.POST)[act]
        if form.is_valid() and _done(request, device, act, form):
            return HttpResponseRedirect(reverse("admin:inventory_device_change", args=[device.pk]))
    context = {
        **model_admin.admin_site.each_context(request),
        "title": gettext("Correct %(device)s") % {"device": device},
        "device": device,
        "opts": model_admin.opts,
        "shown": shown,
    }
    return TemplateResponse(request, "backoffice/devices/correct.html", context)


def _forms(device: Device, suggested: str = "", data: Any = None) -> dict[str, forms.Form]:
    shown: dict[str, forms.Form] = {}
    if device.security_mode.fields:
        shown["key"] = KeyForm(data, prefix="key", asked=device.security_mode.fields)
    if device.first_online_at is None:
        shown["endpoint"] = EndpointForm(
            data, prefix="endpoint", initial={"endpoint": suggested or device.endpoint}
        )
    shown["name"] = NameForm(data, prefix="name", initial={"name": device.name})
    return shown


def _done(request: HttpRequest, device: Device, act: str, form: forms.Form) -> bool:
    deeds: dict[str, Callable[..., Device]] = {
        "key": mending.enter_credential,
        "endpoint": mending.correct_endpoint,
        "name": corrections.rename,
    }
    said = dict(form.cleaned_data)
    if isinstance(form, KeyForm):
        said = {"reason": said.pop("reason"), "entered": said}
    try:
        deeds[act](device=device, **said)
    except Refused as refusal:
        form.add_error(refusal.field if refusal.field in form.fields else None, refusal.detail)
        return False
    messages.success(request, _SAID[act])
    return True


_SAID = {
    "key": _("The key is saved; the device is let in when it knocks with it."),
    "endpoint": _("The endpoint name is corrected; the device is let in when it knocks again."),
    "name": _("The name is saved."),
}
