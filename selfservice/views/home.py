"""The start page: what this is, or where you belong."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext_lazy as _

from accounts.selectors import operators, subscribers

EXAMPLE = (
    (_("Ordered"), "11:02:40"),
    (_("Prepared"), "0.3 s"),
    (_("First contact"), "18 s"),
    (_("Configured"), "0.9 s"),
    (_("Registered"), "0.4 s"),
    (_("Online"), "0.2 s"),
)


def home(request: HttpRequest) -> HttpResponse:
    user = request.user
    if not user.is_authenticated:
        context = {"operators": operators.open_for_signup(), "example": EXAMPLE}
        return render(request, "selfservice/landing.html", context)
    if not user.is_staff:
        return redirect("devices")
    has_accounts = subscribers.of_user(user).exists()
    memberships = user.staffmembership_set.select_related("operator").filter(operator__is_active=True)
    return render(
        request, "selfservice/choice.html", {"has_accounts": has_accounts, "memberships": memberships}
    )
