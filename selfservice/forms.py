"""Forms of the subscriber's pages: they check shape, the services check meaning."""

from __future__ import annotations

from django import forms
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from accounts.errors import Refused
from accounts.models import Subscriber, User
from accounts.selectors import subscribers
from devices.inventory import nameplate
from devices.inventory import security as modes
from devices.inventory.models import Reach
from devices.inventory.security import EntryField, Mode, Offer
from live import readers
from selfservice.selectors import own

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
        label=_("Operator"),
        widget=forms.RadioSelect,
        empty_label=None,
        error_messages={"required": _("Choose the operator that shall manage this device.")},
    )
    endpoint = forms.CharField(
        label=_("Endpoint name"),
        max_length=255,
        error_messages={"required": _("Enter the endpoint name of the device.")},
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
        label=_("What you call it"),
        max_length=120,
        required=False,
        widget=forms.TextInput(attrs={"autocomplete": "off"}),
    )
    reach = forms.ChoiceField(label=_("How it connects"), choices=Reach.choices, initial=Reach.IP)
    msisdn = forms.CharField(
        label=_("Phone number"),
        max_length=40,
        required=False,
        widget=forms.TextInput(attrs={"class": "mono", "type": "tel", "autocomplete": "off"}),
    )
    key_source = forms.ChoiceField(label=_("Key"))
    sure = forms.CharField(max_length=255, widget=forms.HiddenInput, required=False)
    submission = forms.CharField(max_length=64, widget=forms.HiddenInput, required=False)

    def __init__(self, *args, user: User, **kwargs) -> None:
        super().__init__(*args, **kwargs)
        self.user = user
        self.accounts = list(subscribers.usable(user))
        self.fields["account"].queryset = subscribers.usable(user)
        if len(self.accounts) == 1:
            self.fields["account"].required = False
        has_consent = any(row.operator.allows_nosec for row in self.accounts)
        self._offers = {
            offer.value: (mode, offer) for mode, offer in modes.offers(Reach.IP, has_consent=has_consent)
        }
        choice = self.fields["key_source"]
        choice.choices = [(value, offer.label) for value, (_mode, offer) in self._offers.items()]
        choice.initial = next(iter(self._offers))
        for _mode, offer in self._offers.values():
            self.fields |= {one.name: _entry(one) for one in offer.fields}

    def clean_endpoint(self) -> str:
        """Probable slips are asked about once; whoever sends the same name again is sure of it."""
        endpoint = self.cleaned_data["endpoint"]
        if self.data.get(self.add_prefix("sure")) == endpoint:
            return endpoint
        doubts = nameplate.doubts(endpoint)
        if alike := own.spelled_alike(self.user, endpoint):
            doubts.append(
                gettext("You have %(alike)s already; capital and small letters make another device.")
                % {"alike": alike}
            )
        if doubts:
            ask = gettext("Compare it with the label; if it says exactly this, press “Add the device” again.")
            raise forms.ValidationError(" ".join([*doubts, ask]), code=DOUBT)
        return endpoint

    def clean_account(self) -> Subscriber:
        return self.cleaned_data["account"] or self.accounts[0]

    def clean(self) -> dict:
        data = super().clean()
        if data.get("reach") == Reach.SMS:
            data["msisdn"] = self._number(data.get("msisdn", ""))
        elif data.get("reach") == Reach.IP and data.get("key_source") in self._offers:
            self._check_typed()
        return data

    def _number(self, text: str) -> str:
        try:
            return nameplate.check_msisdn(text)
        except Refused as refusal:
            self.add_error("msisdn", forms.ValidationError(refusal.detail, code=refusal.cause))
            return ""

    def _check_typed(self) -> None:
        mode, offer = self._chosen
        if not offer.fields or self.errors.keys() & {one.name for one in offer.fields}:
            return
        try:
            mode.typed(self.entered)
        except Refused as refusal:
            field = refusal.field if refusal.field in self.fields else None
            self.add_error(field, forms.ValidationError(refusal.detail, code=refusal.cause))

    @property
    def has_sms_alone(self) -> bool:
        return self.cleaned_data["reach"] == Reach.SMS

    @property
    def _chosen(self) -> tuple[Mode, Offer]:
        return self._offers[self.cleaned_data["key_source"]]

    @property
    def security(self) -> str:
        """The mode that was chosen; what has only one by its reach is given that by the service."""
        return self._chosen[0].name

    @property
    def entered(self) -> dict[str, str]:
        """What was typed for the choice that was made."""
        if self.cleaned_data["reach"] != Reach.IP:
            return {}
        names = [one.name for one in self._chosen[1].fields]
        return {name: self.cleaned_data.get(name, "").strip() for name in names}

    def offered(self) -> list[tuple[Offer, list[tuple[EntryField, forms.BoundField]]]]:
        """The choices of its security with their fields, for the page."""
        return [
            (offer, [(one, self[one.name]) for one in offer.fields]) for _mode, offer in self._offers.values()
        ]


def _entry(asked: EntryField) -> forms.CharField:
    attrs = {"class": "mono", "autocomplete": "off", "autocapitalize": "none", "spellcheck": "false"}
    if asked.check:
        attrs |= {"data-check": asked.check, "data-hint": f"hint_{asked.name}"}
    return forms.CharField(
        label=asked.label,
        max_length=asked.max_length,
        required=False,
        widget=forms.TextInput(attrs=attrs),
    )


class TimeZone(forms.Form):
    """The zones of the world by region; empty is what the browser says."""

    time_zone = forms.ChoiceField(
        label=_("Your time zone"),
        required=False,
        help_text=_("All times on these pages are shown in it."),
        widget=forms.Select(attrs={"translate": "no"}),  # the names of the tz database
    )

    def __init__(self, *args, **kwargs) -> None:
        super().__init__(*args, **kwargs)
        self.fields["time_zone"].choices = [("", gettext("As my browser says")), *readers.zones_by_region()]


class Name(forms.Form):
    name = forms.CharField(
        label=_("Your name"),
        max_length=120,
        required=False,
        widget=forms.TextInput(attrs={"autocomplete": "name"}),
    )
