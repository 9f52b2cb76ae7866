"""Puts a service's refusal at the field it is about, with the way out beside it; nothing typed is lost."""

from __future__ import annotations

from django import forms

from accounts.errors import Refused as AccountsRefused
from accounts.errors import Refused as DevicesRefused

REFUSALS = (AccountsRefused, DevicesRefused)


def put(form: forms.Form, refusal: AccountsRefused | DevicesRefused, **aliases: str) -> None:
    """`aliases` maps a service's argument to the form's field where the two differ."""
    field = aliases.get(refusal.field or "", refusal.field)
    form.add_error(
        field if field in form.fields else None, forms.ValidationError(refusal.detail, code=refusal.cause)
    )


def has(form: forms.Form, cause: str) -> bool:
    return any(error.code == cause for errors in form.errors.as_data().values() for error in errors)
