"""Whatever body arrives at REST, the answer is a problem in JSON that says what is wrong, for strangers too."""

from __future__ import annotations

import json

import pytest
from django.test import Client
from hypothesis import HealthCheck, given
from hypothesis import settings as property_settings
from hypothesis import strategies as st

pytestmark = pytest.mark.django_db
LOGIN, SIGNUP = "/api/v1/auth/login/", "/api/v1/signup/"


def _post(address: str, body: bytes, content_type: str = "application/json", **more: str):
    return Client(raise_request_exception=False).post(address, body, content_type=content_type, **more)


@pytest.mark.parametrize("address", [LOGIN, SIGNUP])
@pytest.mark.parametrize(
    "body",
    [
        b"[" * 200_000 + b"]" * 200_000,
        b'{"a":' * 200_000 + b"1" + b"}" * 200_000,
        b"[" * 200_000,
        b"[" * 65 + b"]" * 65,
        b'{"email":"\\ud800"}',
        b'{"email":"a\\u0000@example.com"}',
        b'{"\\u0000":1}',
        b"\xff\xfe",
        b"9" * 10_000,
        b"NaN",
        b"",
        b"null",
        b"[]",
        b'"text"',
        b"12",
    ],
    ids=lambda body: repr(body[:18]),
)
def test_a_body_that_is_no_form_is_400(address: str, body: bytes) -> None:
    answer = _post(address, body)
    assert answer.status_code == 400, answer.content[:200]
    assert answer.json()["detail"]


@pytest.mark.parametrize(
    "content_type",
    ["application/json", "application/x-www-form-urlencoded", "multipart/form-data; boundary=x"],
)
def test_a_body_over_the_limit_is_a_problem_too(content_type: str) -> None:
    body = b'{"email":"' + b"a" * 3_000_000 + b'"}'
    if "multipart" in content_type:
        body = b'--x\r\nContent-Disposition: form-data; name="email"\r\n\r\n' + body + b"\r\n--x--\r\n"
    answer = _post(LOGIN, body, content_type)
    assert (answer.status_code, answer.json()["code"]) == (413, "REQUEST_TOO_LARGE")


@pytest.mark.parametrize(
    ("content_type", "body"),
    [
        ("multipart/form-data", b"x"),
        ("multipart/form-data; boundary=", b"x"),
        ("multipart/form-data; boundary=x", b"--x\r\nnonsense"),
        ("application/x-www-form-urlencoded", b"&".join(b"a%d=1" % n for n in range(2000))),
    ],
)
def test_a_damaged_body_is_a_problem(content_type: str, body: bytes) -> None:
    answer = _post(LOGIN, body, content_type)
    assert 400 <= answer.status_code < 500
    assert set(answer.json()) >= {"code", "detail"}


@pytest.mark.parametrize(("path", "kind"), [("/api/v1/operators/", "application/json"), ("/", "text/html")])
def test_a_foreign_host_name_is_told_in_the_form_that_was_asked_for(path: str, kind: str) -> None:
    answer = Client().get(path, headers={"host": "elsewhere.example"})
    assert answer.status_code == 400
    assert answer["Content-Type"].startswith(kind)


_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=10,
)


@property_settings(
    max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(body=st.one_of(st.binary(max_size=64), _values.map(lambda value: json.dumps(value).encode())))
def test_no_body_breaks_a_door(body: bytes) -> None:
    assert _post(SIGNUP, body).status_code in (400, 429)
