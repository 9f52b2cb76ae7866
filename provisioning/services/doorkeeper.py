"""Who may have a bootstrap session: decided by the authenticated identity, never by the endpoint name alone.

Everything refused here is an `Lwm2mError` with the code of reference 4.1: 4.00, or 4.15 for the format.
"""

from __future__ import annotations

from django.db.models import F

from accounts.errors import Refused
from devices.inventory.models import Credential, Device, Onboarding, Plane
from devices.inventory.states import Access, Provisioning
from devices.registry.services import admission
from lwm2m.codes import Code, ContentFormat
from lwm2m.errors import Lwm2mError, bad_request
from lwm2m.messages import BootstrapRequest
from lwm2m.registration import Origin
from provisioning.profiles import profiles

FORMATS = frozenset(
    {ContentFormat.TLV, ContentFormat.SENML_JSON, ContentFormat.SENML_CBOR, ContentFormat.LWM2M_CBOR}
)


def admit(*, request: BootstrapRequest, origin: Origin, credential_id: int | None) -> Device:
    """The device that knocks; raises when there is none or it may not be served."""
    if origin.transport == "sms":
        device = _by_number(origin.host)
    else:
        device = _by_name(request.endpoint) if credential_id is None else _by_credential(credential_id)
    if request.endpoint is not None and request.endpoint != device.endpoint:
        raise bad_request(
            "ENDPOINT_IDENTITY_MISMATCH",
            "The credentials belong to another endpoint; use those that were issued for this one.",
        )
    check(device, origin)
    return device


def _by_credential(credential_id: int) -> Device:
    known = Credential.objects.filter(pk=credential_id, plane=Plane.BOOTSTRAP)
    credential = known.usable().select_related("device__operator").first()
    if credential is None:
        raise bad_request("PSK_IDENTITY_UNKNOWN", "These credentials no longer count; connect again.")
    device: Device = credential.device
    return device


def _by_number(msisdn: str) -> Device:
    """The number is vouched for by the SMSC of the device's own operator, or the message would not be here."""
    living = Device.objects.filter(msisdn=msisdn).living()
    confirmed_first = living.order_by(F("msisdn_confirmed_at").asc(nulls_last=True), "pk")
    device: Device | None = confirmed_first.select_related("operator").first()
    if device is None:
        raise bad_request("MSISDN_UNKNOWN", "No device has this phone number; add it first.")
    return device


def _by_name(endpoint: str | None) -> Device:
    if endpoint is None:
        raise bad_request("ENDPOINT_INVALID", "ep is missing and there are no credentials; send ep.")
    living = Device.objects.filter(endpoint=endpoint).living()
    device: Device | None = living.select_related("operator").first()
    if device is None:
        raise bad_request("ENDPOINT_UNKNOWN", "No device has this endpoint; add it first.")
    return device


def check(device: Device, origin: Origin) -> None:
    """Raise unless the device, as it is now, may be served on this transport."""
    if device.access != Access.ACTIVE or not device.operator.is_active:
        raise bad_request(*admission.closed(device.access))
    refused = None if origin.is_secured else _without_credentials(device, origin)
    if refused is not None:
        raise bad_request(*refused)


def _without_credentials(device: Device, origin: Origin) -> admission.Refusal | None:
    if origin.transport == "sms":
        if device.security_mode.by_number:
            return None
        return "WRONG_SECURITY", "By SMS comes who is known by its phone number, and nobody else."
    refused = admission.in_the_clear(device.security_mode, allows_nosec=device.operator.allows_nosec)
    if refused is None and device.onboarding == Onboarding.DIRECT:
        # anybody can say its name, and would be answered with a session
        return "BOOTSTRAP_NOT_EXPECTED", "The device registers directly; use the M2M server's port."
    return refused


def content_format(request: BootstrapRequest) -> int:
    """What the device wants to be written in; LwM2M 1.0 clients do not say and get TLV."""
    if request.preferred_format is None:
        return int(ContentFormat.TLV)
    if request.preferred_format not in FORMATS:
        raise Lwm2mError(
            Code.UNSUPPORTED_CONTENT_FORMAT,
            "BOOTSTRAP_CONTENT_FORMAT_UNSUPPORTED",
            "This format cannot be written here; send pct=110, 112, 11542 or 11544.",
        )
    return int(request.preferred_format)


def plan(device: Device, origin: Origin) -> profiles.Rendered:
    """What will be written into the locked device, which came from there; raises while nothing sound can be."""
    if device.provisioning == Provisioning.DRAFT:
        problem = profiles.problem(device)
        if problem is not None:
            raise bad_request(problem.cause, problem.detail)
        raise bad_request("BOOTSTRAP_NOT_READY", "The device's configuration is being prepared; ask again.")
    try:
        return profiles.render(device=device, purpose="bootstrap session", transport=origin.transport)
    except Refused as error:
        raise bad_request(error.cause, error.recorded) from None
