"""Admin actions that ask why before they do anything, say whom it concerns, and are done as jobs.

A few rows are done at once; more are a worker's, and the page of the job shows how far it is.
"""

from __future__ import annotations

from typing import Any

from django import forms
from django.contrib import messages
from django.contrib.admin.helpers import ACTION_CHECKBOX_NAME
from django.db.models import F, Q, QuerySet, Value
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils.html import format_html
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from accounts.models import BulkJob, BulkRowState
from accounts.scoping.deeds import Deed
from accounts.services import bulk
from backoffice import bells

REASON_LIMIT = 200
SHOWN = 20
AT_ONCE = 100  # rows; some two seconds of a busy machine
_WHY = {
    BulkRowState.SKIPPED: _("Left alone"),
    BulkRowState.REFUSED: _("Not done for"),
    BulkRowState.FAILED: _("Failed for"),
}


class ReasonForm(forms.Form):
    reason = forms.CharField(
        label=_("Why"),
        max_length=REASON_LIMIT,
        strip=True,
        widget=forms.TextInput(attrs={"size": 60, "autofocus": True, "class": "vTextField"}),
        help_text=_("Kept in the ledger, together with your name."),
        error_messages={"required": _("Say why; the ledger keeps it.")},
    )


def ask_and_do(
    model_admin: Any, request: HttpRequest, queryset: QuerySet, action: str
) -> HttpResponse | None:
    """Shows the reason page, then has `model_admin.deeds[action]` done for each row the role allows.

    None: to the list, where a few rows are told at once; else to the page of the job.
    """
    deed: Deed = model_admin.deeds[action]
    permitted = model_admin.permitted(request, queryset, deed.verb)
    form = ReasonForm(request.POST if "reason" in request.POST else None)
    if not permitted.exists():
        model_admin.message_user(
            request, gettext("Your role does not allow this for the chosen rows."), messages.ERROR
        )
        return None
    if not form.is_valid():
        return _page(model_admin, request, permitted, action, deed, form)
    jobs = _jobs(model_admin, request, permitted, action, form.cleaned_data["reason"])
    if sum(job.rows.count() for job in jobs) <= AT_ONCE:
        for job in jobs:
            model_admin.go_on(job)
            _tell(model_admin, request, job, deed)
        return None
    for job in jobs:
        bells.bulk(job.pk)
    if len(jobs) == 1:
        return HttpResponseRedirect(_page_of(jobs[0]))
    for job in jobs:
        words = format_html(
            gettext('<a href="{}">{}: under way</a>'), _page_of(job), job.operator or gettext("The platform")
        )
        model_admin.message_user(request, words)
    return None


def _jobs(model_admin: Any, request: HttpRequest, rows: QuerySet, action: str, reason: str) -> list[BulkJob]:
    """One job for each operator whose rows they are, so that its staff see what was done to theirs."""
    path = model_admin.operator_path
    named = rows.order_by("pk").values_list("pk", F(path) if path else Value(None))
    by_operator: dict[int | None, list[int]] = {}
    for object_id, operator_id in named:
        by_operator.setdefault(operator_id, []).append(object_id)
    return [
        bulk.start(
            model=model_admin.model,
            action=action,
            object_ids=object_ids,
            operator_id=operator_id,
            reason=reason,
            by=request.user,
        )
        for operator_id, object_ids in by_operator.items()
    ]


def _page_of(job: BulkJob) -> str:
    return reverse("admin:accounts_bulkjob_change", args=[job.pk])


def _tell(model_admin: Any, request: HttpRequest, job: BulkJob, deed: Deed) -> None:
    """What came of a few rows, on the list they came from."""
    options = model_admin.opts
    done = bulk.counts(job).get(BulkRowState.DONE, 0)
    if done:
        name = options.verbose_name if done == 1 else options.verbose_name_plural
        model_admin.message_user(request, f"{done} {name} {deed.done}.", messages.SUCCESS)
    for state in _WHY:
        for detail, count in bulk.details(job, state):
            same = job.rows.filter(state=state, detail=detail).order_by("pk")
            found = model_admin.model._default_manager.in_bulk(
                list(same.values_list("object_id", flat=True)[:3])
            )
            names = ", ".join(model_admin.named(row) for row in found.values())
            if count > 3:
                names = gettext("%(names)s and %(count)s more") % {"names": names, "count": count - 3}
            words = f"{_WHY[state]} {names}: {detail}"
            model_admin.message_user(request, words, messages.WARNING)


def _page(
    model_admin: Any, request: HttpRequest, rows: QuerySet, action: str, deed: Deed, form: ReasonForm
) -> TemplateResponse:
    count = rows.count()
    left = [(rows.filter(skip.rows).count(), skip.why) for skip in deed.skips]
    concerned = rows.exclude(_any(deed)).count() if deed.skips else count
    context = {
        **model_admin.admin_site.each_context(request),
        "title": deed.question,
        "opts": model_admin.opts,
        "media": model_admin.media,
        "form": form,
        "action": action,
        "deed": deed,
        "concerned": concerned,
        "left_alone": [one for one in left if one[0]],
        "rows": [model_admin.named(row) for row in rows[:SHOWN]],
        "count": count,
        "more": max(0, count - SHOWN),
        "selected": request.POST.getlist(ACTION_CHECKBOX_NAME),
        "checkbox_name": ACTION_CHECKBOX_NAME,
        "select_across": request.POST.get("select_across", "0"),
    }
    return TemplateResponse(request, "backoffice/people/reason.html", context)


def _any(deed: Deed) -> Q:
    found = Q(pk__in=[])
    for skip in deed.skips:
        found |= skip.rows
    return found
