"""Where somebody types a mail address on allauth's pages, refused in our words; sign-up has a form of its own."""

from __future__ import annotations

from typing import Any

from allauth.account import forms as allauth_forms

from accounts.forms import say_what_an_address_is


class _InOurWords:
    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        say_what_an_address_is(self)  # type: ignore[arg-type]  # a form, by whom this stands in front of


class SignIn(_InOurWords, allauth_forms.LoginForm):
    pass


class ResetPassword(_InOurWords, allauth_forms.ResetPasswordForm):
    pass


class ChangeEmail(_InOurWords, allauth_forms.AddEmailForm):
    pass
