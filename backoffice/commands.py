"""The mailbox in the admin: what was asked of devices and what came of it, to be read."""

from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.contrib.admin.views.main import ChangeList
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _

from audit import people
from backoffice import requesters
from backoffice.scoping import ReadOnlyAdmin
from devices.commands.models import Command


class CommandAdmin(ReadOnlyAdmin):
    operator_path = "device__operator"
    list_display = ("id", "device", "operation", "path", "state", "asked_by", "created_at", "ended_at")
    list_display_links = ("id",)
    list_filter = ("state", "operation")
    list_select_related = ("device",)
    search_fields = ("device__endpoint", "path", "requested_by")
    exclude = ("requested_by",)
    readonly_fields = ("asked_by",)
    code_of_person = "requested_by"

    def get_changelist(self, request: HttpRequest, **kwargs: Any) -> type[ChangeList]:
        return people.NamedList

    @admin.display(description=_("Requested by"))
    def asked_by(self, command: Command) -> str:
        return requesters.words(command.requested_by, people.of_row(command, self.code_of_person))
