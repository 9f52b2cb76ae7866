"""Whether a device may come into the inventory: who adds it, how it connects, and whether its names are free."""

from __future__ import annotations

from accounts.models import Operator, Subscriber, SubscriberState
from devices.errors import Refused
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
    if reach != Reach.IP:
        raise Refused(
            "NOT_IMPLEMENTED",
            "Devices that connect by SMS or behind a gateway are in preparation; choose an own connection.",
            "reach",
        )
    if security == Security.NONE and not operator.allows_nosec:
        raise Refused(
            "NOSEC_NOT_ALLOWED",
            "This operator takes only encrypted devices; choose a pre-shared key.",
            "security",
        )


def check_free(
    endpoint: str, operator: Operator, subscriber: Subscriber | None, plane: str, identity: str
) -> None:
    """Says that a name is in use, never by whom: names can be guessed."""
    holder = Device.objects.filter(endpoint=endpoint).exclude(access=Access.RETIRED).first()
    if holder is not None:
        own = holder.subscriber_id == subscriber.pk if subscriber else holder.operator_id == operator.pk
        raise Refused(
            "ENDPOINT_TAKEN",
            "You already added this device; open it in your list of devices."
            if own and subscriber
            else "This operator already has a device with this endpoint name."
            if own
            else "This endpoint name is in use already. Check it against the label; if the device is yours, "
            "its former owner has to remove it first, or your operator's support can help.",
            "endpoint",
        )
    taken = Credential.objects.filter(plane=plane, identity=identity).exclude(state=CredentialState.RETIRED)
    if identity and taken.exists():
        raise Refused(
            "PSK_IDENTITY_TAKEN",
            "This PSK identity is in use already; check it against the label or use another one.",
            "psk_identity",
        )
