"""The admin of people and operators: sign-in, invitations, roles, accounts, and who may do it."""

from __future__ import annotations

import pytest
from django.test import Client
from knox.models import AuthToken

from accounts.models import Operator, StaffMembership, Subscriber, User
from accounts.roles import Role
from accounts.services import tokens
from audit.models import LedgerEvent

pytestmark = pytest.mark.django_db
ADMIN = "/admin/accounts"


@pytest.fixture
def administrator(member, north) -> Client:
    client = Client()
    client.force_login(member(Role.ADMINISTRATOR, north))
    return client


@pytest.fixture
def root(person) -> Client:
    client = Client()
    client.force_login(person("root@example.com", is_staff=True, is_superuser=True))
    return client


def test_signing_in_is_on_everybodys_page(client, subscriber, administrator):
    answer = client.get("/admin/", follow=True)
    assert answer.redirect_chain[-1][0] == "/accounts/login/?next=/admin/"
    client.force_login(subscriber.user)
    assert client.get("/admin/login/").status_code == 403
    assert administrator.get("/admin/login/").url == "/admin/"
    assert administrator.get("/admin/password_change/").url == "/accounts/password/change/"
    assert administrator.post("/admin/logout/").url == "/"
    assert administrator.get("/admin/").status_code == 302


def test_inviting_into_a_foreign_operator_is_refused(administrator, south):
    data = {"operator": south.pk, "email": "new@example.com", "name": "", "role": "support"}
    page = administrator.post(f"{ADMIN}/staffmembership/add/", data)
    assert page.status_code == 200
    assert "Select a valid choice" in page.content.decode()
    assert not StaffMembership.objects.filter(email="new@example.com").exists()


def test_changing_and_taking_away_a_role(administrator, member, north):
    membership = StaffMembership.objects.get(user=member(Role.SUPPORT, north))
    page = f"{ADMIN}/staffmembership/{membership.pk}/change/"
    administrator.post(page, {"role": "auditor", "operator": 999, "user": 1})
    membership.refresh_from_db()
    assert (membership.role, membership.operator) == ("auditor", north)
    administrator.post(f"{ADMIN}/staffmembership/{membership.pk}/delete/", {"post": "yes"})
    assert not StaffMembership.objects.filter(pk=membership.pk).exists()
    assert not User.objects.get(pk=membership.user_id).is_staff
    assert LedgerEvent.objects.filter(action="staff.role_removed", operator_id=north.pk).exists()


def test_the_last_administrator_cannot_leave(administrator, north):
    membership = StaffMembership.objects.get(role=Role.ADMINISTRATOR)
    for page, data in (("change", {"role": "support"}), ("delete", {"post": "yes"})):
        answer = administrator.post(f"{ADMIN}/staffmembership/{membership.pk}/{page}/", data, follow=True)
        assert "last administrator" in answer.content.decode()
    assert StaffMembership.objects.get(pk=membership.pk).role == Role.ADMINISTRATOR


def test_an_administrator_changes_their_operator_only_so_far(administrator, north, south):
    page = f"{ADMIN}/operator/{north.pk}/change/"
    data = {
        "name": "Northwind",
        "description": "New",
        "support_email": "",
        "allows_nosec": "on",
        "slug": "evil",
        "history_retention-TOTAL_FORMS": "0",
        "history_retention-INITIAL_FORMS": "0",
    }
    administrator.post(page, data)
    north.refresh_from_db()
    assert (north.slug, north.name, north.allows_nosec, north.is_open_for_signup) == (
        "northwind",
        "Northwind",
        True,
        False,
    )
    assert north.is_active
    assert administrator.get(f"{ADMIN}/operator/add/").status_code == 403
    assert LedgerEvent.objects.filter(action="operator.changed").exists()


def test_a_superuser_adds_an_operator(root):
    data = {
        "slug": "new",
        "name": "New Operator",
        "description": "",
        "support_email": "",
        "is_open_for_signup": "on",
    }
    answer = root.post(f"{ADMIN}/operator/add/", data)
    assert answer.status_code == 302, answer.context["errors"]
    assert Operator.objects.get(slug="new").is_open_for_signup
    assert LedgerEvent.objects.filter(action="operator.created").exists()


def test_an_account_is_suspended_with_a_reason(administrator, subscriber):
    data = {"action": "suspend", "_selected_action": [subscriber.pk], "index": "0"}
    assert "Suspend these accounts?" in administrator.post(f"{ADMIN}/subscriber/", data).content.decode()
    administrator.post(f"{ADMIN}/subscriber/", {**data, "reason": "unpaid"})
    assert Subscriber.objects.get().state == "suspended"
    assert LedgerEvent.objects.get(action="subscriber.suspended").reason == "unpaid"
    answer = administrator.post(
        f"{ADMIN}/subscriber/", {**data, "action": "close", "reason": "x"}, follow=True
    )
    assert "1 subscriber closed." in answer.content.decode()


def test_people_are_for_superusers(administrator, root, person):
    sam = person("sam@example.com")
    for model in ("accounts/user", "account/emailaddress", "knox/authtoken"):
        assert administrator.get(f"/admin/{model}/").status_code == 403
        assert root.get(f"/admin/{model}/").status_code == 200
    root.post(f"{ADMIN}/user/{sam.pk}/change/", {"name": "Sam", "is_superuser": ""})
    sam.refresh_from_db()
    assert (sam.name, sam.is_active) == ("Sam", False)
    assert LedgerEvent.objects.get(action="user.changed").after == {"is_active": False}


def test_the_last_superuser_stays(root):
    user = User.objects.get(is_superuser=True)
    answer = root.post(f"{ADMIN}/user/{user.pk}/change/", {"name": "", "is_active": "on"}, follow=True)
    assert "last superuser" in answer.content.decode()
    assert User.objects.get(pk=user.pk).is_superuser


def test_a_token_that_is_taken_away_opens_nothing_and_stands_in_the_ledger(root, person) -> None:
    token, _ = tokens.issue(user=person("kim@example.com"), lifetime=None)
    assert root.post(f"/admin/knox/authtoken/{token.pk}/delete/", {"post": "yes"}).status_code == 302
    assert not AuthToken.objects.exists()
    event = LedgerEvent.objects.get(action="token.ended")
    assert event.target == f"user:{token.user_id}"
