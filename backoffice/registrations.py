"""Registrations in the admin, to be read."""

from __future__ import annotations

from backoffice.scoping import ReadOnlyAdmin


class RegistrationAdmin(ReadOnlyAdmin):
    operator_path = "device__operator"
    list_display = (
        "device",
        "is_live",
        "transport",
        "host",
        "port",
        "lifetime_seconds",
        "last_seen_at",
        "expires_at",
    )
    list_filter = ("is_live", "transport", "queue_mode")
    list_select_related = ("device",)
    search_fields = ("device__endpoint", "registration_id", "host")
    ordering = ("-device_id",)
