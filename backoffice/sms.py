"""SMS in the admin: an operator's link to its SMSC, and what came and went, to be read."""

from __future__ import annotations

from typing import Any

from django import forms
from django.contrib import admin
from django.db.models import Model, QuerySet
from django.http import HttpRequest, HttpResponse
from django.utils import timezone
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from accounts.errors import Refused
from accounts.scoping import Deed
from backoffice.reasons import ask_and_do
from backoffice.scoping import ReadOnlyAdmin, ScopedModelAdmin
from devices.inventory.models import Device, Reach
from devices.messaging.models import SmscLink, SmsMessage
from devices.messaging.services import sms_numbers, smsc_links

_STATE = ("state", "state_at", "cause", "detail", "held_by", "lease_until")


class LinkForm(forms.ModelForm):
    """The password is written, never read back."""

    password = forms.CharField(
        label=_("Password"),
        max_length=64,
        required=False,
        widget=forms.PasswordInput(render_value=False, attrs={"autocomplete": "new-password"}),
        help_text=_("Empty keeps the one that is stored; it is encrypted and never shown."),
    )

    class Meta:
        model = SmscLink
        fields = ("operator", *smsc_links.FIELDS)


class SmscLinkAdmin(ScopedModelAdmin):
    """One link an operator; how it is stands beside its settings."""

    refusals = (Refused,)
    form = LinkForm
    list_display = ("operator", "__str__", "address", "state", "state_at", "cause", "is_enabled")
    list_filter = ("state", "is_enabled")
    list_select_related = ("operator",)
    search_fields = ("operator__name", "host")
    readonly_fields = _STATE
    actions = ("connect_now",)
    deeds = {
        "connect_now": Deed(
            question=_("Connect to these SMSCs now? What is under way on the link may be lost."),
            button=_("Connect now"),
            done=_("asked to connect; look at the state in a moment"),
            do=lambda link, reason, by: smsc_links.try_now(operator=link.operator),
        )
    }
    fieldsets = (
        (None, {"fields": ("operator", "is_enabled")}),
        (_("Where"), {"fields": ("host", "port", "use_tls", "system_id", "password", "system_type")}),
        (_("How"), {"fields": ("address", "addressing", "window", "messages_per_second", "wants_receipts")}),
        (_("What it may cost"), {"fields": ("daily_messages",)}),
        (_("How it is"), {"fields": _STATE}),
    )

    def get_readonly_fields(self, request: HttpRequest, obj: Model | None = None) -> tuple[str, ...]:
        return _STATE if obj is None else ("operator", *_STATE)

    def get_fieldsets(self, request: HttpRequest, obj: Model | None = None) -> Any:
        """Who may only look is not shown that there is a password."""
        shown = super().get_fieldsets(request, obj)
        if obj is None or self.has_change_permission(request, obj):
            return shown
        return tuple(
            (title, {"fields": tuple(name for name in said["fields"] if name != "password")})
            for title, said in shown
        )

    def save_model(self, request: HttpRequest, obj: SmscLink, form: forms.ModelForm, change: bool) -> None:
        fields = {name: form.cleaned_data[name] for name in smsc_links.FIELDS}
        password = form.cleaned_data["password"] or None
        smsc_links.save(operator=obj.operator, password=password, **fields)

    def delete_model(self, request: HttpRequest, obj: SmscLink) -> None:
        smsc_links.remove(operator=obj.operator)

    @admin.action(description=_("Connect now …"), permissions=["change"])
    def connect_now(self, request: HttpRequest, queryset: QuerySet) -> HttpResponse | None:
        return ask_and_do(self, request, queryset, "connect_now")


class SmsMessageAdmin(ReadOnlyAdmin):
    """What went out, or shall."""

    index_name = _("SMS to devices")
    list_display = (
        "id",
        "device",
        "purpose",
        "state",
        "parts",
        "created_at",
        "ended_at",
        "cause",
        "operator",
    )
    list_display_links = ("id",)
    list_filter = ("state", "purpose", "operator")
    list_select_related = ("device", "operator")
    search_fields = ("device__endpoint", "msisdn")
    fields = (
        *("device", "msisdn", "purpose", "state", "parts", "parts_sent", "attempts", "bytes"),
        *(
            "created_at",
            "next_attempt_at",
            "expires_at",
            "ended_at",
            "answered_at",
            "answer",
            "cause",
            "detail",
        ),
    )
    readonly_fields = ("bytes",)

    @admin.display(description=_("Bytes"))
    def bytes(self, message: SmsMessage) -> str:
        """Only how many: they may hold what bootstrap writes into a device."""
        return str(len(bytes_of(message.payload)))


class SmsPartAdmin(ReadOnlyAdmin):
    """What came in from devices."""

    index_name = _("SMS from devices")
    list_display = ("id", "msisdn", "number", "total", "received_at", "handled_at", "operator")
    list_display_links = ("id",)
    list_filter = ("operator",)
    list_select_related = ("operator",)
    search_fields = ("msisdn",)
    fields = ("msisdn", "concat", "number", "total", "received_at", "handled_at")


def bytes_of(payload: Any) -> bytes:
    """SQLite gives bytes, PostgreSQL a memoryview."""
    return bytes(payload)


def spent_today(device: Device) -> str:
    """How many SMS went to the device today, of how many."""
    if not device.msisdn and device.reach != Reach.SMS:
        return "–"
    spent = sms_numbers.spent(device.pk, now=timezone.now())
    return gettext("%(spent)s of %(pk)s") % {
        "spent": spent,
        "pk": sms_numbers.caps([device.pk], device.operator_id)[device.pk],
    }
