"""A person changes the address they sign in with: the old one counts until the new one is confirmed."""

from __future__ import annotations

import html
import re

import pytest
from allauth.account.models import EmailAddress
from django.core import mail
from django.core.cache import cache
from django.test import Client

from accounts.models import Subscriber

pytestmark = pytest.mark.django_db
NEW = "sam.new@example.com"


@pytest.fixture(autouse=True)
def _no_limits_from_the_test_before() -> None:
    cache.clear()


@pytest.fixture
def asked(as_sam: Client, sam: Subscriber) -> Client:
    """Sam has typed the new address and not yet opened the mail."""
    EmailAddress.objects.create(user=sam.user, email=sam.user.email, verified=True, primary=True)
    assert as_sam.post("/accounts/email/", {"email": NEW, "action_add": ""}).status_code == 302
    return as_sam


def page(client: Client) -> str:
    answer = client.get("/accounts/email/")
    assert answer.status_code == 200
    return html.unescape(answer.content.decode())


def link() -> str:
    (message,) = [message for message in mail.outbox if message.to == [NEW]]
    return re.search(r"https?://[^/]+(/\S+)", message.body).group(1)


def test_the_old_address_counts_until_the_new_one_is_confirmed(asked: Client, sam: Subscriber):
    before = sam.user.email
    sam.user.refresh_from_db()
    assert sam.user.email == before
    shown = page(asked)
    assert f"{NEW}</strong> is not confirmed yet" in shown
    assert "Keep the old address" in shown


def test_confirming_replaces_the_old_address(asked: Client, sam: Subscriber):
    before = sam.user.email
    assert asked.get(link()).status_code == 302
    sam.user.refresh_from_db()
    assert sam.user.email == NEW
    assert list(EmailAddress.objects.filter(user=sam.user).values_list("email", flat=True)) == [NEW]
    shown = page(asked)
    assert f'You sign in with <strong class="wrap">{NEW}' in shown
    assert before not in shown


def test_one_may_stay_with_the_old_address(asked: Client, sam: Subscriber):
    asked.post("/accounts/email/", {"email": NEW, "action_remove": ""})
    assert "not confirmed yet" not in page(asked)
    assert asked.get(link()).status_code in (200, 302, 404)
    sam.user.refresh_from_db()
    assert sam.user.email != NEW
