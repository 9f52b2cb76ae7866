"""Hangs the page on which a device is managed into the admin of devices."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

from django.http import HttpResponse
from django.urls import URLPattern, path
from django.views.decorators.http import require_GET, require_POST

from backoffice.manage import page


def urls(model_admin: Any) -> list[URLPattern]:
    """`…/devices/device/<id>/manage/` and where its forms go."""

    def view(function: Callable[..., HttpResponse]) -> Callable[..., HttpResponse]:
        return model_admin.admin_site.admin_view(function)

    return [
        path(
            "<int:device_id>/manage/",
            view(require_GET(partial(page.show, model_admin))),
            name="inventory_device_manage",
        ),
        path(
            "<int:device_id>/manage/ask/",
            view(require_POST(partial(page.ask, model_admin))),
            name="inventory_device_manage_ask",
        ),
        path(
            "<int:device_id>/manage/cancel/",
            view(require_POST(partial(page.cancel, model_admin))),
            name="inventory_device_manage_cancel",
        ),
        path(
            "<int:device_id>/manage/awake/",
            view(require_POST(partial(page.set_awake, model_admin))),
            name="inventory_device_manage_awake",
        ),
    ]
