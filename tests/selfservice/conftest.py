"""A subscriber with an account, and a foreign one with another operator."""

from __future__ import annotations

import pytest
from django.test import Client

from accounts.models import Operator, Subscriber
from tests.devices import making


@pytest.fixture
def north(db: None) -> Operator:
    return making.operator("northwind")


@pytest.fixture
def south(db: None) -> Operator:
    return making.operator("southsea")


@pytest.fixture
def sam(north: Operator) -> Subscriber:
    return making.subscriber(north)


@pytest.fixture
def foreign(south: Operator) -> Subscriber:
    return making.subscriber(south)


@pytest.fixture
def as_sam(client: Client, sam: Subscriber) -> Client:
    client.force_login(sam.user, backend="allauth.account.auth_backends.AuthenticationBackend")
    return client
