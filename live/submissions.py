"""Tells a second press of a button from a second wish: each form carries a name that counts once."""

from __future__ import annotations

import secrets

from django.http import HttpRequest

_REMEMBERED = 20


def fresh() -> str:
    """The name of one form that is shown now."""
    return secrets.token_urlsafe(12)


def remember(request: HttpRequest, device_id: int) -> None:
    name = request.POST.get("submission", "")[:64]
    if name:
        sent = [*request.session.get("sent", []), [name, device_id]]
        request.session["sent"] = sent[-_REMEMBERED:]


def sent_before(request: HttpRequest) -> int | None:
    """The device that this very form led to already."""
    submission = request.POST.get("submission")
    return next(
        (device_id for name, device_id in request.session.get("sent", []) if name == submission), None
    )
