"""The last administrator and the last superuser stay, also when two are switched off at once; races are refusals."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any

import pytest
from django.db import connection, connections

from accounts.errors import Refused
from accounts.models import Operator, StaffMembership, User
from accounts.roles import Role
from accounts.services import operators, people, staff, tokens

OFF = {"is_active": False}


@pytest.mark.django_db
def test_the_last_administrator_is_not_switched_off(member, north) -> None:
    ada = member(Role.ADMINISTRATOR, north)
    with pytest.raises(Refused, match="last administrator"):
        people.change(user=ada, changes=OFF)
    second = member(Role.ADMINISTRATOR, north, "second@example.com")
    people.change(user=ada, changes=OFF)
    with pytest.raises(Refused, match="last administrator"):
        people.change(user=second, changes=OFF)
    assert User.objects.get(pk=second.pk).is_active


def _both(*deeds: Callable[[], object]) -> list[Exception | None]:
    """Each in a thread of its own, begun together; what they raised."""
    begin = threading.Barrier(len(deeds))
    raised: list[Exception | None] = [None] * len(deeds)

    def run(number: int, deed: Callable[[], object]) -> None:
        try:
            begin.wait()
            deed()
        except Exception as error:
            raised[number] = error
        finally:
            connections.close_all()

    threads = [threading.Thread(target=run, args=one) for one in enumerate(deeds)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return raised


@pytest.mark.django_db(transaction=True)
def test_two_administrators_cannot_switch_each_other_off(member, north) -> None:
    one, two = (member(Role.ADMINISTRATOR, north, f"{name}@example.com") for name in ("one", "two"))
    raised = _both(lambda: people.change(user=one, changes=OFF), lambda: people.change(user=two, changes=OFF))
    assert [type(error) for error in raised if error] == [Refused]
    left = StaffMembership.objects.filter(role=Role.ADMINISTRATOR, user__is_active=True)
    assert left.count() == 1


@pytest.mark.django_db(transaction=True)
def test_one_is_switched_off_while_the_other_role_is_taken_away(member, north) -> None:
    one, two = (member(Role.ADMINISTRATOR, north, f"{name}@example.com") for name in ("one", "two"))
    membership = StaffMembership.objects.get(user=two)
    raised = _both(lambda: people.change(user=one, changes=OFF), lambda: staff.remove(membership=membership))
    assert [type(error) for error in raised if error] == [Refused]
    left = StaffMembership.objects.filter(role=Role.ADMINISTRATOR, user__is_active=True)
    assert left.count() == 1


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("changes", [OFF, {"is_superuser": False}])
def test_two_superusers_cannot_unmake_each_other(db: None, changes: dict[str, Any]) -> None:
    one, two = (User.objects.create_superuser(f"{name}@example.com") for name in ("one", "two"))
    raised = _both(
        lambda: people.change(user=one, changes=changes), lambda: people.change(user=two, changes=changes)
    )
    assert [type(error) for error in raised if error] == [Refused]
    assert User.objects.filter(is_superuser=True, is_active=True).count() == 1


@pytest.mark.django_db(transaction=True)
def test_two_operators_of_one_name_are_one_operator_and_a_refusal(db: None) -> None:
    raised = _both(*[lambda: operators.create(slug="lab", name="The Lab")] * 4)
    assert [type(error) for error in raised if error] == [Refused] * 3
    assert Operator.objects.filter(slug="lab").count() == 1


@pytest.mark.django_db
def test_an_operator_that_came_between_look_and_write_is_a_refusal(db: None, monkeypatch) -> None:
    looks = []
    looked = operators._check_free

    def look(slug: str, name: str) -> None:
        looked(slug, name)
        if not looks:
            looks.append(slug)
            Operator.objects.create(slug=slug, name=name)

    monkeypatch.setattr(operators, "_check_free", look)
    with pytest.raises(Refused, match="already"):
        operators.create(slug="lab", name="The Lab")


@pytest.mark.django_db(transaction=True)
def test_two_invitations_of_one_address_are_one(north) -> None:
    raised = _both(*[lambda: staff.invite(email="new@example.com", operator=north, role=Role.SUPPORT)] * 3)
    assert raised == [None] * 3
    assert StaffMembership.objects.filter(email="new@example.com").count() == 1


@pytest.mark.django_db(transaction=True)
def test_tokens_of_a_person_are_counted_together(person, settings) -> None:
    settings.TOKENS_PER_PERSON = 2
    ann = person("ann@example.com")
    raised = _both(*[lambda: tokens.issue(user=ann, lifetime=None)] * 4)
    assert [error.cause for error in raised if isinstance(error, Refused)] == ["QUOTA_REACHED"] * 2
    assert connection.vendor  # the count below is read by this thread
    assert ann.auth_token_set.count() == 2
