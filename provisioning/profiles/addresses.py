"""Where devices find this portal: the addresses of its two servers on each transport."""

from __future__ import annotations

from django.conf import settings

from accounts.errors import Refused
from devices.inventory.models import Device, Onboarding
from devices.messaging.models import SmscLink
from devices.registry.models import Transport


def our_number(operator_id: int) -> str:
    """What devices of the operator send their SMS to. Raises Refused where there is none."""
    address = SmscLink.objects.filter(pk=operator_id).values_list("address", flat=True).first()
    if address is None:
        raise Refused("SMSC_LINK_NOT_SET_UP")
    if not address.removeprefix("+").isdigit():
        raise Refused("SMSC_ADDRESS_NO_NUMBER", address=address)
    return address


def management_uri(*, is_secured: bool = True, transport: str = "") -> str:
    """The address of this portal's management server, as devices reach it on the transport that they came by.

    Raises Refused where there is none: a device must not be left with an account that its network cannot reach.
    """
    if transport == Transport.TCP:
        if settings.COAP_TCP_PORT is None:
            raise Refused("TCP_NOT_SERVED")
        return f"coap+tcp://{_host()}:{settings.COAP_TCP_PORT}"
    return _uri(is_secured, settings.COAPS_PORT, settings.COAP_PORT)


def binding(wished: str, uri: str) -> str:
    """The profile's binding where the address can use it, else the letter of its transport; queue mode stays."""
    letter = "T" if "+tcp://" in uri else ""
    if not letter or letter in wished:
        return wished
    return f"{letter}Q" if "Q" in wished else letter


def bootstrap_uri(*, is_secured: bool = True) -> str:
    """The address of this portal's bootstrap server, as a person enters it into a device."""
    return _uri(is_secured, settings.BOOTSTRAP_COAPS_PORT, settings.BOOTSTRAP_COAP_PORT)


def first_uri(device: Device) -> str:
    """Where the device has to go first."""
    if device.security_mode.by_number:
        try:
            return f"tel:{our_number(device.operator_id)}"
        except Refused:
            return ""
    server = bootstrap_uri if device.onboarding == Onboarding.BOOTSTRAP else management_uri
    return server(is_secured=device.security_mode.is_secured)


def _uri(is_secured: bool, secured_port: int, plain_port: int) -> str:
    host = _host()
    return f"coaps://{host}:{secured_port}" if is_secured else f"coap://{host}:{plain_port}"


def _host() -> str:
    host = str(settings.PUBLIC_HOST)
    return f"[{host}]" if ":" in host and not host.startswith("[") else host
