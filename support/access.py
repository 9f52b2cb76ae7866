"""Who may use the support desk, and for which operators: whoever's role lets them see devices there.

Who may see a device may read what happened to it; the whole ledger of an operator is for those who may read that.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Any

from django.contrib.auth.decorators import login_required
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse

from accounts import tenancy

MAY_SEE_DEVICES = "inventory.view_device"


def operator_ids(user: Any) -> set[int] | None:
    """The operators whose devices this person may look at here; None means all, an empty set nobody's."""
    return tenancy.operator_ids(user, MAY_SEE_DEVICES)


def desk(view: Callable[..., HttpResponse]) -> Callable[..., HttpResponse]:
    """Signed out: to sign-in. Without such a role: 403. Another operator's device is a 404 further in."""

    @wraps(view)
    def guarded(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        if operator_ids(request.user) == set():
            raise PermissionDenied
        return view(request, *args, **kwargs)

    return login_required(guarded)
