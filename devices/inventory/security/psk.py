"""Pre-shared keys over DTLS (`OMA-TS-LightweightM2M_Transport 5.2.8`): `Material.parts` is the key itself."""

from __future__ import annotations

import base64
import secrets
import string
from collections.abc import Mapping
from dataclasses import dataclass, replace

from django.utils.translation import gettext_lazy as _

from devices.inventory.nameplate import IDENTITY_BYTES, check_identity, check_key, parse_key
from devices.inventory.security.mode import Entered, EntryField, Material, Mode, Offer, Written
from lwm2m.accounts import SecurityMode, ServerAccount

KEY_BYTES = 16
_IDENTITY_ALPHABET = string.ascii_letters + string.digits
_IDENTITY_LENGTH = 22
"""130 bits. Letters and digits alone, so neither the text nor its base64 has + / - or _."""

_KEY = EntryField(
    name="psk_key",
    label=_("Key on the device"),
    max_length=400,
    is_secret=True,
    help=_("Digits 0–9 and letters A–F, at least 32 of them. Spaces, colons and hyphens do not matter."),
    rest_help=_("Hex, 16 to 64 bytes. Empty: the portal makes one."),
    staff_label=_("Key on the device, hex"),
    check="psk-hex",
)
_IDENTITY = EntryField(
    name="psk_identity",
    label=_("Key identity"),
    max_length=IDENTITY_BYTES,
    is_optional=True,
    label_note=_("(only if the label has one)"),
    help=_("“Identity” or “PSK ID”. Empty means the endpoint name."),
    rest_help=_("Empty: the endpoint name."),
    staff_help=_("Only where another one than now is printed."),
)


def make_key() -> bytes:
    """A random key of 16 bytes that no device garbles: without NUL, its base64 without + and /.

    Clients that know one base64 alphabet read the other's - and _ wrongly or refuse them (wakaama's SenML JSON),
    and keys kept as C strings end at a NUL. A garbled draw is thrown away whole, so every key that is left is as
    likely as any other: 126.9 bits.
    """
    while True:
        key = secrets.token_bytes(KEY_BYTES)
        if 0 not in key and not {*"+/"} & {*base64.b64encode(key).decode()}:
            return key


def make_identity() -> str:
    """A random PSK identity that says nothing about the device and that no encoding garbles."""
    return "".join(secrets.choice(_IDENTITY_ALPHABET) for _ in range(_IDENTITY_LENGTH))


@dataclass(frozen=True, slots=True, kw_only=True)
class PreSharedKey(Mode):
    def enter(self, entered: Mapping[str, object], *, endpoint: str) -> Entered | None:
        """No key: the portal makes one; no identity: the endpoint name is it."""
        name = entered.get("psk_identity")
        identity = check_identity(str(name)) if name else self.identity_of(endpoint)
        is_made = not entered.get("psk_key")
        key = make_key() if is_made else _key(entered)
        return Entered(Material(identity, key), is_made)

    def identity_of(self, endpoint: str) -> str:
        """Devices commonly send their endpoint name as identity; a name too long for that gets a short one."""
        return endpoint if len(endpoint.encode()) <= IDENTITY_BYTES else make_identity()

    def typed(self, entered: Mapping[str, object]) -> Material:
        key, name = _key(entered), entered.get("psk_identity")
        return Material(check_identity(str(name)) if name else "", key)

    def make(self, *, endpoint: str, identity: str = "") -> Material:
        return Material(identity or make_identity(), make_key())

    def handshake_key(self, parts: bytes) -> bytes | None:
        return parts

    def account(self, account: ServerAccount, material: Material, number: str) -> ServerAccount:
        return replace(
            account, security_mode=self.lwm2m_mode, identity=material.identity.encode(), key=material.parts
        )

    def written(self, material: Material) -> tuple[Written, ...]:
        key = material.parts
        return (
            Written("hex", _("Key, hex"), key.hex(), _("the key in hex"), parameter="psk", is_grouped=True),
            Written("text", _("Key, Base64"), base64.b64encode(key).decode(), _("the key in Base64")),
        )


def _key(entered: Mapping[str, object]) -> bytes:
    key = entered.get("psk_key") or ""
    return check_key(key) if isinstance(key, bytes) else parse_key(str(key))


MODE = PreSharedKey(
    name="psk",
    label=_("Pre-shared key"),
    noun="pre-shared key",
    is_secured=True,
    reaches=frozenset({"ip"}),
    lwm2m_mode=SecurityMode.PSK,
    offers=(
        Offer("made", _("Make one for me"), _("You see it once and put it into the device.")),
        Offer(
            "printed",
            _("It is printed on the device"),
            _("The maker put a key in already. You type it in here."),
            (_KEY, _IDENTITY),
        ),
    ),
    sample=Material("0123456789abcdefghijkl", bytes(range(1, 17))),
)
