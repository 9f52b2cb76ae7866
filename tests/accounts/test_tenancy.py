"""Who may do what where: the table of roles, asked for any operator and for one."""

from __future__ import annotations

import pytest
from django.contrib.auth.models import AnonymousUser

from accounts import tenancy
from accounts.models import Operator, Subscriber, User
from accounts.roles import PERMISSIONS, Role

pytestmark = pytest.mark.django_db


def test_a_role_counts_with_its_operator_only(member, north, south, subscriber):
    user = member(Role.ADMINISTRATOR, north)
    assert user.has_perm("accounts.change_subscriber")
    assert user.has_perm("accounts.change_subscriber", subscriber)
    assert not user.has_perm("accounts.change_operator", south)
    assert user.has_module_perms("accounts")
    assert not user.has_module_perms("sessions")


def test_every_role_has_exactly_its_permissions(member, north):
    for role in Role:
        user = member(role, north)
        assert user.get_all_permissions() == PERMISSIONS[role]
        assert user.get_all_permissions(north) == PERMISSIONS[role]


def test_several_roles_do_not_mix(member, person, north, south, subscriber):
    from accounts.services import staff

    user = member(Role.AUDITOR, north)
    staff.grant(user=user, operator=south, role=Role.ADMINISTRATOR)
    user = User.objects.get(pk=user.pk)
    assert tenancy.operator_ids(user) == {north.pk, south.pk}
    assert tenancy.operator_ids(user, "accounts.change_subscriber") == {south.pk}
    assert not user.has_perm("accounts.change_subscriber", subscriber)


def test_nobody_else_has_a_permission(person, member, north):
    assert tenancy.operator_ids(AnonymousUser()) == set()
    assert not AnonymousUser().has_perm("inventory.view_device")
    plain = person("plain@example.com")
    assert tenancy.operator_ids(plain) == set()
    assert not plain.has_perm("inventory.view_device")
    left = member(Role.ADMINISTRATOR, north)
    left.is_active = False
    assert not left.has_perm("inventory.view_device")


def test_a_superuser_sees_all_also_what_belongs_to_nobody(person, north):
    root = person("root@example.com", is_staff=True, is_superuser=True)
    assert tenancy.operator_ids(root, "inventory.view_device") is None
    assert tenancy.may(root, "inventory.view_knock", None)
    assert not tenancy.may(person("x@example.com"), "inventory.view_knock", None)


def test_an_inactive_operator_gives_its_staff_nothing(member, north):
    user = member(Role.ADMINISTRATOR, north)
    Operator.objects.filter(pk=north.pk).update(is_active=False)
    assert tenancy.operator_ids(User.objects.get(pk=user.pk)) == set()


def test_the_operator_of_a_row(north, subscriber):
    assert tenancy.operator_id_of(north) == north.pk
    assert tenancy.operator_id_of(subscriber) == north.pk
    assert tenancy.operator_id_of(subscriber, "operator") == north.pk
    assert tenancy.operator_id_of(north, "pk") == north.pk
    assert tenancy.operator_id_of(Subscriber(operator=north), "operator__pk") == north.pk
    assert tenancy.operator_id_of(User()) is None
