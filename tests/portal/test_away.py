"""A database that is absent, full or read-only: 503 and when to come back at every door, and `/health/` says so."""

from __future__ import annotations

import logging
import sqlite3
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest
from allauth.account.models import EmailAddress
from django.core.cache import cache
from django.db import DataError, IntegrityError, InternalError, OperationalError, connection
from django.test import Client
from redis.exceptions import ConnectionError as RedisAway
from rest_framework.test import APIClient

from accounts.models import User
from accounts.services import operators
from audit import away
from m2m_portal import health
from m2m_portal.quiet_logs import RequestFaults

DOORS = (
    "/",
    "/accounts/login/",
    "/devices/",
    "/admin/",
    "/support/",
    "/api/v1/devices/",
    "/api/v1/operators/",
)
PASSWORD = "correct horse battery"


@pytest.fixture(autouse=True)
def look_anew() -> Iterator[None]:
    health.forget()
    cache.clear()
    yield
    health.forget()


@pytest.fixture
def absent(monkeypatch: pytest.MonkeyPatch) -> None:
    """Every statement fails, as when nobody listens at the database's port."""

    def execute(*args: object, **more: object) -> None:
        raise OperationalError("connection refused")

    monkeypatch.setattr("django.db.backends.utils.CursorWrapper.execute", execute)


@pytest.fixture
def unwritable(transactional_db: None) -> Iterator[None]:
    """Reads succeed, writes do not."""
    sqlite = connection.vendor == "sqlite"
    with connection.cursor() as cursor:
        cursor.execute("PRAGMA query_only = 1" if sqlite else "SET default_transaction_read_only = on")
    yield
    with connection.cursor() as cursor:
        cursor.execute("PRAGMA query_only = 0" if sqlite else "SET default_transaction_read_only = off")


def _client() -> Client:
    return Client(
        raise_request_exception=False, headers={"cookie": "sessionid=abcdefghijklmnopqrstuvwxyz012345"}
    )


@pytest.mark.django_db
@pytest.mark.parametrize("door", DOORS)
def test_an_absent_database_is_503_and_when_to_come_back(absent: None, door: str) -> None:
    answer = _client().get(door)
    if door == "/accounts/login/" and answer.status_code == 200:
        pytest.fail("the page reads a session, which the database has")
    assert answer.status_code == 503, answer.content[:300]
    assert int(answer["Retry-After"]) > 0
    if door.startswith("/api/"):
        assert answer.json()["code"] == away.CODE
    else:
        page = answer.content.decode()
        assert "cannot reach its store" in page
        assert answer["X-Request-Id"] in page


@pytest.fixture
def somebody(transactional_db: None) -> User:
    operators.create(slug="northwind", name="Northwind")
    user = User.objects.create_user("ann@example.com", PASSWORD)
    EmailAddress.objects.create(user=user, email=user.email, primary=True, verified=True)
    return user


def test_a_read_only_database_is_503_where_something_is_written(somebody: User, unwritable: None) -> None:
    login = {"email": somebody.email, "password": PASSWORD}
    answers = [
        APIClient(raise_request_exception=False).post("/api/v1/auth/login/", login),
        APIClient(raise_request_exception=False).post(
            "/api/v1/signup/", {"email": "b@example.com", "password": PASSWORD, "operator": "northwind"}
        ),
        _client().post("/accounts/login/", {"login": somebody.email, "password": PASSWORD}),
    ]
    assert [(answer.status_code, answer["Retry-After"]) for answer in answers] == [(503, "10")] * 3
    assert APIClient().get("/api/v1/operators/").status_code == 200


def test_health_says_that_the_database_cannot_be_written(unwritable: None) -> None:
    answer = Client().get("/health/")
    assert (answer.status_code, answer["Retry-After"]) == (503, "10")
    assert answer.json()["status"] == "database cannot be written"
    assert Client().get("/health/live/").status_code == 200


def test_health_is_well_again_when_the_database_is(transactional_db: None) -> None:
    answer = Client().get("/health/")
    assert (answer.status_code, answer.json()["status"]) == (200, "ok")


@pytest.mark.django_db
def test_health_of_an_absent_database(absent: None) -> None:
    assert Client().get("/health/").status_code == 503


@pytest.mark.django_db
@pytest.mark.parametrize("door", ["/health/", "/health/live/"])
def test_a_probe_by_address_and_without_tls_is_answered(settings: object, door: str) -> None:
    settings.SECURE_SSL_REDIRECT = True
    settings.ALLOWED_HOSTS = ["portal.example"]
    assert Client().get(door, headers={"host": "10.0.0.7:8000"}).status_code == 200


@pytest.mark.django_db
def test_probes_that_come_often_ask_the_database_once(
    django_assert_max_num_queries: object, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(health, "KEEP_SECONDS", 3600.0)  # however busy the machine is
    with django_assert_max_num_queries(6):
        for _ in range(50):
            Client().get("/health/")


def test_without_its_cache_the_portal_is_degraded_and_ready(
    db: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    def get(*args: object) -> None:
        raise RedisAway("refused")

    monkeypatch.setattr(health, "cache", type("Cache", (), {"get": staticmethod(get)}))
    answer = Client().get("/health/")
    assert (answer.status_code, answer.json()["status"]) == (200, "degraded")


def _read_only() -> InternalError:
    error = InternalError("cannot execute INSERT in a read-only transaction")
    error.__cause__ = psycopg.errors.ReadOnlySqlTransaction("cannot execute INSERT")
    return error


@pytest.mark.parametrize(
    ("error", "expected"),
    [
        (OperationalError("database or disk is full"), True),
        (OperationalError("attempt to write a readonly database"), True),
        (_read_only(), True),
        (RedisAway("Connection refused"), True),
        (InternalError("current transaction is aborted"), False),
        (IntegrityError("UNIQUE constraint failed"), False),
        (DataError("value too long"), False),
        (ValueError("ours"), False),
        (None, False),
    ],
)
def test_what_is_the_stores_state_and_what_is_our_fault(error: Exception | None, expected: bool) -> None:
    assert away.is_away(error) is expected


def test_a_full_disk_is_told_by_sqlite_as_we_read_it(tmp_path: Path) -> None:
    file = sqlite3.connect(tmp_path / "full.sqlite3")
    file.execute("CREATE TABLE t (x BLOB)")
    file.execute("PRAGMA max_page_count = 3")
    with pytest.raises(sqlite3.OperationalError, match="full") as caught:
        file.execute("INSERT INTO t VALUES (zeroblob(100000))")
    file.close()
    wrapped = OperationalError(*caught.value.args)
    assert away.is_away(wrapped)


def _record(error: Exception, status: int, name: str = "django.request") -> logging.LogRecord:
    record = logging.LogRecord(name, logging.ERROR, "", 0, "said %s", ("/x",), (type(error), error, None))
    record.status_code = status
    return record


def test_a_store_that_is_away_is_one_line_a_minute() -> None:
    told = RequestFaults()
    records = [_record(OperationalError("full"), status) for status in (500, 503, 500)]
    assert [told.filter(record) for record in records] == [True, False, False]
    assert records[0].exc_info is None
    assert "store_away" in records[0].getMessage()


@pytest.mark.parametrize("name", ["django.request", "django.security.DisallowedHost"])
def test_a_refusal_logs_no_traceback_and_a_fault_of_ours_does(name: str) -> None:
    told = RequestFaults()
    refusal, fault = _record(PermissionError(), 403, name), _record(ValueError(), 500, name)
    assert told.filter(refusal)
    assert told.filter(fault)
    assert refusal.exc_info is None
    assert fault.exc_info is not None
