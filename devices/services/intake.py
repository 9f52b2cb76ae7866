"""Whether a device may come into the inventory: who adds it, how it connects, whether its names are free."""

from __future__ import annotations

from django.db.models import Q

from accounts.models import Operator, Subscriber, SubscriberState
from devices.errors import Refused
from devices.messaging import SmscLink
from devices.models import Credential, CredentialState, Device, Onboarding, Reach, Security
from devices.states import Access


def check_people(operator: Operator, subscriber: Subscriber | None) -> None:
    if not operator.is_active:
        raise Refused("OPERATOR_INACTIVE", "This operator takes no devices at present; ask its support.")
    if subscriber is None:
        return
    if subscriber.operator_id != operator.pk:
        raise Refused(
            "VALIDATION_FAILED", "This account is with another operator; choose its operator.", "operator"
        )
    if subscriber.state != SubscriberState.ACTIVE:
        raise Refused("PERMISSION_DENIED", "Your account is not active; ask your operator's support.")


def check_ways(operator: Operator, reach: str, onboarding: str, security: str) -> None:
    for value, choices, name in (
        (reach, Reach, "reach"),
        (onboarding, Onboarding, "onboarding"),
        (security, Security, "security"),
    ):
        if value not in choices.values:
            known = ", ".join(choices.values)
            raise Refused("VALIDATION_FAILED", f"{value!r} is not one of: {known}.", name)
    if reach == Reach.SMS and not SmscLink.objects.filter(pk=operator.pk, is_enabled=True).exists():
        raise Refused(
            "SMSC_LINK_MISSING",
            "This operator takes no devices by SMS yet; its support can say when it will.",
            "reach",
        )
    if (security == Security.MSISDN) != (reach == Reach.SMS):
        raise Refused(
            "VALIDATION_FAILED",
            "A device is known by its phone number if and only if it has SMS alone.",
            "security",
        )
    if security == Security.NONE and reach != Reach.GATEWAY and not operator.allows_nosec:
        raise Refused(
            "NOSEC_NOT_ALLOWED",
            "This operator takes only encrypted devices; choose a pre-shared key.",
            "security",
        )


def check_number_free(msisdn: str, operator: Operator, *, but: int | None = None) -> None:
    """Says that a phone number is in use, never by whom; `but` is the device that asks.

    That somebody with another operator typed it says nothing, until an SMS came from it.
    """
    holders = Device.objects.filter(msisdn=msisdn).exclude(access=Access.RETIRED).exclude(pk=but)
    if msisdn and holders.filter(Q(operator=operator) | Q(msisdn_confirmed_at__isnull=False)).exists():
        raise Refused(
            "MSISDN_TAKEN",
            "This phone number is in use by another device already; check it against the SIM card.",
            "msisdn",
        )


def check_free(
    endpoint: str, operator: Operator, subscriber: Subscriber | None, plane: str, identity: str
) -> None:
    """Says that a name is in use, never by whom: names can be guessed."""
    # The identity is looked up first: a device that is added at this moment has both, and its name counts.
    identity_taken = bool(identity) and _has_holder(plane, identity)
    holder = Device.objects.filter(endpoint=endpoint).exclude(access=Access.RETIRED).first()
    if holder is not None:
        raise Refused("ENDPOINT_TAKEN", _whose(holder, operator, subscriber), "endpoint")
    if identity_taken:
        raise _identity_taken()


def check_identity_free(plane: str, identity: str) -> None:
    """Says that a PSK identity is in use, never by whom."""
    if _has_holder(plane, identity):
        raise _identity_taken()


def _has_holder(plane: str, identity: str) -> bool:
    same = Credential.objects.filter(plane=plane, identity=identity)
    return same.exclude(state=CredentialState.RETIRED).exists()


def _identity_taken() -> Refused:
    return Refused(
        "PSK_IDENTITY_TAKEN",
        "This PSK identity is in use already; check it against the label or use another one.",
        "psk_identity",
    )


def _whose(holder: Device, operator: Operator, subscriber: Subscriber | None) -> str:
    if subscriber is not None and holder.subscriber_id == subscriber.pk:
        return "You already added this device; open it in your list of devices."
    if subscriber is None and holder.operator_id == operator.pk:
        return "This operator already has a device with this endpoint name."
    return (
        "This endpoint name is in use already. Check it against the label; if the device is yours, "
        "its former owner has to remove it first, or your operator's support can help."
    )
