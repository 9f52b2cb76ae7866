"""Whether a device may come into the inventory: who adds it, how it connects, whether its names are free."""

from __future__ import annotations

from collections.abc import Iterable

from django.db.models import Q

from accounts.errors import Refused
from accounts.models import Operator, Subscriber, SubscriberState
from devices.inventory import security as modes
from devices.inventory.models import Credential, Device, Onboarding, Reach


def check_people(operator: Operator, subscriber: Subscriber | None) -> None:
    if not operator.is_active:
        raise Refused("OPERATOR_TAKES_NO_DEVICES")
    if subscriber is None:
        return
    if subscriber.operator_id != operator.pk:
        raise Refused("ACCOUNT_OF_ANOTHER_OPERATOR", field="operator")
    if subscriber.state != SubscriberState.ACTIVE:
        raise Refused("ACCOUNT_NOT_ACTIVE")


def check_entered(names: Iterable[str]) -> None:
    """A name that no security mode asks for is a caller's slip, not a person's."""
    if unknown := set(names) - modes.entry_fields().keys():
        raise TypeError(f"no security mode has a field {', '.join(sorted(unknown))}")


def check_ways(operator: Operator, reach: str, onboarding: str, security: str) -> None:
    for value, choices, name in (
        (reach, Reach.values, "reach"),
        (onboarding, Onboarding.values, "onboarding"),
        (security, list(modes.KINDS), "security"),
    ):
        if value not in choices:
            raise Refused("CHOICE_UNKNOWN", field=name, value=value, known=choices)
    mode = modes.of(security)
    if reach not in mode.reaches:
        raise Refused(
            "SECURITY_NOT_FOR_REACH", field="security", security=mode.label, reach=Reach(reach).label
        )
    if mode.needs_consent and reach != Reach.GATEWAY and not operator.allows_nosec:
        raise Refused("OPERATOR_WANTS_ENCRYPTION", field="security")


def check_number_free(msisdn: str, operator: Operator, *, but: int | None = None) -> None:
    """Says that a phone number is in use, never by whom; `but` is the device that asks.

    That somebody with another operator typed it says nothing, until an SMS came from it.
    """
    holders = Device.objects.filter(msisdn=msisdn).living()
    if but is not None:
        holders = holders.exclude(pk=but)
    if msisdn and holders.filter(Q(operator=operator) | Q(msisdn_confirmed_at__isnull=False)).exists():
        raise Refused("MSISDN_HELD", field="msisdn")


def check_free(
    endpoint: str, operator: Operator, subscriber: Subscriber | None, plane: str, identity: str
) -> None:
    """Says that a name is in use, never by whom: names can be guessed."""
    # The identity is looked up first: a device that is added at this moment has both, and its name counts.
    identity_taken = bool(identity) and _has_holder(plane, identity)
    holder = Device.objects.filter(endpoint=endpoint).living().first()
    if holder is not None:
        raise _endpoint_taken(holder, operator, subscriber)
    if identity_taken:
        raise _identity_taken()


def check_identity_free(plane: str, identity: str) -> None:
    """Says that a PSK identity is in use, never by whom."""
    if _has_holder(plane, identity):
        raise _identity_taken()


def _has_holder(plane: str, identity: str) -> bool:
    same = Credential.objects.filter(plane=plane, identity=identity)
    return same.usable().exists()


def _identity_taken() -> Refused:
    return Refused("IDENTITY_HELD", field="psk_identity")


def _endpoint_taken(holder: Device, operator: Operator, subscriber: Subscriber | None) -> Refused:
    if subscriber is not None and holder.subscriber_id == subscriber.pk:
        return Refused("ENDPOINT_IS_YOURS", field="endpoint")
    if subscriber is None and holder.operator_id == operator.pk:
        return Refused("ENDPOINT_IS_OPERATORS", field="endpoint")
    return Refused("ENDPOINT_HELD", field="endpoint")
