"""The admin of the inventory: lists, one page per device, the live board, and what may be done to devices."""

from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.db.models import Model, QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import NoReverseMatch, URLPattern, path, reverse
from django.utils import timezone
from django.utils.html import format_html
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from accounts import tenancy
from accounts.scoping.paging import KeyedPaginator
from backoffice import adding, sms
from backoffice.board.view import board_view
from backoffice.corrections import may_correct
from backoffice.corrections import urls as correction_urls
from backoffice.device_deeds import DEEDS
from backoffice.device_sheet import device_facts
from backoffice.manage.addresses import urls as management_urls
from backoffice.reach_attempts import ReachAttemptInline
from backoffice.reasons import ask_and_do
from backoffice.scoping import ScopedModelAdmin
from devices.inventory.models import Device, Reach
from devices.registry.selectors import present, search, sessions, ways
from provisioning.selectors import near_misses


class SessionFilter(admin.SimpleListFilter):
    """By the state told from the registration, the same as on the board."""

    title = _("how it is now")
    parameter_name = "session"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return [
            *sessions.Session.choices,
            (present.STUCK, gettext("Cannot come online")),
            (present.SUSPENDED, gettext("Suspended")),
        ]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Device]) -> QuerySet[Device]:
        if self.value() not in {*sessions.Session.values, present.STUCK, present.SUSPENDED}:
            return queryset
        return queryset.filter(present.condition(self.value(), timezone.now()))


class DeviceAdmin(ScopedModelAdmin):
    """The inventory."""

    inlines = (ReachAttemptInline,)

    list_display = (
        "endpoint",
        "called",
        "account",
        "operator",
        "provisioning",
        "session",
        "last_seen",
        "created_at",
    )
    list_display_links = ("endpoint",)
    list_filter = (SessionFilter, "provisioning", "access", "security", "reach", "operator")
    list_select_related = ("operator", "subscriber", *ways.PRESENCE)
    list_per_page = 50
    search_fields = ("endpoint",)  # that there is a box; what it looks for is `selectors.search`
    search_help_text = _("Endpoint, name, serial or phone number, maker, account, person, or address.")
    show_full_result_count = False
    paginator = KeyedPaginator
    ordering = ("-id",)
    readonly_fields = ("sms_today", "way_in", "protection")
    actions = ("wake", "bootstrap_anew", "suspend", "resume", "bar", "retire")
    deeds = DEEDS
    fieldsets = (
        (None, {"fields": ("endpoint", "name", "operator", "subscriber")}),
        (_("States"), {"fields": ("access", "provisioning", "ownership")}),
        (_("How it connects"), {"fields": ("reach", "msisdn", "sms_today", "way_in", "protection")}),
        (
            _("What it says of itself"),
            {"fields": ("manufacturer", "model_number", "serial_number", "firmware_version")},
        ),
        (_("Since"), {"fields": ("created_at", "first_online_at")}),
    )
    change_list_template = "backoffice/devices/list.html"
    change_form_template = "backoffice/devices/device.html"

    class Media:
        css = {"all": ("backoffice/list.css",)}

    def named(self, row: Model) -> str:
        return f"{row.name} ({row.endpoint})" if row.name else row.endpoint

    @admin.display(description=_("Name"), ordering="name")
    def called(self, device: Device) -> str:
        return format_html('<span class="list-clamp">{}</span>', device.name) if device.name else "–"

    @admin.display(description=_("Account"), ordering="subscriber__number")
    def account(self, device: Device) -> str:
        return device.subscriber.number if device.subscriber else "–"

    @admin.display(description=_("SMS today"))
    def sms_today(self, device: Device) -> str:
        return sms.spent_today(device)

    @admin.display(description=_("Onboarding"))
    def way_in(self, device: Device) -> str:
        is_behind = device.reach == Reach.GATEWAY
        return gettext("Through its gateway") if is_behind else device.get_onboarding_display()

    @admin.display(description=_("Security"))
    def protection(self, device: Device) -> str:
        """An end device has none of its own: what protects it is its gateway's."""
        if device.reach != Reach.GATEWAY:
            return device.get_security_display()
        gateway = ways.gateway(device)
        return (
            gettext("That of its gateway: %(security)s")
            % {"security": gateway.get_security_display().lower()}
            if gateway
            else gettext("That of its gateway")
        )

    @admin.display(description=_("Now"))
    def session(self, device: Device) -> str:
        return present.of(device, timezone.now(), getattr(device, "refusal", None)).words

    @admin.display(description=_("Last seen"), empty_value=_("never"))
    def last_seen(self, device: Device) -> Any:
        registration = ways.registration(device)
        return registration.last_seen_at if registration else None

    def get_changelist_instance(self, request: HttpRequest) -> Any:
        """Who is refused at the door is read once for the page."""
        page = super().get_changelist_instance(request)
        refused = present.refusals(page.result_list, timezone.now())
        for device in page.result_list:
            device.refusal = refused.get(device.pk)
        return page

    def get_list_display(self, request: HttpRequest) -> tuple[str, ...]:
        """Without the operator for whoever works for one alone."""
        operators = tenancy.operator_ids(request.user)
        is_one = operators is not None and len(operators) == 1
        return tuple(name for name in self.list_display if not (is_one and name == "operator"))

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[Device], search_term: str
    ) -> tuple[QuerySet[Device], bool]:
        return search.found(queryset, search_term), False

    def add_view(
        self, request: HttpRequest, form_url: str = "", extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        return adding.add(self, request)

    def has_change_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        """For actions on the list; the page of a device is to be read."""
        return obj is None and super().has_change_permission(request)

    def has_delete_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return False  # retired instead: the ledger refers to it

    def get_urls(self) -> list[URLPattern]:
        board = path("board/", self.admin_site.admin_view(self.board), name="inventory_device_board")
        return [
            board,
            *management_urls(self),
            *correction_urls(self),
            *adding.urls(self),
            *super().get_urls(),
        ]

    def board(self, request: HttpRequest) -> HttpResponse:
        return board_view(self, request)

    def changelist_view(
        self, request: HttpRequest, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        extra = {"title": gettext("Devices"), **(extra_context or {})}
        return super().changelist_view(request, extra)

    def change_view(
        self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: dict | None = None
    ) -> HttpResponse:
        device = self.get_object(request, object_id)
        extra: dict[str, Any] = {}
        if device is not None:
            extra = {
                **device_facts(device, request.user),
                "may_correct": may_correct(request.user, device),
                "near_miss": near_misses.of(device, timezone.now()),
                "key_url": adding.kept_key(request, device),
            }
        return super().change_view(request, object_id, form_url, {**extra, **(extra_context or {})})

    def history_view(
        self, request: HttpRequest, object_id: str, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        """The ledger's: this site itself changes no device."""
        device = self.get_object(request, object_id)
        place = _url("support-device", device.pk) if device else ""
        if not place or not request.user.has_perm("audit.view_ledgerevent", device):
            return super().history_view(request, object_id, extra_context)
        return HttpResponseRedirect(place)

    @admin.action(description=_("Wake by SMS …"), permissions=["change"])
    def wake(self, request: HttpRequest, queryset: QuerySet) -> HttpResponse | None:
        return ask_and_do(self, request, queryset, "wake")

    @admin.action(description=_("Have them bootstrap, by SMS …"), permissions=["change"])
    def bootstrap_anew(self, request: HttpRequest, queryset: QuerySet) -> HttpResponse | None:
        return ask_and_do(self, request, queryset, "bootstrap_anew")

    @admin.action(description=_("Suspend devices …"), permissions=["change"])
    def suspend(self, request: HttpRequest, queryset: QuerySet) -> HttpResponse | None:
        return ask_and_do(self, request, queryset, "suspend")

    @admin.action(description=_("Resume devices …"), permissions=["change"])
    def resume(self, request: HttpRequest, queryset: QuerySet) -> HttpResponse | None:
        return ask_and_do(self, request, queryset, "resume")

    @admin.action(description=_("Bar devices …"), permissions=["change"])
    def bar(self, request: HttpRequest, queryset: QuerySet) -> HttpResponse | None:
        return ask_and_do(self, request, queryset, "bar")

    @admin.action(description=_("Retire devices …"), permissions=["retire"])
    def retire(self, request: HttpRequest, queryset: QuerySet) -> HttpResponse | None:
        return ask_and_do(self, request, queryset, "retire")

    def has_retire_permission(self, request: HttpRequest) -> bool:
        return self._may(request, "delete", None)


def _url(name: str, *arguments: int) -> str:
    try:
        return reverse(name, args=arguments)
    except NoReverseMatch:
        return ""
