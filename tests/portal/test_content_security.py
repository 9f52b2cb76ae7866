"""Every answer carries the policy; only a page that names its reason may do more. Chromium judges in tests/browser."""

from __future__ import annotations

from typing import Any

import pytest
from django.http import HttpResponse
from django.test import Client, RequestFactory

from accounts.models import User
from m2m_portal.content_security import HEADER, ContentSecurityMiddleware, allowing, policy

pytestmark = pytest.mark.django_db


def directives(response: Any) -> dict[str, str]:
    parts = [part.strip().partition(" ") for part in response.headers[HEADER].split(";")]
    return {name: sources for name, _, sources in parts}


@pytest.mark.parametrize(
    "path",
    [
        "/",
        "/accounts/login/",
        "/admin/",
        "/api/docs/",
        "/api/schema/",
        "/api/v1/operators/",
        "/health/",
        "/nowhere/",
    ],
)
def test_every_answer_has_the_policy(path: str) -> None:
    client = Client()
    client.force_login(User.objects.create_superuser("root@example.com"))
    found = directives(client.get(path))
    assert found["default-src"] == "'none'"
    assert found["script-src"] == found["style-src"] == found["connect-src"] == "'self'"
    assert found["frame-ancestors"] == "'none'"
    assert "unsafe" not in str(found)


def test_one_page_may_do_more_and_still_no_inline_script() -> None:
    found = directives(Client().get("/api/redoc/"))
    assert found["style-src"] == "'self' 'unsafe-inline'"
    assert found["worker-src"] == "blob:"
    assert found["script-src"] == "'self'"


def test_more_stands_behind_what_holds_for_all() -> None:
    assert "img-src 'self' data: https://tiles.example;" in policy({"img-src": "https://tiles.example"})
    view = allowing(img_src="https://tiles.example")(lambda request: HttpResponse())
    middleware = ContentSecurityMiddleware(view)
    answer = middleware(RequestFactory().get("/"))
    assert directives(answer)["img-src"] == "'self' data: https://tiles.example"


def test_errors_for_developers_are_left_alone(settings: Any) -> None:
    middleware = ContentSecurityMiddleware(lambda request: HttpResponse(status=500))
    settings.DEBUG = True
    assert HEADER not in middleware(RequestFactory().get("/")).headers
    settings.DEBUG = False
    assert HEADER in middleware(RequestFactory().get("/")).headers
