"""What the forms of several lists share."""

from __future__ import annotations

from typing import Any

from django.db.models import Model
from django.forms import ModelForm


def changes_of(form: ModelForm, row: Model) -> dict[str, Any]:
    return {name: getattr(row, name) for name in form.changed_data}


def become(row: Model, made: Model) -> None:
    """The row of Django's form is from now on the one that a service made."""
    for name, value in vars(made).items():
        setattr(row, name, value)
