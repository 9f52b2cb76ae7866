"""Two operators, staff in every role, and subscribers."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from allauth.account.models import EmailAddress
from django.core.cache import cache

from accounts.models import Operator, Subscriber, User
from accounts.services import operators, staff, subscribers

PASSWORD = "correct horse battery"


@pytest.fixture(autouse=True)
def clean_start() -> None:
    """No rate limits and counts from the test before."""
    cache.clear()


@pytest.fixture
def north(db: None) -> Operator:
    return operators.create(
        slug="northwind", name="Northwind Telecom", description="Meters across the north."
    )


@pytest.fixture
def south(db: None) -> Operator:
    return operators.create(slug="southsea", name="Southsea Mobile")


@pytest.fixture
def person(db: None) -> Callable[..., User]:
    def make(email: str, *, confirmed: bool = True, **extra: object) -> User:
        user = User.objects.create_user(email, PASSWORD, **extra)
        EmailAddress.objects.create(user=user, email=email, primary=True, verified=confirmed)
        return user

    return make


@pytest.fixture
def member(person: Callable[..., User]) -> Callable[..., User]:
    def make(role: str, operator: Operator, email: str = "") -> User:
        user = person(email or f"{role}@{operator.slug}.example")
        staff.grant(user=user, operator=operator, role=role)
        return User.objects.get(pk=user.pk)

    return make


@pytest.fixture
def subscriber(person: Callable[..., User], north: Operator) -> Subscriber:
    return subscribers.open_account(user=person("sam@example.com"), operator=north)
