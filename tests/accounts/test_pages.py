"""Signing up, confirming and signing in on allauth's pages with our form and adapter."""

from __future__ import annotations

import html
import re

import pytest
from allauth.account.models import EmailAddress
from django.core import mail

from accounts.forms import ADDRESS_REFUSED
from accounts.models import Subscriber, User
from accounts.services import operators
from audit.models import LedgerEvent
from tests.accounts.conftest import PASSWORD

pytestmark = pytest.mark.django_db

ANSWER = {"name": "Nia", "email": "nia@example.com", "password1": PASSWORD, "password2": PASSWORD}


def link_in(message: mail.EmailMessage) -> str:
    return re.search(r"https?://[^/]+(/\S+)", message.body).group(1)


def test_the_operators_are_cards_with_name_and_description(client, north, south):
    page = client.get("/accounts/signup/").content.decode()
    assert page.count('type="radio"') == 2
    assert "Meters across the north." in page
    operators.change(operator=south, changes={"is_open_for_signup": False})
    page = client.get("/accounts/signup/").content.decode()
    assert "Southsea" not in page
    assert "checked" in page


def test_the_link_chooses_an_operator(client, north, south):
    page = client.get("/accounts/signup/?operator=southsea").content.decode()
    assert re.search(r'value="southsea"[^>]*checked', page)


def test_signup_is_closed_without_an_open_operator(client, db):
    page = client.get("/accounts/signup/")
    assert page.status_code == 200
    assert 'name="email"' not in page.content.decode()


def test_from_sign_up_to_signed_in(client, north):
    answer = client.post("/accounts/signup/", {**ANSWER, "operator": "northwind"})
    assert answer.status_code == 302
    assert answer.url == "/accounts/confirm-email/"
    user = User.objects.get(email="nia@example.com")
    assert Subscriber.objects.get(user=user).operator == north
    assert not EmailAddress.objects.get(user=user).verified
    assert "_auth_user_id" not in client.session
    answer = client.get(link_in(mail.outbox[0]))
    assert answer.status_code == 302
    assert client.session["_auth_user_id"] == str(user.pk)
    assert EmailAddress.objects.get(user=user).verified
    known = set(LedgerEvent.objects.filter(operator_id=north.pk).values_list("action", flat=True))
    assert {"user.signed_up", "subscriber.opened", "email.confirmed", "signin.ok"} <= known


def test_no_operator_no_account(client, north, south):
    answer = client.post("/accounts/signup/", ANSWER)
    assert answer.status_code == 200
    assert "Choose the operator" in answer.content.decode()
    assert not User.objects.exists()


def test_a_known_address_looks_the_same_and_its_owner_is_told(client, subscriber):
    answer = client.post("/accounts/signup/", {**ANSWER, "email": "Sam@example.com", "operator": "northwind"})
    assert (answer.status_code, answer.url) == (302, "/accounts/confirm-email/")
    assert User.objects.count() == 1
    assert mail.outbox[0].subject == "You already have an account"
    assert "sam@example.com" in mail.outbox[0].body
    assert "/accounts/password/reset/" in mail.outbox[0].body


def test_an_unconfirmed_person_gets_the_link_again(client, person, north):
    person("late@example.com", confirmed=False)
    answer = client.post("/accounts/login/", {"login": "late@example.com", "password": PASSWORD})
    assert answer.url == "/accounts/confirm-email/"
    assert len(mail.outbox) == 1


def test_wrong_passwords_are_counted_not_listed(client, subscriber, north):
    for _ in range(4):
        client.post("/accounts/login/", {"login": "sam@example.com", "password": "wrong"})
    client.post("/accounts/login/", {"login": "nobody@example.com", "password": "wrong"})
    events = LedgerEvent.objects.filter(action="signin.failed").order_by("id")
    assert [(event.operator_id, event.cause) for event in events] == [
        (north.pk, "CREDENTIALS_WRONG"),
        (None, "CREDENTIALS_WRONG"),
    ]


def test_signing_out_is_recorded(client, subscriber):
    client.force_login(subscriber.user)
    client.post("/accounts/logout/")
    assert LedgerEvent.objects.filter(action="signin.ended", actor_id=str(subscriber.user_id)).exists()


def test_resetting_the_password_proves_the_address(client, north):
    user = User.objects.create_user("new@example.com")
    EmailAddress.objects.create(user=user, email=user.email, primary=True)
    client.post("/accounts/password/reset/", {"email": "new@example.com"})
    answer = client.get(link_in(mail.outbox[0]), follow=True)
    client.post(answer.request["PATH_INFO"], {"password1": PASSWORD, "password2": PASSWORD})
    assert EmailAddress.objects.get(user=user).verified
    assert User.objects.get(pk=user.pk).check_password(PASSWORD)
    assert LedgerEvent.objects.filter(action="password.changed").exists()


def test_a_mail_server_that_is_away_undoes_nothing(client, north, monkeypatch, caplog):
    def away(*args: object, **kwargs: object) -> None:
        raise ConnectionRefusedError

    monkeypatch.setattr(mail.EmailMessage, "send", away)
    answer = client.post("/accounts/signup/", {**ANSWER, "operator": "northwind"})
    assert answer.status_code == 302
    assert User.objects.filter(email="nia@example.com").exists()
    assert "mail_not_sent" in caplog.text


@pytest.mark.parametrize(
    ("page", "field"),
    [("signup", "email"), ("login", "login"), ("password/reset", "email"), ("email", "email")],
)
@pytest.mark.parametrize(
    "address", ["anna.müller@example.org", "anna@", "anna example@example.org", "анна@example.org"]
)
def test_an_address_that_takes_no_mail_is_refused_in_our_words(client, north, person, page, field, address):
    if page == "email":
        client.force_login(person("nia@example.com"), backend="accounts.backends.RoleBackend")
    at = f"/accounts/{page}/"
    form = re.search(r"<form[^>]*card[^>]*>", client.get(at).content.decode()).group()
    assert "novalidate" in form  # the browser would say it in words that are not ours
    body = {**ANSWER, "operator": "northwind", "password": PASSWORD, "action_add": "", field: address}
    answer = html.unescape(client.post(at, body).content.decode())
    assert str(ADDRESS_REFUSED) in answer
    assert not User.objects.filter(email=address).exists()
