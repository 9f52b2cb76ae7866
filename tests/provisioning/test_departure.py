"""A person who leaves is forgotten, their devices are free again, and the ledger's chains stay whole."""

from __future__ import annotations

import pytest
from django.core.management import CommandError, call_command

from accounts.models import User
from accounts.services import staff, subscribers
from audit.models import LedgerEvent, PersonalDatum
from audit.verification import verify_chain
from devices.inventory.models import Device
from devices.inventory.states import Access
from provisioning.services import departure, onboarding, operators

pytestmark = pytest.mark.django_db


def test_devices_go_accounts_close_and_nobody_is_named(ordered: Device) -> None:
    subscriber = ordered.subscriber
    assert subscriber is not None
    user, address = subscriber.user, subscriber.user.email
    forgotten = departure.forget(user=user, reason="Asked for it")
    assert forgotten.devices == 1
    ordered.refresh_from_db()
    assert ordered.access == Access.RETIRED
    assert ordered.name == ""
    user.refresh_from_db()
    assert not user.is_active
    assert address not in user.email
    assert not PersonalDatum.objects.filter(value__icontains=address).exists()
    for chain in LedgerEvent.objects.values_list("chain", flat=True).distinct():
        assert verify_chain(chain).findings == []


def test_whoever_has_accounts_with_several_operators_is_forgotten_whichever_device_came_first(
    ordered: Device,
) -> None:
    """What is locked out of order fails the test (`tests/lock_order.py`)."""
    first = ordered.subscriber
    assert first is not None
    elsewhere = operators.create(slug="elsewhere", name="Elsewhere")
    second = subscribers.open_account(user=first.user, operator=elsewhere)
    for account, endpoint in ((second, "urn:dev:second"), (first, "urn:dev:third")):
        onboarding.add_device(operator=account.operator, subscriber=account, endpoint=endpoint)
    assert departure.forget(user=first.user, reason="Asked for it").devices == 3


def test_the_last_administrator_stays_and_nothing_changes(ordered: Device) -> None:
    user = User.objects.create_user("boss@x.example")
    staff.grant(user=user, operator=ordered.operator, role="administrator")
    with pytest.raises(CommandError, match="administrator"):
        call_command("erase_person", "boss@x.example", reason="Left")
    user.refresh_from_db()
    assert user.email == "boss@x.example"


def test_an_unknown_address_is_one_clear_line() -> None:
    with pytest.raises(CommandError, match="Nobody here"):
        call_command("erase_person", "nobody@x.example", reason="Left")
