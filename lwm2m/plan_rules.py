"""The consistency a bootstrap plan must have before it is used, told as sentences that say what to mend.

`OMA-TS-LightweightM2M_Core 6.1.7.6` and Appendix E.1: a client answers Finish with 4.06 otherwise.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator
from typing import TypeVar
from urllib.parse import urlsplit

from lwm2m.accounts import MAX_SHORT_SERVER_ID, SMS_NOSEC, BootstrapPlan, SecurityMode, ServerAccount
from lwm2m.messages import MAX_LIFETIME_SECONDS
from lwm2m.paths import RESERVED_INSTANCE_ID

_T = TypeVar("_T")

MAX_URI_LENGTH = 255
_NUMBER = re.compile(r"tel:\+?[0-9]{1,15}\Z", re.ASCII)
MAX_PSK_IDENTITY_BYTES = 128
MIN_PSK_BYTES = 16
MAX_PSK_BYTES = 64

# Scheme: is it secured, and the binding letters that can use it.
_SCHEMES = {
    "coap": (False, "US"),
    "coaps": (True, "US"),
    "coap+tcp": (False, "T"),
    "coaps+tcp": (True, "T"),
}


def validate(plan: BootstrapPlan) -> list[str]:
    """Every problem of a plan, in the order a person would mend them; empty when it may be used."""
    problems = list(_plan_problems(plan))
    for account in plan.accounts:
        named = f"Server {account.short_server_id}"
        problems += [f"{named}: {problem}" for problem in _account_problems(account)]
    return problems


def _plan_problems(plan: BootstrapPlan) -> Iterator[str]:
    accounts = plan.accounts
    if not accounts:
        yield "Add at least one server account; a device without one cannot register anywhere."
    for ssid in _repeated([account.short_server_id for account in accounts]):
        yield f"Give each server its own Short Server ID; {ssid} is used more than once."
    for number in _repeated([account.security_instance for account in accounts]):
        yield f"Give each server its own security instance; /0/{number} is used more than once."
    for number in _repeated([account.server_instance for account in accounts]):
        yield f"Give each server its own server instance; /1/{number} is used more than once."
    if _repeated([account.key or None for account in accounts]):
        yield "Give each server its own key; two servers share one."
    if len(accounts) > 1 and not plan.access_rights:
        yield "Add access rights; with more than one server a device lets nobody in without them."
    known = {account.short_server_id for account in accounts} | {0}
    for right in plan.access_rights:
        if not known.issuperset(server for server, _ in right.rights):
            yield f"Name only servers of this plan, or 0, in the rights on object {right.object_id}."
        if any(not 0 <= bits <= 31 for _, bits in right.rights):
            yield f"Use rights of 0 to 31 on object {right.object_id}."
    if any(path.depth > 2 for path in plan.deletes):
        yield "Delete only /, objects or instances; a bootstrap server cannot delete a resource."
    if any(path.object_id not in (1, 2) or path.depth > 2 for path in plan.reads):
        yield "Read only /1, /2 and their instances; a client refuses any other bootstrap read."


def _repeated(values: list[_T | None]) -> list[_T]:
    return [value for value, count in Counter(values).items() if value is not None and count > 1]


def _account_problems(account: ServerAccount) -> Iterator[str]:
    if not 1 <= account.short_server_id <= MAX_SHORT_SERVER_ID:
        yield f"Use a Short Server ID from 1 to {MAX_SHORT_SERVER_ID}."
    yield from _address_problems(account)
    yield from _credential_problems(account)
    for instance in (account.security_instance, account.server_instance):
        if instance is not None and not 0 <= instance < RESERVED_INSTANCE_ID:
            yield "Use instance ids from 0 to 65534, or leave them out to have them chosen."
    if not 0 <= account.lifetime_seconds <= MAX_LIFETIME_SECONDS:
        yield f"Use a lifetime of 0 (never expires) to {MAX_LIFETIME_SECONDS} seconds."
    spans = (account.pmin, account.pmax, account.disable_timeout, account.client_hold_off_seconds)
    if any(span is not None and span < 0 for span in spans):
        yield "Use no negative periods or time-outs."
    if account.pmin is not None and account.pmax is not None and account.pmax < account.pmin:
        yield "Make the default maximum period at least as long as the minimum period."


def _address_problems(account: ServerAccount) -> Iterator[str]:
    if len(account.uri) > MAX_URI_LENGTH:
        yield f"Shorten the server URI to {MAX_URI_LENGTH} characters."
    if account.uri.startswith("tel:"):
        yield from _number_problems(account)
        return
    try:
        parts = urlsplit(account.uri)
        _ = parts.port
    except ValueError:
        yield "Write the server URI like coaps://host:5684."
        return
    if parts.scheme not in _SCHEMES or not parts.hostname:
        yield "Write the server URI like coaps://host:5684, with coap, coaps, coap+tcp or coaps+tcp."
        return
    secured, letters = _SCHEMES[parts.scheme]
    if secured and account.security_mode == SecurityMode.NOSEC:
        yield f"Choose a security mode other than NoSec for {parts.scheme}, or use an unsecured scheme."
    if not secured and account.security_mode != SecurityMode.NOSEC:
        yield f"Use coaps or coaps+tcp with this security mode; {parts.scheme} is not secured."
    if not account.binding or not set("UTSNMHQ").issuperset(account.binding):
        yield "Use a binding of the letters U, T, S, N, M, H."
    elif not set(letters) & set(account.binding):
        yield f"Add {' or '.join(letters)} to the binding; {account.uri} cannot be reached without it."


def _number_problems(account: ServerAccount) -> Iterator[str]:
    """A server that is reached by SMS (`OMA-TS-LightweightM2M_Transport 6.4`, RFC 3966)."""
    if not _NUMBER.match(account.uri):
        yield "Write the server's number like tel:+49123456, or tel: and a short code."
    if account.security_mode != SecurityMode.NOSEC or account.sms_security_mode != SMS_NOSEC:
        yield "Use NoSec, and SMS NoSec, for a server that is reached by SMS."
    if not account.server_sms_number.isdigit() or account.server_sms_number not in account.uri:
        yield "Give the server's SMS number, the same as in its URI."
    if "S" not in account.binding or not set("USQ").issuperset(account.binding):
        yield f"Use a binding with S; {account.uri} cannot be reached without it."


def _credential_problems(account: ServerAccount) -> Iterator[str]:
    match account.security_mode:
        case SecurityMode.NOSEC:
            if account.identity or account.key or account.server_public_key:
                yield "Leave identity and keys empty with NoSec."
        case SecurityMode.PSK:
            if not 1 <= len(account.identity) <= MAX_PSK_IDENTITY_BYTES:
                yield f"Use a PSK identity of 1 to {MAX_PSK_IDENTITY_BYTES} bytes."
            if not MIN_PSK_BYTES <= len(account.key) <= MAX_PSK_BYTES:
                yield f"Use a PSK of {MIN_PSK_BYTES} to {MAX_PSK_BYTES} bytes."
            if account.server_public_key:
                yield "Leave the public key of the server empty with PSK."
        case SecurityMode.RPK | SecurityMode.CERTIFICATE:
            if not (account.identity and account.key and account.server_public_key):
                yield "Give the device's public key or certificate, its private key and that of the server."
        case SecurityMode.EST:
            if account.identity or account.key:
                yield "Leave identity and key empty with EST; the device enrols for them."
        case _:
            yield "Use a security mode from 0 (PSK) to 4 (EST)."
