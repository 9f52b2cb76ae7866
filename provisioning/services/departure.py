"""A person leaves and is forgotten: devices released, accounts closed; the trail keeps what happened, not who."""

from __future__ import annotations

from dataclasses import dataclass

from allauth.account.models import EmailAddress
from django.db.models import Q
from knox.models import AuthToken

from accounts.models import StaffMembership, SubscriberState, User
from accounts.services import staff, subscribers
from audit import ledger
from devices import locks
from devices.models import Device
from devices.states import Access
from provisioning.services import onboarding


@dataclass(frozen=True, slots=True)
class Forgotten:
    """How many devices were released and how many personal strings were deleted."""

    devices: int
    personal: int


def forget(*, user: User, reason: str) -> Forgotten:
    """Release the person's devices, end accounts and roles, and erase their name and address, also in the ledger.

    Hash chains stay whole: the ledger holds commitments, and only the strings behind them go. Refused, with nothing
    changed, while the person is an operator's last administrator. Cannot be undone.
    """
    with ledger.unit_of_work():
        locked = locks.rows(User.objects).get(pk=user.pk)
        accounts = list(locks.rows(locked.subscribers.order_by("pk")))
        roles = list(StaffMembership.objects.filter(Q(user=locked) | Q(user=None, email=locked.email)))
        for membership in roles:
            staff.remove(membership=membership, reason=reason)
        released = sum(_release_all(account.pk, reason) for account in accounts)
        for account in accounts:
            if account.state != SubscriberState.CLOSED:
                subscribers.close(subscriber=account, reason=reason)
        EmailAddress.objects.filter(user=locked).delete()
        AuthToken.objects.filter(user=locked).delete()
        locked.email = f"erased-{locked.pk}@erased.invalid"
        locked.name = ""
        locked.is_active = locked.is_staff = locked.is_superuser = False
        locked.set_unusable_password()
        locked.save()
        subjects = [
            f"user:{locked.pk}",
            *(f"subscriber:{account.pk}" for account in accounts),
            *(f"membership:{membership.pk}" for membership in roles),  # as they were invited
        ]
        erased = sum(
            ledger.erase_personal(operator_id=None, subject=name, reason=reason) for name in subjects
        )
    return Forgotten(released, erased)


def _release_all(subscriber_id: int, reason: str) -> int:
    """Release what the account still has; what it called its devices goes from all of them."""
    own = Device.objects.filter(subscriber_id=subscriber_id)
    living = list(own.exclude(access=Access.RETIRED).order_by("pk"))
    for device in living:
        onboarding.release_device(device=device, reason=reason)
    own.update(name="")
    return len(living)
