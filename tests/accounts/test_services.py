"""Accounts, staff and operators through their services, and what the ledger keeps of it."""

from __future__ import annotations

import pytest

from accounts.errors import Refused
from accounts.models import Operator, StaffMembership, Subscriber, User
from accounts.roles import PERMISSIONS, Role
from accounts.services import numbers, operators, signup, staff, subscribers
from audit.models import LedgerEvent

pytestmark = pytest.mark.django_db


def actions() -> list[str]:
    return list(LedgerEvent.objects.order_by("id").values_list("action", flat=True))


def test_numbers_are_short_and_prove_themselves(north):
    number = numbers.new(north)
    assert number.startswith("NOR-")
    assert len(number) == 13
    assert numbers.is_sound(number)
    digits = number[4:].replace("-", "")
    for place in range(8):
        wrong = digits[:place] + str((int(digits[place]) + 3) % 10) + digits[place + 1 :]
        assert not numbers.is_sound(f"NOR-{wrong}")
    assert numbers.prefix(Operator(slug="4u")) == "UXX"


def test_damm_on_its_published_example():
    assert numbers.check_digit("572") == "4"


def test_signing_up_makes_person_and_account_at_once(north):
    user = signup.register(email="New@Example.com", password="a long one, really", operator=north, name="Nia")
    account = Subscriber.objects.get(user=user)
    assert (user.email, user.name, account.operator) == ("new@example.com", "Nia", north)
    assert not user.is_staff
    assert actions()[-2:] == ["user.signed_up", "subscriber.opened"]
    assert LedgerEvent.objects.get(action="subscriber.opened").actor_id == str(user.pk)


def test_a_known_address_gets_no_second_person(north, subscriber):
    assert signup.register(email="SAM@example.com", password="another long one", operator=north) is None
    assert User.objects.filter(email__iexact="sam@example.com").count() == 1
    assert subscriber.user.check_password("correct horse battery")


def test_a_closed_operator_leaves_nothing_behind(north):
    operators.change(operator=north, changes={"is_open_for_signup": False})
    with pytest.raises(Refused) as refusal:
        signup.register(email="new@example.com", password="a long one, really", operator=north)
    assert refusal.value.cause == "OPERATOR_CLOSED"
    assert not User.objects.exists()
    assert "user.signed_up" not in actions()


def test_one_account_per_operator_and_several_operators(subscriber, north, south):
    with pytest.raises(Refused) as refusal:
        subscribers.open_account(user=subscriber.user, operator=north)
    assert refusal.value.cause == "CONFLICT"
    assert subscriber.number in refusal.value.detail
    assert subscribers.open_account(user=subscriber.user, operator=south).operator == south


def test_the_life_of_an_account(subscriber):
    subscribers.suspend(subscriber=subscriber, reason="unpaid")
    subscribers.resume(subscriber=subscriber, reason="paid")
    assert subscribers.close(subscriber=subscriber, reason="moved away").state == "closed"
    with pytest.raises(Refused):
        subscribers.suspend(subscriber=subscriber, reason="again")
    assert actions()[-3:] == ["subscriber.suspended", "subscriber.resumed", "subscriber.closed"]


def test_a_role_makes_staff_and_its_end_unmakes_it(person, north, south):
    anna, ben = person("anna@example.com"), person("ben@example.com")
    staff.grant(user=ben, operator=north, role=Role.ADMINISTRATOR)
    membership = staff.grant(user=anna, operator=north, role=Role.SUPPORT)
    other = staff.grant(user=anna, operator=south, role=Role.READ_ONLY)
    assert User.objects.get(pk=anna.pk).is_staff
    staff.remove(membership=membership, reason="left")
    assert User.objects.get(pk=anna.pk).is_staff
    staff.remove(membership=other)
    assert not User.objects.get(pk=anna.pk).is_staff
    assert actions()[-1] == "staff.role_removed"


def test_the_last_administrator_stays(person, north):
    ben = person("ben@example.com")
    membership = staff.grant(user=ben, operator=north, role=Role.ADMINISTRATOR)
    with pytest.raises(Refused):
        staff.remove(membership=membership)
    with pytest.raises(Refused):
        staff.grant(user=ben, operator=north, role=Role.SUPPORT)
    assert StaffMembership.objects.get(user=ben).role == Role.ADMINISTRATOR


def test_changing_a_role_keeps_one_membership(person, north):
    anna = person("anna@example.com")
    staff.grant(user=anna, operator=north, role=Role.SUPPORT)
    staff.grant(user=anna, operator=north, role=Role.AUDITOR)
    event = LedgerEvent.objects.get(action="staff.role_changed")
    assert (event.before, event.after) == ({"role": "support"}, {"role": "auditor"})


def test_appointing_somebody_new_and_somebody_known(person, north):
    """By whoever runs the portal: somebody new hears the password from them, others accept first."""
    anna = person("anna@example.com")
    assert staff.appoint(email="Anna@example.com", operator=north, role=Role.SUPPORT).is_pending
    staff.accept(membership=StaffMembership.objects.get(email="anna@example.com"), user=anna)
    changed = staff.appoint(email="anna@example.com", operator=north, role=Role.AUDITOR)
    assert (changed.user, changed.role) == (anna, Role.AUDITOR)
    made = staff.appoint(email="new@example.com", operator=north, role=Role.SUPPORT, password="x" * 12)
    assert made.user.check_password("x" * 12)
    assert User.objects.get(pk=made.user.pk).is_staff


def test_operators_are_created_and_changed_once(north):
    with pytest.raises(Refused) as refusal:
        operators.create(slug="northwind", name="Other")
    assert refusal.value.field == "slug"
    with pytest.raises(Refused):
        operators.create(slug="other", name="Northwind Telecom")
    operators.change(operator=north, changes={"allows_nosec": True, "name": north.name})
    event = LedgerEvent.objects.get(action="operator.changed")
    assert (event.before, event.after) == ({"allows_nosec": False}, {"allows_nosec": True})
    operators.change(operator=north, changes={"allows_nosec": True})
    assert LedgerEvent.objects.filter(action="operator.changed").count() == 1
    with pytest.raises(ValueError, match="slug"):
        operators.change(operator=north, changes={"slug": "new"})


def test_roles_are_shipped_as_groups():
    from django.contrib.auth.models import Group

    for role in Role:
        group = Group.objects.get(name=role.label)
        names = {
            f"{row.content_type.app_label}.{row.codename}"
            for row in group.permissions.select_related("content_type")
        }
        assert names == PERMISSIONS[role]


def test_groups_come_back_into_step():
    from django.contrib.auth.models import Group

    from accounts.groups import bring_in_step

    Group.objects.get(name="Support").permissions.clear()
    Group.objects.filter(name="Auditor").delete()
    bring_in_step()
    assert Group.objects.get(name="Support").permissions.count() == len(PERMISSIONS[Role.SUPPORT])
    assert Group.objects.filter(name="Auditor").exists()
