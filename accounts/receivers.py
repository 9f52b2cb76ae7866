"""Hears Django and allauth (code we do not own) tell of sign-ins and addresses, and has it recorded."""

from __future__ import annotations

from typing import Any

from allauth.account import signals as allauth_signals
from django.contrib.auth import signals as auth_signals

from accounts.models import User
from accounts.services import signins
from live import sessions


def connect() -> None:
    for signal, receiver in (
        (auth_signals.user_logged_in, _signed_in),
        (auth_signals.user_logged_out, _signed_out),
        (auth_signals.user_login_failed, _sign_in_failed),
        (allauth_signals.password_changed, _password_changed),
        (allauth_signals.password_set, _password_changed),
        (allauth_signals.password_reset, _password_reset),
        (allauth_signals.email_confirmed, _email_confirmed),
    ):
        signal.connect(receiver, dispatch_uid=f"accounts.{receiver.__name__}")


def _signed_in(user: User, **kwargs: Any) -> None:
    signins.signed_in(user=user)


def _signed_out(user: User | None, request: Any = None, **kwargs: Any) -> None:
    """Told before Django ends the session, so its name goes along."""
    if user is not None and user.is_authenticated:
        key = getattr(getattr(request, "session", None), "session_key", None)
        signins.signed_out(user=user, session=sessions.digest(key))


def _sign_in_failed(credentials: dict[str, Any], **kwargs: Any) -> None:
    signins.failed(email=str(credentials.get("email") or credentials.get("username") or ""))


def _password_changed(user: User, **kwargs: Any) -> None:
    signins.password_changed(user=user)


def _password_reset(user: User, **kwargs: Any) -> None:
    signins.password_reset(user=user)


def _email_confirmed(email_address: Any, **kwargs: Any) -> None:
    signins.email_confirmed(user=email_address.user, email=email_address.email)
