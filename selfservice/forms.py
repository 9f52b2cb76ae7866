"""Forms of the subscriber's pages: they check shape, the services check meaning."""

from __future__ import annotations

from django import forms
from django.utils.html import format_html
from django.utils.safestring import SafeString

from accounts.errors import Refused
from accounts.models import Subscriber, User
from accounts.selectors import subscribers
from devices.inventory import nameplate
from devices.inventory.models import Reach, Security
from live import readers
from selfservice.selectors import own

MADE, PRINTED, NONE = "made", "printed", "none"
DOUBT = "DOUBT"
"""The code of what is asked about and not refused."""


class AccountField(forms.ModelChoiceField):
    """The person's accounts as cards: the operator, and beneath it the account number."""

    def label_from_instance(self, obj: Subscriber) -> SafeString:
        return format_html("<b>{}</b><small>account {}</small>", obj.operator.name, obj.number)


class AddDevice(forms.Form):
    """One page, few questions. `submission` tells a second press of the button from a second device."""

    account = AccountField(
        Subscriber.objects.none(),
        label="Operator",
        widget=forms.RadioSelect,
        empty_label=None,
        error_messages={"required": "Choose the operator that shall manage this device."},
    )
    endpoint = forms.CharField(
        label="Endpoint name",
        max_length=255,
        error_messages={"required": "Enter the endpoint name of the device."},
        widget=forms.TextInput(
            attrs={
                "class": "mono",
                "autocomplete": "off",
                "autocapitalize": "none",
                "spellcheck": "false",
                "data-check": "endpoint",
                "data-hint": "hint_endpoint",
            }
        ),
    )
    name = forms.CharField(
        label="What you call it",
        max_length=120,
        required=False,
        widget=forms.TextInput(attrs={"autocomplete": "off"}),
    )
    reach = forms.ChoiceField(label="How it connects", choices=Reach.choices, initial=Reach.IP)
    msisdn = forms.CharField(
        label="Phone number",
        max_length=40,
        required=False,
        widget=forms.TextInput(attrs={"class": "mono", "type": "tel", "autocomplete": "off"}),
    )
    key_source = forms.ChoiceField(
        label="Key", choices=((MADE, "Make one for me"), (PRINTED, "Printed on the device")), initial=MADE
    )
    psk_identity = forms.CharField(
        label="Key identity",
        max_length=128,
        required=False,
        widget=forms.TextInput(
            attrs={"class": "mono", "autocomplete": "off", "autocapitalize": "none", "spellcheck": "false"}
        ),
    )
    psk_key = forms.CharField(
        label="Key on the device",
        required=False,
        widget=forms.TextInput(
            attrs={
                "class": "mono",
                "autocomplete": "off",
                "autocapitalize": "none",
                "spellcheck": "false",
                "data-check": "psk-hex",
                "data-hint": "hint_psk_key",
            }
        ),
    )
    sure = forms.CharField(max_length=255, widget=forms.HiddenInput, required=False)
    submission = forms.CharField(max_length=64, widget=forms.HiddenInput, required=False)

    def __init__(self, *args, user: User, **kwargs) -> None:
        super().__init__(*args, **kwargs)
        self.user = user
        self.accounts = list(subscribers.usable(user))
        self.fields["account"].queryset = subscribers.usable(user)
        if len(self.accounts) == 1:
            self.fields["account"].required = False
        self.allows_nosec = any(row.operator.allows_nosec for row in self.accounts)
        if self.allows_nosec:
            self.fields["key_source"].choices = [*self.fields["key_source"].choices, (NONE, "No encryption")]

    def clean_endpoint(self) -> str:
        """Probable slips are asked about once; whoever sends the same name again is sure of it."""
        endpoint = self.cleaned_data["endpoint"]
        if self.data.get(self.add_prefix("sure")) == endpoint:
            return endpoint
        doubts = nameplate.doubts(endpoint)
        if alike := own.spelled_alike(self.user, endpoint):
            doubts.append(f"You have {alike} already; capital and small letters make another device.")
        if doubts:
            ask = "Compare it with the label; if it says exactly this, press “Add the device” again."
            raise forms.ValidationError(" ".join([*doubts, ask]), code=DOUBT)
        return endpoint

    def clean_account(self) -> Subscriber:
        return self.cleaned_data["account"] or self.accounts[0]

    def clean(self) -> dict:
        data = super().clean()
        if data.get("reach") == Reach.SMS:
            data["msisdn"] = self._number(data.get("msisdn", ""))
        elif (
            data.get("reach") == Reach.IP
            and data.get("key_source") == PRINTED
            and "psk_key" not in self.errors
        ):
            data["psk_key"] = self._key(data.get("psk_key", ""))
        return data

    def _number(self, text: str) -> str:
        try:
            return nameplate.check_msisdn(text)
        except Refused as refusal:
            self.add_error("msisdn", forms.ValidationError(refusal.detail, code=refusal.cause))
            return ""

    def _key(self, text: str) -> bytes | None:
        try:
            return nameplate.parse_key(text)
        except Refused as refusal:
            self.add_error("psk_key", forms.ValidationError(refusal.detail, code=refusal.cause))
            return None

    @property
    def has_sms_alone(self) -> bool:
        return self.cleaned_data["reach"] == Reach.SMS

    @property
    def security(self) -> Security:
        if self.has_sms_alone:
            return Security.MSISDN
        return Security.NONE if self.cleaned_data["key_source"] == NONE else Security.PSK

    @property
    def typed_key(self) -> bytes | None:
        is_typed = self.cleaned_data["key_source"] == PRINTED and not self.has_sms_alone
        return self.cleaned_data["psk_key"] if is_typed else None

    @property
    def typed_identity(self) -> str | None:
        return self.cleaned_data["psk_identity"].strip() or None if self.typed_key else None


class TimeZone(forms.Form):
    """The zones of the world by region; empty is what the browser says."""

    time_zone = forms.ChoiceField(
        label="Your time zone",
        required=False,
        help_text="All times on these pages are shown in it.",
    )

    def __init__(self, *args, **kwargs) -> None:
        super().__init__(*args, **kwargs)
        self.fields["time_zone"].choices = [("", "As my browser says"), *readers.zones_by_region()]


class Name(forms.Form):
    name = forms.CharField(
        label="Your name",
        max_length=120,
        required=False,
        widget=forms.TextInput(attrs={"autocomplete": "name"}),
    )
