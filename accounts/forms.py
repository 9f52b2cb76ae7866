"""Forms: choosing an operator at sign-up, opening a further account, inviting staff in the admin."""

from __future__ import annotations

from typing import Any

from allauth.core import context
from django import forms
from django.contrib.auth.base_user import AbstractBaseUser
from django.contrib.auth.forms import SetPasswordMixin
from django.http import HttpRequest
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from accounts.models import Operator, StaffMembership, User
from accounts.roles import Role
from accounts.selectors import operators


class OperatorField(forms.ModelChoiceField):  # type: ignore[type-arg]  # generic in its stubs alone
    """Operators as radio cards: the name, and beneath it what the operator says of itself."""

    widget = forms.RadioSelect

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(
            queryset=Operator.objects.none(),
            empty_label=None,
            to_field_name="slug",
            blank=False,
            error_messages={
                "required": gettext("Choose the operator whose network your devices use."),
                "invalid_choice": gettext("This operator takes no new accounts. Choose another one."),
            },
            **kwargs,
        )

    def label_from_instance(self, obj: Operator) -> SafeString:
        return format_html("<b>{}</b><small>{}</small>", obj.name, obj.description)


ADDRESS_REFUSED = _(
    "We cannot send mail to this address. It looks like name@example.org; before the @ only plain letters (a to z), "
    "digits and signs such as . _ - + are possible, no umlauts or accents."
)


def say_what_an_address_is(form: forms.BaseForm) -> None:
    """Browsers and Django say that an address is not valid, but not why."""
    for field in form.fields.values():
        if isinstance(field, forms.EmailField):
            field.error_messages["invalid"] = ADDRESS_REFUSED


class OperatorChoice(forms.Form):
    """What our sign-up asks beyond allauth's form, which inherits from this one."""

    field_order = ("operator", "name", "email", "password1", "password2")

    operator = OperatorField(label=_("Your operator"))
    name = forms.CharField(
        label=_("Your name"),
        max_length=User._meta.get_field("name").max_length,
        required=False,
        widget=forms.TextInput(attrs={"autocomplete": "name"}),
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        say_what_an_address_is(self)
        field = _operators(self)
        field.queryset = operators.open_for_signup()
        asked = context.request.GET.get("operator") if context.request else None
        slugs = list(field.queryset.values_list("slug", flat=True))
        if asked in slugs or len(slugs) == 1:
            field.initial = asked if asked in slugs else slugs[0]

    def signup(self, request: HttpRequest, user: AbstractBaseUser) -> None:
        """Nothing is left to do: the adapter has registered the person together with their account."""


def _operators(form: forms.BaseForm) -> OperatorField:
    field = form.fields["operator"]
    assert isinstance(field, OperatorField)
    return field


class FurtherAccount(forms.Form):
    """A signed-in person opens an account with another operator."""

    operator = OperatorField(label=_("Operator"))

    def __init__(self, *args: Any, user: User, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        _operators(self).queryset = operators.open_further(user)


class AcceptAsNew(SetPasswordMixin, forms.Form):  # type: ignore[type-arg]
    """Somebody new takes the role they are invited to: a name and a password, by the rules of every password."""

    name = forms.CharField(label=_("Your name"), max_length=120, required=False)
    password1, password2 = SetPasswordMixin.create_password_fields()

    def __init__(self, *args: Any, email: str, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._email = email

    def clean(self) -> dict[str, Any]:
        self.validate_passwords()
        data = super().clean() or self.cleaned_data
        self.validate_password_for_user(User(email=self._email, name=data.get("name", "")))
        return data


class StaffInvitation(forms.ModelForm):  # type: ignore[type-arg]
    """Gives a role by e-mail address, so that nobody can leaf through people of other operators."""

    email = forms.EmailField(
        label=_("E-mail"),
        error_messages={"invalid": ADDRESS_REFUSED},
        help_text=_(
            "They get a mail and hold the role once they accept; until then nothing of them is shown."
        ),
    )
    name = forms.CharField(
        label=_("Name"), max_length=120, required=False, help_text=_("How the mail greets them.")
    )
    role = forms.ChoiceField(label=_("Role"), choices=Role.choices)

    class Meta:
        model = StaffMembership
        fields = ("operator", "role")
