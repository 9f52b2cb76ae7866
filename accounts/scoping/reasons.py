"""Admin actions that ask why before they do anything: the reason stands in the ledger."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

from django import forms
from django.contrib import messages
from django.contrib.admin.helpers import ACTION_CHECKBOX_NAME
from django.db.models import Model, QuerySet
from django.http import HttpRequest
from django.template.response import TemplateResponse

REASON_LIMIT = 200
SHOWN = 20
CHUNK = 500


class ReasonForm(forms.Form):
    reason = forms.CharField(
        label="Why",
        max_length=REASON_LIMIT,
        strip=True,
        widget=forms.TextInput(attrs={"size": 60, "autofocus": True, "class": "vTextField"}),
        help_text="Kept in the ledger, together with your name.",
        error_messages={"required": "Say why; the ledger keeps it."},
    )


def ask_and_do(
    model_admin: Any,
    request: HttpRequest,
    queryset: QuerySet,
    *,
    action: str,
    question: str,
    button: str,
    done: str,
    verb: str = "change",
    is_dangerous: bool = False,
    do: Callable[[Any, str], object],
) -> TemplateResponse | None:
    """Shows the reason page, then calls `do(row, reason)` for each row the role allows; None: to the list.

    `done` completes "3 devices ...". Refusals are counted and told in their own words.
    """
    permitted = model_admin.permitted(request, queryset, verb)
    form = ReasonForm(request.POST if "reason" in request.POST else None)
    if not permitted.exists():
        model_admin.message_user(
            request, "Your role does not allow this for the chosen rows.", messages.ERROR
        )
        return None
    if not form.is_valid():
        return _page(model_admin, request, permitted, action, question, button, is_dangerous, form)
    _do_all(model_admin, request, permitted, form.cleaned_data["reason"], done, do)
    return None


def _do_all(
    model_admin: Any,
    request: HttpRequest,
    rows: QuerySet,
    reason: str,
    done: str,
    do: Callable[[Model, str], object],
) -> None:
    count, refused = 0, {}
    for row in _one_by_one(rows):
        try:
            do(row, reason)
        except model_admin.refusals as refusal:
            refused.setdefault(str(refusal), []).append(model_admin.named(row))
        else:
            count += 1
    options = model_admin.opts
    if count:
        name = options.verbose_name if count == 1 else options.verbose_name_plural
        model_admin.message_user(request, f"{count} {name} {done}.", messages.SUCCESS)
    for why, names in refused.items():
        more = f" and {len(names) - 3} more" if len(names) > 3 else ""
        model_admin.message_user(
            request, f"Not done for {', '.join(names[:3])}{more}: {why}", messages.WARNING
        )


def _one_by_one(rows: QuerySet) -> Iterator[Model]:
    """Read in pieces that are complete before anything is written: what is done may change what `rows` finds."""
    ids = list(rows.order_by("pk").values_list("pk", flat=True))
    for start in range(0, len(ids), CHUNK):
        yield from rows.model._default_manager.filter(pk__in=ids[start : start + CHUNK]).order_by("pk")


def _page(
    model_admin: Any,
    request: HttpRequest,
    rows: QuerySet,
    action: str,
    question: str,
    button: str,
    is_dangerous: bool,
    form: ReasonForm,
) -> TemplateResponse:
    count = rows.count()
    context = {
        **model_admin.admin_site.each_context(request),
        "title": question,
        "opts": model_admin.opts,
        "media": model_admin.media,
        "form": form,
        "action": action,
        "button": button,
        "is_dangerous": is_dangerous,
        "rows": [model_admin.named(row) for row in rows[:SHOWN]],
        "count": count,
        "more": max(0, count - SHOWN),
        "selected": request.POST.getlist(ACTION_CHECKBOX_NAME),
        "checkbox_name": ACTION_CHECKBOX_NAME,
        "select_across": request.POST.get("select_across", "0"),
    }
    return TemplateResponse(request, "accounts/admin/reason.html", context)
