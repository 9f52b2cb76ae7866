"""Walks every registered admin and every REST route as people of another operator, who must find nothing.

A new admin or route takes part by being there. It fails here until a row of its model stands in
`tests/accounts/marked_rows.py` and until foreign people do not see that row. Every string of the foreign operator
carries MARK, so a leak through a filter, a form's choices or an error message is found as well.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any
from urllib.parse import quote

import pytest
from django.contrib import admin
from django.db.models import Model
from django.test import Client
from django.urls import URLPattern, get_resolver, reverse
from knox.models import AuthToken
from rest_framework.test import APIClient

from accounts.models import Operator, Subscriber, User
from accounts.roles import Role
from accounts.services import operators, staff, subscribers
from devices.inventory.models import Device
from tests.accounts.marked_rows import MARK, RESOURCE, ROWS

pytestmark = pytest.mark.django_db

PUBLIC = {"api/v1/operators/": "people choose an operator before they have an account"}
OF_THE_CALLER = {"api/v1/me/": "shows the caller, whoever that is"}


# -- people ------------------------------------------------------------------------------------------------------


@pytest.fixture
def rows() -> dict[type[Model], Model]:
    """One row of the marked operator in every registered model."""
    operator = operators.create(slug=MARK, name=f"{MARK} Telecom", description=MARK)
    missing = [model._meta.label for model in admin.site._registry if model not in ROWS]
    assert not missing, f"add to tests/accounts/marked_rows.py a row of {', '.join(missing)}"
    return {model: make(operator) for model, make in ROWS.items()}


@pytest.fixture
def other() -> Operator:
    return operators.create(slug="southsea", name="Southsea Mobile")


@pytest.fixture(params=[*Role.values, "all roles", "subscriber"])
def foreigner(request: pytest.FixtureRequest, other: Operator) -> User:
    """Staff of another operator in each role, with different roles in two, and somebody else's subscriber."""
    user = User.objects.create_user("foreign@southsea.example")
    if request.param == "subscriber":
        subscribers.open_account(user=user, operator=other)
    elif request.param == "all roles":
        third = operators.create(slug="third", name="Third Operator")
        staff.grant(user=user, operator=other, role=Role.ADMINISTRATOR)
        staff.grant(user=user, operator=third, role=Role.AUDITOR)
    else:
        staff.grant(user=user, operator=other, role=request.param)
    return User.objects.get(pk=user.pk)


@pytest.fixture
def root() -> User:
    return User.objects.create_superuser("root@example.com")


# -- the admin ---------------------------------------------------------------------------------------------------


def admin_pages(model: type[Model], pk: Any) -> Iterator[str]:
    name = f"admin:{model._meta.app_label}_{model._meta.model_name}"
    yield from (reverse(f"{name}_changelist"), f"{reverse(f'{name}_changelist')}?q={MARK}")
    yield reverse(f"{name}_add")
    for page in ("change", "delete", "history"):
        yield reverse(f"{name}_{page}", args=[quote(str(pk), safe="")])


def own_pages() -> Iterator[str]:
    """What admins add to the site by themselves, and what belongs to no model."""
    yield from ("/admin/", f"/admin/inventory/device/board/?q={MARK}", "/admin/inventory/device/board/")
    for model_admin in admin.site._registry.values():
        standard = ("changelist", "add", "change", "delete", "history")
        for pattern in model_admin.get_urls():
            if pattern.name and not pattern.name.endswith(standard) and not pattern.pattern.converters:
                yield reverse(f"admin:{pattern.name}")


def leaks(response: Any) -> bool:
    """Whether MARK stands in the answer other than as the words that were searched for."""
    if response.status_code >= 500:
        return True
    text = response.content.decode(errors="replace").lower()
    for echo in (f"q={MARK}", f"q%3d{MARK}", f'value="{MARK}"'):
        text = text.replace(echo, "")
    return MARK in text


def test_the_admin_hides_foreign_rows(rows, foreigner):
    client = Client()
    client.force_login(foreigner)
    found = []
    for model in admin.site._registry:
        for page in admin_pages(model, rows[model].pk):
            response = client.get(page)
            if leaks(response) or (
                page.endswith(("/change/", "/delete/", "/history/")) and response.status_code == 200
            ):
                found.append(f"{page} {response.status_code}")
    found += [page for page in own_pages() if leaks(client.get(page))]
    assert not found


def test_the_admin_offers_no_foreign_row_to_complete(rows, foreigner):
    """Autocomplete answers JSON for every relation of every admin."""
    client = Client()
    client.force_login(foreigner)
    for model in admin.site._registry:
        for field in model._meta.fields:
            if field.remote_field is not None:
                query = {
                    "app_label": model._meta.app_label,
                    "model_name": model._meta.model_name,
                    "field_name": field.name,
                    "term": MARK,
                }
                assert not leaks(client.get(reverse("admin:autocomplete"), query)), field


def test_the_admin_takes_no_foreign_row_in_a_post(rows, foreigner):
    client = Client()
    client.force_login(foreigner)
    for model, model_admin in admin.site._registry.items():
        target = rows[model]
        before = model.objects.filter(pk=target.pk).values().get()
        name = f"admin:{model._meta.app_label}_{model._meta.model_name}"
        for page in ("change", "delete"):
            answer = client.post(
                reverse(f"{name}_{page}", args=[quote(str(target.pk), safe="")]), {"post": "yes"}
            )
            assert answer.status_code in (302, 403, 404), (model, page)
        for action in model_admin.actions:
            name_of_action = action if isinstance(action, str) else action.__name__
            data = {"action": name_of_action, "_selected_action": [str(target.pk)], "reason": "mine now"}
            assert not leaks(client.post(reverse(f"{name}_changelist"), data)), (model, action)
        assert model.objects.filter(pk=target.pk).values().get() == before, model


def test_the_walk_would_see_the_rows(rows, root):
    client = Client()
    client.force_login(root)
    for model in admin.site._registry:
        page = reverse(f"admin:{model._meta.app_label}_{model._meta.model_name}_changelist")
        assert MARK in client.get(page).content.decode().lower(), model


# -- REST --------------------------------------------------------------------------------------------------------


def rest_routes(patterns: Any = None, prefix: str = "") -> Iterator[tuple[str, URLPattern]]:
    for pattern in get_resolver().url_patterns if patterns is None else patterns:
        route = prefix + str(pattern.pattern).replace("^", "").replace("$", "")
        if hasattr(pattern, "url_patterns"):
            yield from rest_routes(pattern.url_patterns, route)
        elif route.startswith("api/v1/"):
            yield route, pattern


def parameters(pattern: URLPattern) -> list[str]:
    return [*pattern.pattern.converters, *getattr(pattern.pattern.regex, "groupindex", {})]


def methods(pattern: URLPattern) -> list[str]:
    actions = getattr(pattern.callback, "actions", None) or {}
    return list(actions) or [
        name for name in pattern.callback.cls.http_method_names if hasattr(pattern.callback.cls, name)
    ]


def address(pattern: URLPattern, route: str, rows: dict[type[Model], Model]) -> str:
    """The route with the marked row of the view's model in it, and the marked device where it is of one."""
    cls = pattern.callback.cls
    target = rows[cls.queryset.model]
    field = "pk" if cls.lookup_field == "pk" else cls.lookup_field
    names = list(dict.fromkeys(parameters(pattern)))
    of_device = (
        {"endpoint": rows[Device].endpoint, "path": RESOURCE.strip("/")} if "endpoint" in names else {}
    )
    for name in names:
        value = quote(str(of_device.get(name) or getattr(target, field)), safe="/" if name == "path" else "")
        route = reverse_of(route, name, value)
    return "/" + route


def reverse_of(route: str, name: str, value: str) -> str:
    """`jobs/(?P<pk>[^/.]+)/` or `devices/<endpoint:endpoint>/` with the value in place of that parameter."""
    if f"(?P<{name}>" in route:
        opening = route.index(f"(?P<{name}>")
        closing = _end_of_group(route, opening)
    else:
        opening = max(
            route.find(f"<{kind}:{name}>") for kind in ("endpoint", "resource", "int", "str", "slug")
        )
        closing = route.index(">", opening)
    return route[:opening] + value + route[closing + 1 :]


def _end_of_group(route: str, opening: int) -> int:
    depth = 0
    for position in range(opening, len(route)):
        depth += {"(": 1, ")": -1}.get(route[position], 0)
        if depth == 0:
            return position
    raise AssertionError(route)


def test_rest_hides_foreign_rows(rows, foreigner):
    client = APIClient()
    client.force_authenticate(foreigner, AuthToken.objects.create(user=foreigner)[0])
    found = []
    for route, pattern in rest_routes():
        if route in PUBLIC:
            continue
        is_detail = bool(parameters(pattern))
        path = address(pattern, route, rows) if is_detail else f"/{route}"
        for method in methods(pattern):
            response = client.generic(method.upper(), path)
            allowed = (403, 404, 405) if is_detail else range(200, 500)
            if leaks(response) or response.status_code not in allowed:
                found.append(f"{method} {path} {response.status_code}")
        if not is_detail and "get" in methods(pattern) and leaks(client.get(path, {"q": MARK})):
            found.append(f"{path}?q={MARK}")
    assert not found


def test_rest_tells_strangers_nothing(rows):
    client = APIClient()
    for route, pattern in rest_routes():
        if route in PUBLIC:
            continue
        path = address(pattern, route, rows) if parameters(pattern) else f"/{route}"
        response = client.get(path)
        assert response.status_code in (401, 405), route
        assert not leaks(response), route


def test_the_walk_would_see_the_rows_over_rest(rows, root):
    client = APIClient()
    client.force_authenticate(root)
    for route, pattern in rest_routes():
        if "get" not in methods(pattern) or route in OF_THE_CALLER:
            continue
        path = address(pattern, route, rows) if parameters(pattern) else f"/{route}"
        response = client.get(path)
        assert response.status_code == 200, route
        if not route.endswith("timeline/"):
            assert MARK in response.content.decode().lower(), route


def test_the_owner_sees_their_own_over_rest(rows):
    """The subscriber's own lists work, so that hiding is not all they do."""
    client = APIClient()
    client.force_authenticate(rows[Subscriber].user)
    for path in (
        "/api/v1/devices/",
        "/api/v1/registrations/",
        "/api/v1/jobs/",
        "/api/v1/bootstrap-sessions/",
    ):
        assert MARK in client.get(path).content.decode(), path
    for path in ("/api/v1/knocks/", "/api/v1/audit/events/"):
        assert client.get(path).status_code == 403, path
