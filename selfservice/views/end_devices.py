"""What a gateway tells of: the list of it, and taking, leaving and offering again."""

from __future__ import annotations

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext, ngettext
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_http_methods

from devices.gateways.selectors import end_devices
from devices.gateways.services import end_device_choices
from devices.inventory.models import Device
from provisioning.services import onboarding
from selfservice import refusals
from selfservice.selectors import own

PAGE_SIZE = 50
_WHY = {"ENDPOINT_TAKEN": _("%(name)s is in use already."), "NOT_FOUND": _("%(name)s is not there any more.")}


@login_required
@require_http_methods(["GET", "POST"])
def end_devices_of(request: HttpRequest, device_id: int) -> HttpResponse:
    gateway = own.get(request.user, device_id)
    if request.method == "POST":
        return _do(request, gateway)
    counts = end_devices.counts(gateway)
    show = request.GET.get("show", "")
    show = (
        show if show in end_devices.SHOW else ("offered" if counts.offered or not counts.taken else "taken")
    )
    text = request.GET.get("q", "").strip()[:120]
    found = Paginator(end_devices.listed(gateway, show, text), PAGE_SIZE).get_page(request.GET.get("page"))
    now = timezone.now()
    return render(
        request,
        "selfservice/end_devices.html",
        {
            "device": gateway,
            "counts": counts,
            "kinds": [(name, label, counts.of(name)) for name, label in end_devices.SHOW.items()],
            "show": show,
            "text": text,
            "found": found,
            "children": [end_devices.child(row, gateway, now) for row in found],
            "section": "devices",
        },
    )


def _do(request: HttpRequest, gateway: Device) -> HttpResponse:
    wish, names = request.POST.get("wish", ""), request.POST.getlist("identifier")[:PAGE_SIZE]
    try:
        if wish == "take-all":
            _took(request, onboarding.take_end_devices(gateway=gateway, by=request.user), gateway)
        elif not names:
            messages.warning(request, gettext("Nothing was chosen; tick the devices first."))
        elif wish == "take":
            taken = onboarding.take_end_devices(gateway=gateway, identifiers=names, by=request.user)
            _took(request, taken, gateway)
        elif wish in ("leave", "offer"):
            count = end_device_choices.dismiss(
                gateway=gateway, identifiers=names, is_dismissed=wish == "leave"
            )
            said = (
                ngettext(
                    "%(number)s device not offered any more.",
                    "%(number)s devices not offered any more.",
                    count,
                )
                if wish == "leave"
                else ngettext(
                    "%(number)s device on offer again.", "%(number)s devices on offer again.", count
                )
            )
            messages.success(request, said % {"number": format(count, ",")})
    except refusals.REFUSALS as refusal:
        messages.error(request, refusal.detail)
    if request.POST.get("back") == "list":
        return redirect(reverse("device-end-devices", args=[gateway.pk]))
    return redirect("device", device_id=gateway.pk)


def _took(request: HttpRequest, taken: onboarding.Taken, gateway: Device) -> None:
    if taken.devices:
        count = len(taken.devices)
        messages.success(
            request,
            ngettext(
                "%(number)s device behind %(gateway)s taken. Their set-up runs by itself.",
                "%(number)s devices behind %(gateway)s taken. Their set-up runs by itself.",
                count,
            )
            % {"number": format(count, ","), "gateway": gateway},
        )
    elif not taken.refused:
        messages.info(request, gettext("There was nothing left to take."))
    for name, cause in list(taken.refused.items())[:5]:
        why = _WHY.get(cause, _("%(name)s could not be taken."))
        messages.warning(request, why % {"name": name})
    if len(taken.refused) > 5:
        messages.warning(
            request,
            ngettext(
                "%(count)s more could not be taken.",
                "%(count)s more could not be taken.",
                len(taken.refused) - 5,
            )
            % {"count": len(taken.refused) - 5},
        )
