"""The subscriber's devices: the list, one device, a new key for it, and letting it go."""

from __future__ import annotations

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import gettext
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from accounts.scoping.paging import KeyedPaginator
from accounts.selectors import subscribers
from live import submissions
from provisioning.services import key_sheet, lifecycle, onboarding
from selfservice import refusals
from selfservice.selectors import own, page

PAGE_SIZE = 25


@login_required
@require_GET
def listing(request: HttpRequest) -> HttpResponse:
    now = timezone.now()
    text = request.GET.get("q", "").strip()[:120]
    show = request.GET.get("show", "")
    show = show if show in own.SHOW else ""
    rows = KeyedPaginator(own.listed(request.user, text=text, show=show, now=now), PAGE_SIZE)
    counts = own.counts(request.user, now)
    if not text and not show:
        rows.count = counts.total  # counted already
    found = rows.get_page(request.GET.get("page"))
    accounts = list(subscribers.of_user(request.user))
    return render(
        request,
        "selfservice/devices.html",
        {
            "rows": page.rows(found, now),
            "found": found,
            "counts": counts,
            "text": text,
            "show": show,
            "has_accounts": bool(accounts),
            "several": len({account.operator_id for account in accounts}) > 1,
            "section": "devices",
        },
    )


@login_required
@require_GET
@never_cache
def device(request: HttpRequest, device_id: int) -> HttpResponse:
    row = own.get(request.user, device_id)
    sheet = key_sheet.of(request.session, row, timezone.now())
    return render(
        request,
        "selfservice/device.html",
        {**page.context(row, timezone.now()), "sheet": sheet, "section": "devices"},
    )


@login_required
@require_http_methods(["GET", "POST"])
@never_cache
def new_key(request: HttpRequest, device_id: int) -> HttpResponse:
    """Asks first: from then on the device gets in with the new key alone."""
    row = own.get(request.user, device_id)
    if not page.may_renew_key(row):
        raise Http404("This device has no key that could be made anew here.")
    if request.method == "GET":
        context = {"device": row, "section": "devices", "submission": submissions.fresh()}
        return render(request, "selfservice/new_key.html", context)
    if not submissions.sent_before(request):
        try:
            added = onboarding.renew_key(device=row)
        except refusals.REFUSALS as refusal:
            messages.error(request, refusal.detail)
        else:
            submissions.remember(request, row.pk)
            key_sheet.keep(request.session, device=row, secret=added.secret_to_show, now=timezone.now())
    return redirect("device", device_id=row.pk)


@login_required
@require_POST
def key_noted(request: HttpRequest, device_id: int) -> HttpResponse:
    row = own.get(request.user, device_id)
    key_sheet.noted(request.session, row)
    messages.success(request, gettext("Good. The key is no longer shown anywhere."))
    return redirect("device", device_id=row.pk)


@login_required
@require_http_methods(["GET", "POST"])
def release(request: HttpRequest, device_id: int) -> HttpResponse:
    row = own.get(request.user, device_id)
    if request.method == "POST":
        try:
            lifecycle.release(device=row)
        except refusals.REFUSALS as refusal:
            messages.error(request, refusal.detail)
            return redirect("device", device_id=row.pk)
        messages.success(
            request, gettext("%(row)s is released. It is no longer managed here.") % {"row": row}
        )
        return redirect("devices")
    context = {"device": row, "behind": page.behind(row, timezone.now()), "section": "devices"}
    return render(request, "selfservice/release.html", context)
