"""Adding a device as staff: by the same service as the owner's page and REST; a key that was made is shown once."""

from __future__ import annotations

from functools import partial
from typing import Any

from django import forms
from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from accounts import tenancy
from accounts.errors import Refused
from accounts.models import Operator, Subscriber, User
from accounts.scoping import of_staff
from accounts.selectors import subscribers
from devices.inventory import nameplate
from devices.inventory import security as modes
from devices.inventory.models import Device, Onboarding, Reach
from devices.inventory.security import EntryField
from live import submissions
from provisioning.services import key_sheet, onboarding

ADD = "inventory.add_device"
DOUBT = "DOUBT"
_PLAIN = {"class": "vTextField", "autocomplete": "off", "autocapitalize": "none", "spellcheck": "false"}


class AddDeviceForm(forms.Form):
    """Checks shape, and asks once about probable slips; what it means is checked by the service."""

    operator = forms.ModelChoiceField(Operator.objects.none(), label=gettext_lazy("Operator"))
    account = forms.CharField(
        label=gettext_lazy("Account number"),
        max_length=40,
        required=False,
        help_text=gettext_lazy("Of the subscriber whose device it is. Empty: it is the operator's own."),
        widget=forms.TextInput(attrs=_PLAIN),
    )
    endpoint = forms.CharField(
        label=gettext_lazy("Endpoint name"),
        max_length=nameplate.ENDPOINT_BYTES,
        strip=False,
        help_text=gettext_lazy("As the device sends it; on the label as “endpoint”, “ep” or “client name”."),
        widget=forms.TextInput(attrs={**_PLAIN, "data-check": "endpoint", "data-hint": "hint_endpoint"}),
    )
    name = forms.CharField(
        label=gettext_lazy("Name"),
        max_length=120,
        required=False,
        help_text=gettext_lazy("What people call it, such as Water meter, basement."),
        widget=forms.TextInput(attrs={"class": "vTextField", "autocomplete": "off"}),
    )
    reach = forms.ChoiceField(
        label=gettext_lazy("How it connects"), choices=Reach.choices, initial=Reach.IP, widget=forms.Select
    )
    onboarding = forms.ChoiceField(
        label=gettext_lazy("Onboarding"),
        choices=Onboarding.choices,
        initial=Onboarding.BOOTSTRAP,
        help_text=gettext_lazy("Behind a gateway nothing is asked: it is reached through its gateway."),
    )
    msisdn = forms.CharField(
        label=gettext_lazy("Phone number"),
        max_length=40,
        required=False,
        help_text=gettext_lazy(
            "With its country code. By it a device with SMS alone is known, and any other is woken."
        ),
        widget=forms.TextInput(attrs={**_PLAIN, "type": "tel"}),
    )
    security = forms.ChoiceField(
        label=gettext_lazy("Security"),
        help_text=gettext_lazy(
            "Of a device with its own internet connection; any other's is decided by how it connects."
        ),
    )
    sure = forms.CharField(widget=forms.HiddenInput, required=False, strip=False)
    submission = forms.CharField(max_length=64, widget=forms.HiddenInput, required=False)

    def __init__(self, user: Any, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        operators = of_staff(Operator.objects.filter(is_active=True), user, "pk", ADD).order_by("name")
        field = self.fields["operator"]
        field.queryset = operators
        held = list(operators[:2])
        if len(held) == 1:
            field.empty_label, field.initial = None, held[0]
        self.fields["security"].choices = [(mode.name, mode.label) for mode in modes.of_reach(Reach.IP)]
        self.fields |= {asked.name: _entry(asked) for asked in modes.entry_fields().values()}

    def clean_endpoint(self) -> str:
        """Whoever sends the same doubted name again is sure of it."""
        endpoint = self.cleaned_data["endpoint"]
        doubts = nameplate.doubts(endpoint)
        if doubts and self.data.get("sure") != endpoint:
            ask = _("Compare it with the label; if it says exactly this, press “Add” again.")
            raise forms.ValidationError(" ".join([*doubts, ask]), code=DOUBT)
        return endpoint

    def clean(self) -> dict[str, Any]:
        data = super().clean() or self.cleaned_data
        given = {name for name in modes.entry_fields() if data.get(name)}
        asked = {one.name for one in modes.of(data.get("security", "")).fields}
        for name in given - (asked if data.get("reach") == Reach.IP else set()):
            self.add_error(name, _("Leave this empty: a device of this kind has none."))
        number, operator = data.get("account", "").strip(), data.get("operator")
        data["subscriber"] = self._account(operator, number) if number and operator else None
        return data

    def _account(self, operator: Operator, number: str) -> Subscriber | None:
        account = subscribers.by_number(operator, number)
        if account is None:
            said = _(
                "%(operator)s has no account with this number. Compare it with what the subscriber says."
            )
            self.add_error("account", said % {"operator": operator})
        return account

    @property
    def hinted(self) -> set[str]:
        """Fields that say while one types how it looks."""
        return {name for name, one in self.fields.items() if "data-hint" in one.widget.attrs}

    @property
    def is_doubted(self) -> bool:
        return any(error.code == DOUBT for error in self.errors.as_data().get("endpoint", ()))

    def add(self, by: User) -> onboarding.Added | None:
        """The device; None where the service refused, which then stands at the field it is about."""
        label = {
            **self.cleaned_data,
            **{name: self.cleaned_data[name].strip() for name in modes.entry_fields()},
        }
        for name in ("account", "sure", "submission"):
            label.pop(name)
        try:
            return onboarding.add_device(by=by, **label)
        except Refused as refusal:
            self.add_error(refusal.field if refusal.field in self.fields else None, refusal.detail)
            return None


def _entry(asked: EntryField) -> forms.CharField:
    attrs = dict(_PLAIN)
    if asked.check:
        attrs |= {"data-check": asked.check, "data-hint": f"hint_{asked.name}"}
    return forms.CharField(
        label=asked.staff_label or asked.label,
        max_length=asked.max_length,
        required=False,
        help_text=asked.rest_help,
        widget=forms.TextInput(attrs=attrs),
    )


def urls(model_admin: Any) -> list[URLPattern]:
    """`…/device/<id>/key/`."""
    view = model_admin.admin_site.admin_view(partial(key, model_admin))
    return [path("<int:device_id>/key/", view, name="inventory_device_key")]


def add(model_admin: Any, request: HttpRequest) -> HttpResponse:
    """GET: the form. POST: the device and the way to its key or its page, or the form with what is wrong."""
    if not model_admin.has_add_permission(request):
        raise PermissionDenied
    first = {"submission": submissions.fresh(), "endpoint": request.GET.get("endpoint", "")}
    form = AddDeviceForm(request.user, request.POST if request.method == "POST" else None, initial=first)
    if request.method == "POST":
        sent_before = submissions.sent_before(request)
        if sent_before:
            return HttpResponseRedirect(reverse("admin:inventory_device_key", args=[sent_before]))
        added = form.add(request.user) if form.is_valid() else None
        if added is not None:
            return _added(request, added)
    context = {
        **model_admin.admin_site.each_context(request),
        "title": _("Add a device"),
        "opts": model_admin.opts,
        "form": form,
    }
    return TemplateResponse(request, "backoffice/devices/add.html", context)


def _added(request: HttpRequest, added: onboarding.Added) -> HttpResponse:
    device = added.device
    submissions.remember(request, device.pk)
    messages.success(request, _("Added: %(device)s. Its set-up goes on by itself.") % {"device": device})
    if added.secret_to_show is None:
        return HttpResponseRedirect(reverse("admin:inventory_device_change", args=[device.pk]))
    key_sheet.keep(request.session, device=device, secret=added.secret_to_show, now=timezone.now())
    return HttpResponseRedirect(reverse("admin:inventory_device_key", args=[device.pk]))


def key(model_admin: Any, request: HttpRequest, device_id: int) -> HttpResponse:
    """The key to whoever had it made, while it may be shown; else to the device's page. POST: it is noted."""
    device = model_admin.get_queryset(request).filter(pk=device_id).first()
    if device is None:
        raise Http404("There is no such device, or it is another operator's.")
    sheet = None
    if tenancy.may(request.user, ADD, device.operator_id):
        sheet = key_sheet.of(request.session, device, timezone.now())
    if request.method == "POST":
        key_sheet.noted(request.session, device)
    if sheet is None or request.method == "POST":
        return HttpResponseRedirect(reverse("admin:inventory_device_change", args=[device.pk]))
    context = {
        **model_admin.admin_site.each_context(request),
        "title": _("The key of %(device)s") % {"device": device},
        "opts": model_admin.opts,
        "device": device,
        "sheet": sheet,
        "minutes": int(key_sheet.KEPT.total_seconds() // 60),
    }
    return TemplateResponse(request, "backoffice/devices/key.html", context)


def kept_key(request: HttpRequest, device: Device) -> str:
    """The address of the key that this person had made and not noted yet; else empty."""
    is_kept = key_sheet.of(request.session, device, timezone.now()) is not None
    return reverse("admin:inventory_device_key", args=[device.pk]) if is_kept else ""
