"""The ledger in the admin: to look at and search, never to touch."""

import json
from typing import Any

from django.contrib import admin
from django.contrib.admin.views.main import ChangeList
from django.core.paginator import Paginator
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils import formats, timezone
from django.utils.functional import cached_property
from django.utils.html import format_html
from django.utils.translation import gettext_lazy as _

from audit import actions, causes, people, selectors
from audit.models import LedgerEvent

_RECENT = 5000
_LEAFED = 5000


class ActionFilter(admin.SimpleListFilter):
    """Offers the actions of recent events: asking the whole ledger for its actions would read all of it."""

    title = _("action")
    parameter_name = "action"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        recent = model_admin.get_queryset(request).order_by("-id").values("action")[:_RECENT]
        return [(action, actions.words(action)) for action in sorted({row["action"] for row in recent})]

    def queryset(self, request: HttpRequest, queryset: QuerySet[LedgerEvent]) -> QuerySet[LedgerEvent]:
        return queryset.filter(action=self.value()) if self.value() else queryset


class RecentPages(Paginator):
    """Counts no further than somebody would leaf: older events are found by narrowing the list."""

    @cached_property
    def count(self) -> int:
        return self.object_list.order_by("-id").values("id")[:_LEAFED].count()


class LedgerEventAdmin(admin.ModelAdmin):
    index_name = _("Ledger")
    list_display = ("when", "what", "result", "cause", "about", "actor_name", "device_id", "request_id")
    list_filter = ("result", ActionFilter, "at")
    search_fields = ("target",)  # that there is a box; what it looks for is `selectors.beginning`
    search_help_text = _("Beginning of a target, action or cause, or a whole request id.")
    ordering = ("-id",)
    sortable_by = ()
    paginator = RecentPages
    list_per_page = 50
    show_full_result_count = False
    fieldsets = (
        (None, {"fields": ("at", "action", "result", "cause", "explanation", "reason")}),
        (
            _("Who"),
            {
                "fields": (
                    "actor_kind",
                    "actor_name",
                    "actor_id",
                    "impersonator_name",
                    "address",
                    "request_id",
                )
            },
        ),
        (_("What"), {"fields": ("about", "device_id", "subscriber_id", "operator_id", "job_id")}),
        (_("Change"), {"fields": ("before_text", "after_text", "detail_text", "personal_text")}),
        (
            _("Chain"),
            {"classes": ("collapse",), "fields": ("chain", "place", "version", "digest", "hash")},
        ),
    )

    code_of_person = "target"

    def get_changelist(self, request: HttpRequest, **kwargs: Any) -> type[ChangeList]:
        return people.NamedList

    def get_queryset(self, request: HttpRequest) -> QuerySet[LedgerEvent]:
        return selectors.visible_to(request.user)

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[LedgerEvent], search_term: str
    ) -> tuple[QuerySet[LedgerEvent], bool]:
        return selectors.beginning(queryset, search_term), False

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: LedgerEvent | None = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: LedgerEvent | None = None) -> bool:
        return False

    @admin.display(description=_("at"))
    def when(self, event: LedgerEvent) -> str:
        return formats.date_format(timezone.localtime(event.at), "j M Y, H:i:s T")

    @admin.display(description=_("what"))
    def what(self, event: LedgerEvent) -> str:
        return actions.words(event.action)

    @admin.display(description=_("actor"))
    def actor_name(self, event: LedgerEvent) -> str:
        return event.actor_words

    @admin.display(description=_("target"))
    def about(self, event: LedgerEvent) -> str:
        return people.of_row(event, self.code_of_person).get(event.target, event.target)

    @admin.display(description=_("looking through their eyes"))
    def impersonator_name(self, event: LedgerEvent) -> str:
        return event.impersonator_words

    @admin.display(description=_("place in the chain"))
    def place(self, event: LedgerEvent) -> str:
        return str(event.sequence or _("not sealed yet, which takes a moment"))

    @admin.display(description=_("address"))
    def address(self, event: LedgerEvent) -> str:
        return event.personal_value("address")

    @admin.display(description=_("in words"))
    def explanation(self, event: LedgerEvent) -> str:
        cause = causes.CAUSES.get(event.cause)
        return "" if cause is None else f"{cause.support} {cause.engineer} {cause.action}"

    @admin.display(description=_("before"))
    def before_text(self, event: LedgerEvent) -> str:
        return _pretty(event.before)

    @admin.display(description=_("after"))
    def after_text(self, event: LedgerEvent) -> str:
        return _pretty(event.after)

    @admin.display(description=_("detail"))
    def detail_text(self, event: LedgerEvent) -> str:
        return _pretty(event.detail)

    @admin.display(description=_("personal data"))
    def personal_text(self, event: LedgerEvent) -> str:
        return _pretty({field: event.personal_value(field) for field in event.personal} or None)


def _pretty(value: dict[str, Any] | None) -> str:
    if value is None:
        return ""
    return format_html("<pre>{}</pre>", json.dumps(value, indent=2, sort_keys=True, ensure_ascii=False))
