"""The person's own page: name, accounts with operators, password, address, and how programs sign in."""

from __future__ import annotations

import contextlib

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext
from django.views.decorators.http import require_GET, require_POST

from accounts.forms import FurtherAccount
from accounts.selectors import subscribers
from accounts.services import people, preferences
from accounts.services import subscribers as accounts
from selfservice import refusals
from selfservice.forms import Name, TimeZone


@login_required
@require_GET
def profile(request: HttpRequest) -> HttpResponse:
    return _page(request)


@login_required
@require_POST
def rename(request: HttpRequest) -> HttpResponse:
    form = Name(request.POST)
    if not form.is_valid():
        return _page(request, name_form=form)
    people.rename(user=request.user, name=form.cleaned_data["name"].strip())
    messages.success(request, gettext("Your name is saved."))
    return redirect("profile")


@login_required
@require_POST
def open_account(request: HttpRequest) -> HttpResponse:
    form = FurtherAccount(request.POST, user=request.user)
    if form.is_valid():
        try:
            account = accounts.open_account(user=request.user, operator=form.cleaned_data["operator"])
        except refusals.REFUSALS as refusal:
            refusals.put(form, refusal)
        else:
            messages.success(
                request,
                gettext("Your account with %(operator)s is open. Its number is %(number)s.")
                % {"operator": account.operator, "number": account.number},
            )
            return redirect("profile")
    return _page(request, open_form=form)


@login_required
@require_POST
def choose_time_zone(request: HttpRequest) -> HttpResponse:
    form = TimeZone(request.POST)
    if not form.is_valid():
        return _page(request, zone_form=form)
    preferences.choose_time_zone(user=request.user, name=form.cleaned_data["time_zone"])
    messages.success(request, gettext("Your time zone is saved."))
    return redirect("profile")


@login_required
@require_POST
def time_zone_of_browser(request: HttpRequest) -> HttpResponse:
    """Told by a script once; a zone that is not known here changes nothing."""
    with contextlib.suppress(refusals.REFUSALS):
        preferences.adopt_time_zone(user=request.user, name=request.POST.get("time_zone", ""))
    return HttpResponse(status=204)


def _page(
    request: HttpRequest,
    open_form: FurtherAccount | None = None,
    name_form: Name | None = None,
    zone_form: TimeZone | None = None,
) -> HttpResponse:
    user = request.user
    open_form = open_form or FurtherAccount(user=user)
    return render(
        request,
        "selfservice/profile.html",
        {
            "accounts": subscribers.of_user(user),
            "open_form": open_form,
            "may_open": open_form.fields["operator"].queryset.exists(),
            "name_form": name_form or Name(initial={"name": user.name}),
            "zone_form": zone_form or TimeZone(initial={"time_zone": user.time_zone}),
        },
    )
