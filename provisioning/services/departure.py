"""A person leaves and is forgotten: devices released, accounts closed; the trail keeps what happened, not who."""

from __future__ import annotations

from dataclasses import dataclass

from allauth.account.models import EmailAddress
from django.db.models import Q

from accounts import erasing
from accounts.erasing import Person
from accounts.models import StaffMembership, SubscriberState, User
from accounts.services import people, staff, subscribers
from audit import ledger
from devices.inventory import locks
from devices.inventory.models import Device
from provisioning.services import lifecycle


@dataclass(frozen=True, slots=True)
class Forgotten:
    """How many devices were released and how many personal strings were deleted."""

    devices: int
    personal: int


def forget(*, user: User, reason: str) -> Forgotten:
    """Release the person's devices, end accounts and roles, and erase what is known of them, also in the ledger.

    Each room does so by its eraser (`accounts.erasing`). Hash chains stay whole: the ledger holds commitments, and
    only the strings behind them go; what it says in the clear are endpoints, account numbers and reasons. Refused,
    with nothing changed, while the person is the last administrator of an operator, or the last superuser. Cannot
    be undone.
    """
    with ledger.unit_of_work():
        locked = locks.rows(User.objects).get(pk=user.pk)
        people.keep_a_superuser(locked)
        roles = list(StaffMembership.objects.filter(Q(user=locked) | Q(user=None, email=locked.email)))
        for membership in roles:
            staff.remove(membership=membership, reason=reason)
        accounts = list(locks.rows(locked.subscribers.order_by("pk")))
        released = _release_all([account.pk for account in accounts], reason)
        for account in accounts:
            if account.state != SubscriberState.CLOSED:
                subscribers.close(subscriber=account, reason=reason)
        person = _person(locked, [account.pk for account in accounts])
        subjects = [
            f"user:{locked.pk}",
            *(f"subscriber:{subscriber_id}" for subscriber_id in person.subscriber_ids),
            *(f"device:{device_id}" for device_id in person.device_ids),
            *(f"membership:{membership.pk}" for membership in roles),  # as they were invited
        ]
        erasing.erase(person)
        erased = sum(
            ledger.erase_personal(operator_id=None, subject=name, values=person.names, reason=reason)
            for name in subjects
        )
    return Forgotten(released, erased)


def _person(user: User, subscriber_ids: list[int]) -> Person:
    """What names them: each address, as it was typed and in small letters, their name, their devices' numbers."""
    devices = Device.objects.filter(subscriber__in=subscriber_ids).order_by("pk")
    addresses = {user.email, *EmailAddress.objects.filter(user=user).values_list("email", flat=True)}
    names = {user.name, *addresses, *map(str.lower, addresses), *devices.values_list("msisdn", flat=True)}
    return Person(
        user.pk,
        tuple(subscriber_ids),
        tuple(devices.values_list("pk", flat=True)),
        frozenset(names - {""}),
    )


def _release_all(subscriber_ids: list[int], reason: str) -> int:
    """Release what the accounts still have."""
    own = Device.objects.filter(subscriber__in=subscriber_ids)
    living = list(own.living().order_by("pk"))
    # Of all accounts together, in their order: the end of a gateway ends the ways of others, too.
    locks.devices([device.pk for device in living])
    for device in living:
        lifecycle.release(device=device, reason=reason)
    return len(living)
