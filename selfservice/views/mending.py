"""Typing again what was typed wrong, on the page where it fails; and what the device is called."""

from __future__ import annotations

from collections.abc import Callable

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import gettext
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_POST

from devices.inventory.models import Device
from provisioning.services import corrections, mending
from selfservice import refusals
from selfservice.selectors import own, page


@login_required
@require_POST
@never_cache
def key(request: HttpRequest, device_id: int) -> HttpResponse:
    mode = own.get(request.user, device_id).security_mode
    typed = {one.name: request.POST.get(one.name, "")[: one.max_length] for one in mode.fields}
    return _mend(
        request,
        device_id,
        "key",
        typed,
        lambda device: mending.enter_credential(device=device, entered=typed, by=request.user),
        gettext("The key is saved. The device is let in when it knocks with it, usually within a minute."),
    )


@login_required
@require_POST
@never_cache
def endpoint(request: HttpRequest, device_id: int) -> HttpResponse:
    typed = (request.POST.get("suggested") or request.POST.get("endpoint", "")).strip()[:300]
    return _mend(
        request,
        device_id,
        "endpoint",
        typed,
        lambda device: mending.correct_endpoint(device=device, endpoint=typed, by=request.user),
        gettext("The endpoint name is corrected; the key stays. The device is let in when it knocks again."),
    )


@login_required
@require_POST
@never_cache
def name(request: HttpRequest, device_id: int) -> HttpResponse:
    typed = request.POST.get("name", "")[:300]
    return _mend(
        request,
        device_id,
        "name",
        typed,
        lambda device: corrections.rename(device=device, name=typed),
        gettext("The name is saved."),
    )


def _mend(
    request: HttpRequest,
    device_id: int,
    what: str,
    typed: str | dict[str, str],
    do: Callable[[Device], Device],
    done: str,
) -> HttpResponse:
    """Back to the device's page; what was refused stands there again with the reason beside it."""
    row = own.get(request.user, device_id)
    try:
        do(row)
    except refusals.REFUSALS as refusal:
        context = page.context(own.get(request.user, device_id), timezone.now())
        mend = {"what": what, "typed": typed, "error": refusal.detail}
        shown = {**context, "mend": mend, "section": "devices"}
        if isinstance(typed, dict):
            at = {"field": refusal.field, "error": refusal.detail}
            shown["key_fields"] = page.key_fields(row, typed, **at)
        return render(request, "selfservice/device.html", shown, status=422)
    messages.success(request, done)
    return redirect("device", device_id=row.pk)
