"""Who asked for something, in words: `user:5` is a person, `job:3` a job, `system` the portal."""

from __future__ import annotations

from django.contrib.auth import get_user_model

_KINDS = {"job": "job", "job-step": "step of a job", "reach": "the search for it"}


def words(requested_by: str) -> str:
    """One query for a person."""
    kind, _, number = requested_by.partition(":")
    if kind == "user" and number.isascii() and number.isdigit():
        user = get_user_model()._default_manager.filter(pk=number).first()
        return str(user) if user else "somebody who is gone"
    if kind in _KINDS:
        return f"{_KINDS[kind]} {number}".strip()
    return "the portal" if requested_by in ("", "system") else requested_by
