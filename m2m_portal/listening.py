"""Which addresses the portal listens on, and a plain word when one of them is taken."""

from __future__ import annotations

import ipaddress
import socket
from dataclasses import dataclass

from django.conf import settings


@dataclass(frozen=True)
class Listening:
    """One port: the setting that chooses it, what for, and how a client writes it."""

    setting: str
    port: int
    datagram: bool
    purpose: str
    url: str


def all_ports() -> list[Listening]:
    host = settings.PUBLIC_HOST
    rows = (
        ("HTTP_PORT", False, "pages and REST", "http"),
        ("COAP_PORT", True, "M2M server, CoAP", "coap"),
        ("COAPS_PORT", True, "M2M server, CoAP over DTLS", "coaps"),
        ("BOOTSTRAP_COAP_PORT", True, "bootstrap server, CoAP", "coap"),
        ("BOOTSTRAP_COAPS_PORT", True, "bootstrap server, CoAP over DTLS", "coaps"),
        ("COAP_TCP_PORT", False, "M2M server, CoAP over TCP", "coap+tcp"),
        ("BOOTSTRAP_COAP_TCP_PORT", False, "bootstrap server, CoAP over TCP", "coap+tcp"),
        ("COAP_FILES_PORT", True, "packages for devices, CoAP", "coap"),
    )
    return [
        Listening(
            name, getattr(settings, name), datagram, purpose, f"{scheme}://{host}:{getattr(settings, name)}"
        )
        for name, datagram, purpose, scheme in rows
        if getattr(settings, name)
    ]


def problem() -> str | None:
    """One sentence that names the first setting that cannot be listened on, or None."""
    try:
        version = ipaddress.ip_address(settings.BIND_ADDRESS).version
    except ValueError:
        return f"BIND_ADDRESS={settings.BIND_ADDRESS!r} is not an IP address. Set it to 127.0.0.1, 0.0.0.0 or ::."
    seen: dict[tuple[int, bool], str] = {}
    for row in all_ports():
        twin = seen.setdefault((row.port, row.datagram), row.setting)
        if twin != row.setting:
            return f"{twin} and {row.setting} are both {row.port}. Give each its own port."
        family = socket.AF_INET6 if version == 6 else socket.AF_INET
        with socket.socket(family, socket.SOCK_DGRAM if row.datagram else socket.SOCK_STREAM) as probe:
            if not row.datagram:
                probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind((settings.BIND_ADDRESS, row.port))
            except OSError as error:
                kind = "UDP" if row.datagram else "TCP"
                return (
                    f"{kind} port {row.port} on {settings.BIND_ADDRESS} cannot be used for {row.purpose} "
                    f"({error.strerror}). Stop what uses it, or set {row.setting} to another port."
                )
    return None
