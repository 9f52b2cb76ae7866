"""Limits for whoever is not signed in: a header that the client made up does not make it another client."""

from __future__ import annotations

import os
from collections.abc import Callable

import pytest
from django.core import mail
from django.core.cache import CacheHandler
from django.test import Client, RequestFactory
from rest_framework.test import APIClient

from accounts.models import Operator
from api.throttles import ByClient
from audit.middleware import client_source
from tests.accounts.conftest import PASSWORD

TRIES = 25


@pytest.fixture
def three_a_minute(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ByClient, "THROTTLE_RATES", {"login": "3/min", "signup": "3/min"})


def _forged(count: int, real: str | None) -> list[str]:
    return [", ".join(filter(None, (f"10.9.{number}.1", real))) for number in range(count)]


@pytest.mark.django_db
@pytest.mark.parametrize(("proxies", "real"), [(0, None), (0, "203.0.113.7"), (1, "203.0.113.7")])
@pytest.mark.parametrize("address", ["/api/v1/signup/", "/api/v1/auth/login/"])
def test_a_forged_header_evades_no_limit_of_rest(
    three_a_minute: None, north: Operator, settings: object, address: str, proxies: int, real: str | None
) -> None:
    settings.TRUSTED_PROXY_COUNT = proxies
    seen = []
    for number, header in enumerate(_forged(6, real)):
        body = {"email": f"a{number}@example.com", "password": PASSWORD, "operator": "northwind"}
        seen.append(APIClient().post(address, body, HTTP_X_FORWARDED_FOR=header).status_code)
    assert seen[3:] == [429] * 3
    assert 429 not in seen[:3]


@pytest.mark.django_db
def test_clients_behind_our_proxy_have_a_limit_each(three_a_minute: None, settings: object) -> None:
    settings.TRUSTED_PROXY_COUNT = 1
    for number in range(6):
        body = {"email": f"d{number}@example.com", "password": PASSWORD}
        answer = APIClient().post("/api/v1/auth/login/", body, HTTP_X_FORWARDED_FOR=f"198.51.100.{number}")
        assert answer.status_code == 401


@pytest.mark.django_db
@pytest.mark.parametrize("proxies", [0, 1])
def test_the_pages_count_wrong_passwords_by_the_same_address(settings: object, proxies: int) -> None:
    """allauth allows ten wrong passwords a minute from one place; then the form says so."""
    settings.TRUSTED_PROXY_COUNT = proxies
    said = []
    for number, header in enumerate(_forged(TRIES, "203.0.113.7" if proxies else None)):
        form = {"login": f"b{number}@example.com", "password": "not the password"}
        said.append(Client().post("/accounts/login/", form, HTTP_X_FORWARDED_FOR=header).content.decode())
    assert "Too many failed login attempts" in said[-1]
    assert "Too many failed login attempts" not in said[0]


@pytest.mark.django_db
def test_one_strangers_wrong_passwords_lock_nobody_else_out(
    settings: object, person: Callable[..., object]
) -> None:
    settings.TRUSTED_PROXY_COUNT = 1
    person("ann@example.com")
    for number in range(TRIES):
        form = {"login": f"c{number}@example.com", "password": "not the password"}
        Client().post("/accounts/login/", form, HTTP_X_FORWARDED_FOR="203.0.113.7")
    form = {"login": "ann@example.com", "password": PASSWORD}
    answer = Client().post("/accounts/login/", form, HTTP_X_FORWARDED_FOR="198.51.100.1")
    assert answer.status_code == 302


@pytest.mark.parametrize(
    ("address", "source"),
    [
        ("192.0.2.7", "192.0.2.7"),
        ("2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64"),
        ("2001:db8:1:2::99", "2001:db8:1:2::/64"),
        ("", "unknown"),
    ],
)
def test_a_limit_counts_an_address_or_a_network_of_ipv6(address: str, source: str) -> None:
    assert client_source(RequestFactory(REMOTE_ADDR=address).get("/")) == source


@pytest.mark.skipif(not os.environ.get("REDIS_URL"), reason="limits are shared through Redis alone")
def test_two_processes_count_together() -> None:
    place = {
        "BACKEND": "django.core.cache.backends.redis.RedisCache",
        "LOCATION": os.environ["REDIS_URL"],
        "KEY_PREFIX": f"test{os.getpid()}",
    }
    here, there = (CacheHandler({"default": place})["default"] for _ in range(2))
    here.set("limit", 1, 60)
    there.incr("limit")
    assert here.get("limit") == 2
    here.delete("limit")


@pytest.mark.django_db
def test_a_known_address_is_not_flooded_with_mails(north: Operator, person: Callable[..., object]) -> None:
    person("ann@example.com")
    for address in ("ann@example.com", "Ann@example.com") * 3:
        body = {"email": address, "password": PASSWORD, "operator": "northwind"}
        assert APIClient().post("/api/v1/signup/", body).status_code == 202
    assert len(mail.outbox) == 1
