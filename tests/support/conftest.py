"""An operator with a support agent, and another operator with one of its own."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from django.test import Client

from accounts.models import Operator, User
from accounts.roles import Role
from tests.devices import making

BACKEND = "allauth.account.auth_backends.AuthenticationBackend"


@pytest.fixture
def north(db: None) -> Operator:
    return making.operator("northwind")


@pytest.fixture
def south(db: None) -> Operator:
    return making.operator("southsea")


@pytest.fixture
def agent(north: Operator) -> User:
    return making.member(north, Role.SUPPORT)


@pytest.fixture
def sign_in(client: Client) -> Callable[[User], Client]:
    def enter(user: User) -> Client:
        client.force_login(user, backend=BACKEND)
        return client

    return enter


@pytest.fixture
def desk(sign_in: Callable[[User], Client], agent: User) -> Client:
    return sign_in(agent)
