"""May this device be served: the rules that need the device, its operator and its credential, as pure functions.

The one place for it: registrations, reports, the bootstrap door and whatever else comes from a device are judged here.

`lwm2m.registration` judges a message against the registration that stands; this judges who sends it.
Codes: a declined Register is 4.03, everything later is 4.00; a name that is not the credentials' is 4.00.
"""

from __future__ import annotations

from typing import Protocol

from audit import causes
from devices.inventory import security
from devices.inventory.models import Reach
from devices.inventory.states import Access, Provisioning
from devices.registry.standing_rows import DeviceFacts
from lwm2m.codes import Code
from lwm2m.errors import Lwm2mError
from lwm2m.registration import Origin

Refusal = tuple[str, str]
"""A cause of the catalogue, and the sentence that the device is told."""

_CLOSED: dict[Access, Refusal] = {
    Access.ACTIVE: ("OPERATOR_INACTIVE", "The device's operator is not active."),
    Access.SUSPENDED: ("DEVICE_SUSPENDED", "The device is suspended; its operator can make it active again."),
    Access.BARRED: ("DEVICE_BARRED", "The device is barred; its operator can make it active again."),
    Access.RETIRED: ("DEVICE_RETIRED", "The device was retired; add it anew."),
}


def endpoint_unknown(endpoint: str) -> Lwm2mError:
    return Lwm2mError(
        Code.FORBIDDEN, "ENDPOINT_UNKNOWN", f"No device has the endpoint {endpoint!r}; add it first."
    )


def endpoint_missing() -> Lwm2mError:
    """L-03: without credentials there is nothing to take the name from; the standard says 4.00."""
    return Lwm2mError(
        Code.BAD_REQUEST, "ENDPOINT_INVALID", "ep is missing and there are no credentials; send ep."
    )


def identity_unknown() -> Lwm2mError:
    """The credential was taken back while its DTLS session lived on."""
    return Lwm2mError(Code.FORBIDDEN, "PSK_IDENTITY_UNKNOWN", "These credentials no longer count.")


def number_unknown(number: str) -> Lwm2mError:
    """The device was removed, or its number changed, since the SMS came."""
    return Lwm2mError(Code.FORBIDDEN, "MSISDN_UNKNOWN", f"No device has the phone number {number}.")


def binding_problem(device: DeviceFacts, origin: Origin, binding: str) -> Lwm2mError | None:
    """A device with IP may register by SMS when it says that SMS leads to it."""
    if origin.transport != "sms" or device.reach == Reach.SMS or "S" in binding:
        return None
    return Lwm2mError(
        Code.FORBIDDEN, "BINDING_INVALID", f"It registered by SMS with the binding {binding}; add S."
    )


class Served(Protocol):
    """What the rules ask of a device, whichever statement read it."""

    @property
    def access(self) -> str: ...
    @property
    def security(self) -> str: ...
    @property
    def msisdn(self) -> str: ...
    @property
    def operator_is_active(self) -> bool: ...
    @property
    def operator_allows_nosec(self) -> bool: ...


def problem(
    device: Served, origin: Origin, *, registering: bool, credential_id: int | None
) -> Lwm2mError | None:
    """Why the device may not be served, or None; `registering` chooses the code (L-04).

    `credential_id` is of the key that counts for the identity now: a session that was made with another one, which was
    replaced or taken back, is none of the device's any more.
    """
    code = Code.FORBIDDEN if registering else Code.BAD_REQUEST
    if device.access != Access.ACTIVE or not device.operator_is_active:
        return Lwm2mError(code, *closed(device.access))
    if origin.is_secured:
        if origin.credential_id is None or origin.credential_id != credential_id:
            return Lwm2mError(code, "PSK_IDENTITY_UNKNOWN", "These credentials no longer count.")
        return None
    mode = security.of(device.security)
    if origin.transport == "sms":
        # The operator is checked: it came over the link of the number's own.
        if origin.identity != device.msisdn:
            return Lwm2mError(
                Code.BAD_REQUEST,
                "ENDPOINT_IDENTITY_MISMATCH",
                f"The phone number {origin.host} is not that of the device that registered.",
            )
        if mode.is_secured:
            return Lwm2mError(
                code, "WRONG_SECURITY", f"The device must use its {mode.noun}; a phone number is less."
            )
        return None
    refused = in_the_clear(mode, allows_nosec=device.operator_allows_nosec)
    return None if refused is None else Lwm2mError(code, *refused)


def closed(access: str) -> Refusal:
    """What to tell a device that is not active, or else whose operator is not."""
    return _CLOSED[Access(access)]


def in_the_clear(mode: security.Mode, *, allows_nosec: bool) -> Refusal | None:
    """Why a device of this mode may not come with nothing that proves who it is."""
    if mode.by_number:
        return "WRONG_SECURITY", "The device is known by its phone number; use SMS."
    if mode.is_secured:
        return "WRONG_SECURITY", f"The device must use its {mode.noun}; connect by coaps."
    if mode.needs_consent and not allows_nosec:
        return "NOSEC_NOT_ALLOWED", "The operator does not allow devices without encryption."
    return None


def not_ready(device: DeviceFacts) -> Lwm2mError | None:
    """Why a device that may be served cannot register yet."""
    if device.provisioning != Provisioning.DRAFT:
        return None
    return Lwm2mError(
        Code.FORBIDDEN,
        "NOT_PROVISIONED",
        "The device is not set up yet; its provisioning must run first.",
    )


def known_cause(code: str) -> str:
    """`code` if the catalogue has it, else the general word for a message that cannot be used."""
    return code if not code or code in causes.CAUSES else "MESSAGE_MALFORMED"
