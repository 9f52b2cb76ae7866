"""Who a session is of, asked anew: a live page outlives the moment in which its session ended."""

from __future__ import annotations

import hashlib
from importlib import import_module
from typing import Any

from django.conf import settings
from django.contrib.auth import get_user
from django.http import HttpRequest

Person = Any
"""Whoever the project's user model says, or Django's `AnonymousUser`."""


def person(session_key: str | None) -> Person:
    """The person as the next page load would find them: signed out, switched off or with another password, nobody."""
    request = HttpRequest()
    request.session = import_module(settings.SESSION_ENGINE).SessionStore(session_key)
    found: Person = get_user(request)
    return found


def digest(session_key: str | None) -> str:
    """Names a session to other processes without giving it away; "" for none."""
    return hashlib.sha256(session_key.encode()).hexdigest() if session_key else ""
