"""A role is an offer until it is accepted: before that nothing of a person is seen, recorded or told."""

from __future__ import annotations

import re
from typing import Any

import pytest
from allauth.account.models import EmailAddress
from django.core import mail
from django.test import Client

from accounts import invitations
from accounts.errors import Refused
from accounts.models import StaffMembership, User
from accounts.roles import Role
from accounts.services import staff
from audit.models import LedgerEvent
from tests.accounts.conftest import PASSWORD

pytestmark = pytest.mark.django_db
ADD = "/admin/accounts/staffmembership/add/"
LIST = "/admin/accounts/staffmembership/"


@pytest.fixture
def administrator(member, south) -> Client:
    client = Client()
    client.force_login(member(Role.ADMINISTRATOR, south))
    return client


@pytest.fixture
def invite(administrator, south, django_capture_on_commit_callbacks):
    """Invites by the form of the admin; what the page said, and the path of the mail's link."""

    def made(email: str, role: str = "support", name: str = "") -> tuple[Any, str]:
        data = {"operator": south.pk, "email": email, "name": name, "role": role}
        with django_capture_on_commit_callbacks(execute=True):
            answer = administrator.post(ADD, data, follow=True)
        found = re.search(r"https?://[^/]+(/accounts/invitation/\S+/)", mail.outbox[-1].body)
        return answer, found.group(1) if found else ""

    return made


def _of(operator: Any) -> list[str]:
    return list(
        LedgerEvent.objects.filter(operator_id=operator.pk).order_by("pk").values_list("action", flat=True)
    )


def test_until_it_is_accepted_nothing_of_the_person_is_seen_or_recorded(
    invite, administrator, subscriber, south
):
    sam = subscriber.user
    User.objects.filter(pk=sam.pk).update(name="Sam Subscriber")
    invite("Sam@example.com")
    page = administrator.get(LIST).content.decode()
    assert "sam@example.com" in page
    assert "Sam Subscriber" not in page
    sam.refresh_from_db()
    assert not sam.is_staff
    assert sam.roles() == {}
    browser = Client()
    browser.post("/accounts/login/", {"login": "sam@example.com", "password": PASSWORD})
    assert "_auth_user_id" in browser.session
    assert browser.get("/admin/").status_code == 302
    assert not LedgerEvent.objects.filter(operator_id=south.pk, target=f"user:{sam.pk}").exists()
    assert LedgerEvent.objects.filter(action="signin.ok", target=f"user:{sam.pk}").exists()
    membership = StaffMembership.objects.get(operator=south, user=None)
    change = administrator.get(f"{LIST}{membership.pk}/change/").content.decode()
    assert "Sam Subscriber" not in change


def test_the_form_does_not_tell_whether_the_address_has_an_account(invite, subscriber):
    known, unknown = invite("sam@example.com")[0], invite("nobody@example.com")[0]
    plain = lambda answer, email: re.sub(  # noqa: E731
        r'value="[A-Za-z0-9]{64}"|/\d+/change', "", answer.content.decode().replace(email, "ADDRESS")
    )
    first = re.findall(r'class="success">(.*?)</li>', plain(known, "sam@example.com"), re.S)
    second = re.findall(r'class="success">(.*?)</li>', plain(unknown, "nobody@example.com"), re.S)
    assert first
    assert first == second
    bodies = [message.body.split("http")[0] for message in mail.outbox]
    assert bodies[0] == bodies[1]
    assert not User.objects.filter(email="nobody@example.com").exists()


def test_somebody_known_signs_in_and_accepts(invite, subscriber, south):
    _, path = invite("sam@example.com")
    browser = Client()
    asked = browser.get(path)
    assert asked.status_code == 302
    assert asked.url.startswith("/accounts/login/?next=")
    browser.force_login(subscriber.user, backend="accounts.backends.RoleBackend")
    assert "offers you a role" in browser.get(path).content.decode()
    assert not User.objects.get(pk=subscriber.user.pk).is_staff
    assert browser.post(path, {"accept": ""}).url == "/admin/"
    assert User.objects.get(pk=subscriber.user.pk).roles() == {south.pk: "support"}
    assert browser.get("/admin/").status_code == 200
    assert _of(south)[-1] == "staff.role_granted"
    assert browser.get(path).status_code == 410


def test_somebody_new_chooses_a_password_and_accepts(invite, south):
    _, path = invite("New@example.com", name="Nia")
    browser = Client()
    page = browser.get(path).content.decode()
    assert 'value="Nia"' in page
    weak = browser.post(path, {"name": "Nia", "password1": "short", "password2": "short"})
    assert "too short" in weak.content.decode()
    assert not User.objects.filter(email="new@example.com").exists()
    made = browser.post(path, {"name": "Nia N.", "password1": PASSWORD, "password2": PASSWORD})
    assert made.status_code == 302
    user = User.objects.get(email="new@example.com")
    assert (user.name, user.is_staff, user.roles()) == ("Nia N.", True, {south.pk: "support"})
    assert EmailAddress.objects.get(user=user).verified
    browser.post("/accounts/login/", {"login": "new@example.com", "password": PASSWORD})
    assert browser.get("/admin/").status_code == 200


def test_somebody_else_cannot_take_it(invite, subscriber, person):
    _, path = invite("sam@example.com")
    browser = Client()
    browser.force_login(person("eve@example.com"), backend="accounts.backends.RoleBackend")
    assert browser.get(path).status_code == 403
    assert browser.post(path, {"accept": ""}).status_code == 403
    assert StaffMembership.objects.filter(user=None).count() == 1


def test_declining_tells_nothing_of_the_person(invite, subscriber, south):
    _, path = invite("sam@example.com")
    assert Client().post(path, {"decline": "1"}).status_code == 302
    assert not StaffMembership.objects.filter(user=None).exists()
    event = LedgerEvent.objects.get(action="staff.invitation_declined")
    assert (event.operator_id, event.target.split(":")[0]) == (south.pk, "membership")
    assert "user:" not in f"{event.target} {event.actor_id}"


@pytest.mark.parametrize("token", ["x", "a:b:c", "💥", "." * 400])
def test_a_made_up_link_opens_nothing(token):
    assert Client().get(f"/accounts/invitation/{token}/").status_code == 410


def test_a_link_is_over_when_it_is_old_or_withdrawn(invite, administrator, monkeypatch):
    _, path = invite("new@example.com")
    monkeypatch.setattr(invitations, "VALID_DAYS", -1)
    assert Client().get(path).status_code == 410
    monkeypatch.undo()
    assert Client().get(path).status_code == 200
    row = StaffMembership.objects.get(user=None)
    administrator.post(f"{LIST}{row.pk}/delete/", {"post": "yes"})
    assert Client().get(path).status_code == 410
    assert LedgerEvent.objects.filter(action="staff.invitation_withdrawn").exists()


def test_inviting_again_is_the_same_invitation_with_the_latest_role(invite, south):
    invite("new@example.com", "support")
    invite("NEW@example.com", "auditor")
    assert list(StaffMembership.objects.filter(user=None).values_list("email", "role")) == [
        ("new@example.com", "auditor")
    ]
    assert len(mail.outbox) == 2


def test_staff_are_not_invited_again_and_what_was_typed_stays(administrator, member, south):
    member(Role.SUPPORT, south, "sue@example.com")
    page = administrator.post(
        ADD, {"operator": south.pk, "email": "sue@example.com", "name": "Susan", "role": "auditor"}
    )
    assert page.status_code == 200
    said = page.content.decode()
    assert "has a role already" in said
    assert 'value="Susan"' in said


def test_an_invitation_is_no_administrator(member, south):
    staff.invite(email="new@example.com", operator=south, role=Role.ADMINISTRATOR)
    member(Role.ADMINISTRATOR, south)
    only = StaffMembership.objects.get(role=Role.ADMINISTRATOR, user__isnull=False)
    with pytest.raises(Refused, match="last administrator"):
        staff.remove(membership=only)


def test_an_invitation_is_used_once(south, person):
    row = staff.invite(email="ann@example.com", operator=south, role=Role.SUPPORT)
    ann = person("ann@example.com")
    staff.accept(membership=row, user=ann)
    for again in (
        lambda: staff.accept(membership=row, user=ann),
        lambda: staff.decline(membership=row),
        lambda: staff.accept_as_new(membership=row, name="", password=PASSWORD),
    ):
        with pytest.raises(Refused):
            again()
    assert StaffMembership.objects.filter(operator=south).count() == 1
