"""create_operator, create_staff and the clearing of what expired."""

from __future__ import annotations

import io
from datetime import timedelta

import pytest
from django.core.management import CommandError, call_command
from django.utils import timezone
from knox.models import AuthToken

from accounts.models import Operator, StaffMembership, User
from accounts.tasks import clear_expired

pytestmark = pytest.mark.django_db


def run(*args: str) -> str:
    out = io.StringIO()
    call_command(*args, stdout=out)
    return out.getvalue()


def test_create_operator():
    run("create_operator", "lab", "The Lab", "--closed", "--allow-nosec")
    operator = Operator.objects.get(slug="lab")
    assert (operator.is_open_for_signup, operator.allows_nosec) == (False, True)
    with pytest.raises(CommandError, match="already"):
        run("create_operator", "lab", "Other")
    with pytest.raises(CommandError, match="short name"):
        run("create_operator", "no slug", "Other")


def test_create_staff_prints_the_password_once(north):
    said = run("create_staff", "anna@example.com", "northwind", "administrator", "--name", "Anna")
    password = said.split("(shown once): ")[1].strip()
    user = User.objects.get(email="anna@example.com")
    assert user.check_password(password)
    assert user.is_staff
    assert "shown once" not in run("create_staff", "anna@example.com", "northwind", "administrator")
    assert StaffMembership.objects.count() == 1


def test_create_staff_with_a_given_password(north, monkeypatch):
    monkeypatch.setattr("sys.stdin", io.StringIO("correct horse battery\n"))
    said = run("create_staff", "anna@example.com", "northwind", "support", "--password-stdin")
    assert "shown once" not in said
    assert User.objects.get().check_password("correct horse battery")


def test_create_staff_says_what_is_wrong(north, monkeypatch):
    with pytest.raises(CommandError, match="northwind"):
        run("create_staff", "anna@example.com", "nowhere", "support")
    with pytest.raises(CommandError, match="valid email"):
        run("create_staff", "anna", "northwind", "support")
    monkeypatch.setattr("sys.stdin", io.StringIO("short\n"))
    with pytest.raises(CommandError, match="too short"):
        run("create_staff", "anna@example.com", "northwind", "support", "--password-stdin")


def test_expired_tokens_go(person):
    user = person("sam@example.com")
    AuthToken.objects.create(user=user, expiry=timedelta(hours=1))
    old, _ = AuthToken.objects.create(user=user, expiry=timedelta(hours=1))
    AuthToken.objects.filter(pk=old.pk).update(expiry=timezone.now() - timedelta(minutes=1))
    clear_expired()
    assert AuthToken.objects.count() == 1
