"""Walks every registered admin and every REST route as people of another operator, who must find nothing.

A new admin or route takes part by being there. It fails here until a row of its model stands in `ROWS` and until
foreign people do not see that row. Every string of the foreign operator carries MARK, so a leak through a filter,
a form's choices or an error message is found as well.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import timedelta
from typing import Any
from urllib.parse import quote

import pytest
from allauth.account.models import EmailAddress
from django.contrib import admin
from django.db.models import Model
from django.test import Client
from django.urls import URLPattern, get_resolver, reverse
from django.utils import timezone
from knox.models import AuthToken
from rest_framework.test import APIClient

from accounts.models import Operator, StaffMembership, Subscriber, User
from accounts.roles import Role
from accounts.services import operators, staff, subscribers
from audit import ledger
from audit.models import LedgerEvent
from devices.models import Command, Device, Knock, Registration, RegistrationDetail
from provisioning.models import BootstrapProfile, BootstrapSession, Job

pytestmark = pytest.mark.django_db

MARK = "northmark"
PUBLIC = {"api/v1/operators/": "people choose an operator before they have an account"}
OF_THE_CALLER = {"api/v1/me/": "shows the caller, whoever that is"}
ROWS: dict[type[Model], Callable[[Operator], Model]] = {}


def row(model: type[Model]) -> Callable[[Callable[[Operator], Model]], Callable[[Operator], Model]]:
    def keep(make: Callable[[Operator], Model]) -> Callable[[Operator], Model]:
        ROWS[model] = make
        return make

    return keep


def person(email: str) -> User:
    user, _ = User.objects.get_or_create(email=email, defaults={"name": f"{MARK} {email.split('@')[0]}"})
    return user


row(Operator)(lambda operator: operator)
row(User)(lambda operator: person(f"sub@{MARK}.example"))


@row(Subscriber)
def _subscriber(operator: Operator) -> Subscriber:
    user = person(f"sub@{MARK}.example")
    return Subscriber.objects.filter(user=user).first() or subscribers.open_account(
        user=user, operator=operator
    )


@row(StaffMembership)
def _membership(operator: Operator) -> StaffMembership:
    return staff.grant(user=person(f"staff@{MARK}.example"), operator=operator, role=Role.ADMINISTRATOR)


@row(EmailAddress)
def _address(operator: Operator) -> EmailAddress:
    email = f"sub@{MARK}.example"
    return EmailAddress.objects.get_or_create(user=person(email), email=email, primary=True, verified=True)[0]


@row(AuthToken)
def _token(operator: Operator) -> AuthToken:
    return AuthToken.objects.create(user=person(f"sub@{MARK}.example"))[0]


@row(Device)
def _device(operator: Operator) -> Device:
    made, _ = Device.objects.get_or_create(
        endpoint=f"urn:dev:{MARK}/1",
        defaults={"operator": operator, "name": f"{MARK} meter", "subscriber": _subscriber(operator)},
    )
    return made


@row(Registration)
def _registration(operator: Operator) -> Registration:
    now = timezone.now()
    device = _device(operator)
    RegistrationDetail.objects.get_or_create(device=device, version="1.1", binding="U")
    return Registration.objects.get_or_create(
        device=device,
        registration_id=f"{MARK}rd",
        defaults={
            "transport": "udp",
            "host": "192.0.2.1",
            "port": 5683,
            "flow": "southbound.1.x",
            "lifetime_seconds": 3600,
            "registered_at": now,
            "last_seen_at": now,
            "expires_at": now + timedelta(hours=1),
        },
    )[0]


@row(Command)
def _command(operator: Operator) -> Command:
    return Command.objects.create(
        device=_device(operator),
        operation="read",
        path="/3/0",
        requested_by=f"user:{MARK}",
        expires_at=timezone.now() + timedelta(hours=1),
    )


@row(Knock)
def _knock(operator: Operator) -> Knock:
    Knock.objects.create(
        plane="bootstrap", cause="ENDPOINT_UNKNOWN", claimed_name=f"{MARK}-nobody", host="192.0.2.3"
    )
    return Knock.objects.create(
        plane="management",
        cause="PSK_MISMATCH",
        claimed_name=f"{MARK}-knock",
        host="192.0.2.2",
        device=_device(operator),
        operator=operator,
    )


@row(LedgerEvent)
def _event(operator: Operator) -> LedgerEvent:
    ledger.record(action="device.added", operator_id=operator.pk, target=f"{MARK} device")
    return LedgerEvent.objects.order_by("-id").first()


@row(BootstrapProfile)
def _profile(operator: Operator) -> BootstrapProfile:
    return BootstrapProfile.objects.create(operator=operator, name=f"{MARK} profile")


@row(Job)
def _job(operator: Operator) -> Job:
    return Job.objects.create(operator=operator, device=_device(operator), requested_by=MARK, reason=MARK)


@row(BootstrapSession)
def _session(operator: Operator) -> BootstrapSession:
    return BootstrapSession.objects.create(
        operator=operator,
        device=_device(operator),
        transport="dtls",
        host="192.0.2.4",
        port=1,
        content_format=11542,
        detail=MARK,
    )


# -- people ------------------------------------------------------------------------------------------------------


@pytest.fixture(autouse=True)
def _clean(settings: Any) -> None:
    settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]


@pytest.fixture
def rows() -> dict[type[Model], Model]:
    """One row of the marked operator in every registered model."""
    operator = operators.create(slug=MARK, name=f"{MARK} Telecom", description=MARK)
    missing = [model._meta.label for model in admin.site._registry if model not in ROWS]
    assert not missing, f"add a row to ROWS in this file for {', '.join(missing)}"
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
    yield from ("/admin/", f"/admin/devices/device/board/?q={MARK}", "/admin/devices/device/board/")
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
    """The route with the marked row of the view's model in it."""
    cls = pattern.callback.cls
    target = rows[cls.queryset.model]
    field = "pk" if cls.lookup_field == "pk" else cls.lookup_field
    value = quote(str(getattr(target, field)), safe="")
    named = dict.fromkeys(parameters(pattern), value)
    assert len(named) == 1, f"{route} has several parameters: teach this test to fill them"
    return "/" + reverse_of(route, value)


def reverse_of(route: str, value: str) -> str:
    """`jobs/(?P<pk>[^/.]+)/` or `devices/<path:endpoint>/` with the value in place of its parameter."""
    opening = route.index("(?P<") if "(?P<" in route else route.index("<")
    closing = route.index(")", opening) if "(?P<" in route else route.index(">", opening)
    return route[:opening] + value + route[closing + 1 :]


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
