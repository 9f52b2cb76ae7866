"""Sign-up, tokens and `me/` over REST."""

from __future__ import annotations

import pytest
from django.core import mail
from knox.models import AuthToken
from rest_framework.test import APIClient

from accounts.models import Subscriber, User
from accounts.roles import Role
from accounts.services import operators, people
from audit import causes
from audit.models import LedgerEvent
from tests.accounts.conftest import PASSWORD

pytestmark = pytest.mark.django_db
LOGIN = {"email": "sam@example.com", "password": PASSWORD}


@pytest.fixture
def api() -> APIClient:
    return APIClient()


def test_operators_are_public_and_only_the_open_ones(api, north, south):
    operators.change(operator=south, changes={"is_open_for_signup": False})
    answer = api.get("/api/v1/operators/")
    assert [row["slug"] for row in answer.json()["results"]] == ["northwind"]
    assert set(answer.json()["results"][0]) == {"slug", "name", "description"}


def test_signing_up_and_confirming(api, north):
    body = {"email": "Nia@example.com", "password": PASSWORD, "operator": "northwind", "name": "Nia"}
    answer = api.post("/api/v1/signup/", body)
    assert answer.status_code == 202
    assert Subscriber.objects.get(user__email="nia@example.com").operator == north
    assert "/accounts/confirm-email/" in mail.outbox[0].body
    login = {"email": "nia@example.com", "password": PASSWORD}
    refused = api.post("/api/v1/auth/login/", login)
    assert (refused.status_code, refused.json()["code"]) == (403, "EMAIL_UNCONFIRMED")


def test_a_known_address_gets_the_same_answer(api, subscriber):
    body = {"email": "sam@example.com", "password": PASSWORD, "operator": "northwind"}
    known = api.post("/api/v1/signup/", body)
    unknown = api.post("/api/v1/signup/", {**body, "email": "new@example.com"})
    assert (known.status_code, known.json()) == (unknown.status_code, unknown.json())
    assert mail.outbox[0].subject == "You already have an account"


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"operator": "nowhere"}, "operator"),
        ({"password": "short"}, "password"),
        ({"password": "sam@example.com"}, "password"),
        ({"email": "no address"}, "email"),
    ],
)
def test_what_is_wrong_is_named(api, north, change, field):
    body = {"email": "sam@example.com", "password": PASSWORD, "operator": "northwind", **change}
    answer = api.post("/api/v1/signup/", body)
    assert answer.status_code == 400
    assert answer.json()["code"] == "VALIDATION_FAILED"
    assert list(answer.json()["fields"]) == [field]


def test_the_life_of_a_token(api, subscriber, north):
    answer = api.post("/api/v1/auth/login/", LOGIN).json()
    assert set(answer) == {"token", "expiry", "user"}
    assert answer["user"]["email"] == "sam@example.com"
    api.credentials(HTTP_AUTHORIZATION=f"Token {answer['token']}")
    me = api.get("/api/v1/me/").json()
    assert me["accounts"][0]["number"] == subscriber.number
    assert me["roles"] == []
    assert api.post("/api/v1/auth/logout/").status_code == 204
    answer = api.get("/api/v1/me/")
    assert (answer.status_code, answer.json()["code"]) == (401, "NOT_AUTHENTICATED")
    events = LedgerEvent.objects.filter(operator_id=north.pk, subscriber_id=subscriber.pk)
    assert {"signin.ok", "signin.ended"} <= set(events.values_list("action", flat=True))


def test_ending_all_tokens(api, subscriber):
    tokens = [api.post("/api/v1/auth/login/", LOGIN).json()["token"] for _ in range(2)]
    api.credentials(HTTP_AUTHORIZATION=f"Token {tokens[0]}")
    assert api.post("/api/v1/auth/logoutall/").status_code == 204
    assert not AuthToken.objects.exists()


def test_wrong_and_unknown_look_the_same(api, subscriber):
    wrong = api.post("/api/v1/auth/login/", {**LOGIN, "password": "wrong"})
    unknown = api.post("/api/v1/auth/login/", {**LOGIN, "email": "nobody@example.com"})
    assert wrong.status_code == unknown.status_code == 401
    assert wrong.json() == unknown.json()
    assert wrong.json()["code"] == "CREDENTIALS_WRONG"


def test_too_many_wrong_passwords(api, subscriber):
    answers = [api.post("/api/v1/auth/login/", {**LOGIN, "password": "wrong"}) for _ in range(8)]
    assert (answers[-1].status_code, answers[-1].json()["code"]) == (429, "THROTTLED")


def test_somebody_switched_off(api, subscriber):
    people.change(user=subscriber.user, changes={"is_active": False})
    assert api.post("/api/v1/auth/login/", LOGIN).json()["code"] == "CREDENTIALS_WRONG"


def test_roles_in_me(api, member, north):
    api.force_authenticate(member(Role.AUDITOR, north))
    assert api.get("/api/v1/me/").json()["roles"] == [
        {
            "operator": {
                "slug": "northwind",
                "name": "Northwind Telecom",
                "description": "Meters across the north.",
            },
            "role": "auditor",
        }
    ]


def test_a_further_account(api, subscriber, south):
    api.force_authenticate(subscriber.user)
    answer = api.post("/api/v1/me/accounts/", {"operator": "southsea"})
    assert (answer.status_code, answer.json()["operator"]["slug"]) == (201, "southsea")
    answer = api.post("/api/v1/me/accounts/", {"operator": "southsea"})
    assert (answer.status_code, answer.json()["code"]) == (409, "CONFLICT")


def test_me_costs_the_same_for_many(api, subscriber, django_assert_max_num_queries):
    api.force_authenticate(User.objects.get(pk=subscriber.user_id))
    with django_assert_max_num_queries(3):
        api.get("/api/v1/me/")


def test_every_code_is_in_the_catalogue():
    for code in ("EMAIL_UNCONFIRMED", "CREDENTIALS_WRONG", "OPERATOR_CLOSED", "CONFLICT", "THROTTLED"):
        assert code in causes.CAUSES
