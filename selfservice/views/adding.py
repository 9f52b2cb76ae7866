"""Adding a device: nothing typed is lost, and a second press of the button adds nothing."""

from __future__ import annotations

from datetime import timedelta

from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.views.decorators.http import require_http_methods

from devices.inventory.models import Device, Onboarding
from live import submissions
from provisioning.services import key_sheet, onboarding
from selfservice import refusals
from selfservice.forms import DOUBT, AddDevice
from selfservice.selectors import own

_SENT_TWICE = timedelta(seconds=60)


@login_required
@require_http_methods(["GET", "POST"])
def add(request: HttpRequest) -> HttpResponse:
    form = AddDevice(
        request.POST or None,
        user=request.user,
        initial={"submission": submissions.fresh(), **_first(request)},
    )
    if not form.accounts:
        return render(request, "selfservice/no_account.html", {"section": "add"})
    if request.method == "POST":
        sent_before = submissions.sent_before(request)
        if sent_before:
            return redirect("device", device_id=sent_before)
        if form.is_valid():
            device = _added(request, form)
            if device:
                return redirect("device", device_id=device.pk)
    taken = refusals.has(form, "ENDPOINT_TAKEN") and own.by_endpoint(
        request.user, form["endpoint"].value().strip()
    )
    if taken and timezone.now() - taken.created_at < _SENT_TWICE:
        return redirect("device", device_id=taken.pk)
    return render(
        request,
        "selfservice/add.html",
        {
            "form": form,
            "own_taken": taken or None,
            "is_doubted": refusals.has(form, DOUBT),
            "section": "add",
        },
    )


def _first(request: HttpRequest) -> dict[str, str]:
    """An endpoint may come with the address, from a label's QR code or a support mail."""
    return {"endpoint": request.GET["endpoint"][:255]} if request.GET.get("endpoint") else {}


def _added(request: HttpRequest, form: AddDevice) -> Device | None:
    data = form.cleaned_data
    try:
        added = onboarding.add_device(
            operator=data["account"].operator,
            subscriber=data["account"],
            endpoint=data["endpoint"],
            by=request.user,
            name=data["name"],
            reach=data["reach"],
            onboarding=Onboarding.BOOTSTRAP,
            security=form.security,
            **form.entered,
            msisdn=data["msisdn"] if form.has_sms_alone else "",
        )
    except refusals.REFUSALS as refusal:
        refusals.put(form, refusal, operator="account", subscriber="account", security="key_source")
        return None
    if added.secret_to_show:
        key_sheet.keep(request.session, device=added.device, secret=added.secret_to_show, now=timezone.now())
    submissions.remember(request, added.device.pk)
    return added.device
