"""The page where somebody takes or declines a role that an operator offers them."""

from __future__ import annotations

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.http import urlencode
from django.utils.translation import gettext
from django.views.decorators.cache import never_cache
from django.views.decorators.debug import sensitive_post_parameters

from accounts import invitations
from accounts.errors import Refused
from accounts.forms import AcceptAsNew
from accounts.models import StaffMembership, User
from accounts.services import staff

PAGE = "account/staff_invitation.html"


@sensitive_post_parameters("password1", "password2")
@never_cache
def invitation(request: HttpRequest, token: str) -> HttpResponse:
    """Who has an account signs in first; others choose a password here. Nothing is theirs before they accept."""
    membership = invitations.read(token)
    if membership is None:
        return render(request, PAGE, {"is_over": True}, status=410)
    if request.method == "POST" and "decline" in request.POST:
        return _declined(request, membership)
    owner = User.objects.filter(email__iexact=membership.email).first()
    if owner is None:
        return _as_new(request, membership)
    if not request.user.is_authenticated:
        return redirect(f"{reverse('account_login')}?{urlencode({'next': request.path})}")
    if request.user != owner:
        return render(request, PAGE, {"membership": membership, "is_for_another": True}, status=403)
    if request.method != "POST":
        return render(request, PAGE, {"membership": membership})
    return _accepted(request, membership, owner)


def _accepted(request: HttpRequest, membership: StaffMembership, user: User) -> HttpResponse:
    try:
        staff.accept(membership=membership, user=user)
    except Refused as refusal:
        messages.error(request, refusal.detail)
        return redirect("home")
    messages.success(
        request,
        gettext("You are %(role)s of %(operator)s now.")
        % {"role": membership.get_role_display(), "operator": membership.operator},
    )
    return redirect("admin:index")


def _as_new(request: HttpRequest, membership: StaffMembership) -> HttpResponse:
    form = AcceptAsNew(
        request.POST if request.method == "POST" else None,
        email=membership.email,
        initial={"name": membership.name},
    )
    if form.is_valid():
        data = form.cleaned_data
        try:
            staff.accept_as_new(membership=membership, name=data["name"], password=data["password1"])
        except Refused as refusal:
            form.add_error(None, refusal.detail)
        else:
            messages.success(
                request, gettext("Your account is ready. Sign in with the password that you chose.")
            )
            return redirect("account_login")
    return render(request, PAGE, {"membership": membership, "form": form})


def _declined(request: HttpRequest, membership: StaffMembership) -> HttpResponse:
    try:
        staff.decline(membership=membership)
    except Refused as refusal:
        messages.error(request, refusal.detail)
    else:
        messages.success(
            request,
            gettext("You declined. %(operator)s is told so, and nothing else.")
            % {"operator": membership.operator},
        )
    return redirect("home")
