"""The person's own page: name, accounts with operators, password, address, and how programs sign in."""

from __future__ import annotations

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_GET, require_POST

from accounts.forms import FurtherAccount
from accounts.selectors import subscribers
from accounts.services import subscribers as accounts
from selfservice import refusals
from selfservice.forms import Name
from selfservice.services import profile as own


@login_required
@require_GET
def profile(request: HttpRequest) -> HttpResponse:
    return _page(request, FurtherAccount(user=request.user), Name(initial={"name": request.user.name}))


@login_required
@require_POST
def rename(request: HttpRequest) -> HttpResponse:
    form = Name(request.POST)
    if not form.is_valid():
        return _page(request, FurtherAccount(user=request.user), form)
    own.rename(user=request.user, name=form.cleaned_data["name"].strip())
    messages.success(request, "Your name is saved.")
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
                request, f"Your account with {account.operator} is open. Its number is {account.number}."
            )
            return redirect("profile")
    return _page(request, form, Name(initial={"name": request.user.name}))


def _page(request: HttpRequest, open_form: FurtherAccount, name_form: Name) -> HttpResponse:
    return render(
        request,
        "selfservice/profile.html",
        {
            "accounts": subscribers.of_user(request.user),
            "open_form": open_form,
            "may_open": open_form.fields["operator"].queryset.exists(),
            "name_form": name_form,
        },
    )
