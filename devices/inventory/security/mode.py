"""What a security mode answers: the facts that rules ask, what a person enters and sees, and what is made of it.

The defaults are those of a mode that has nothing of its own and is let in by nothing. Modes are frozen: one object
each, shared by all threads. None of them reads the database or the vault.
"""

from __future__ import annotations

import secrets
from collections.abc import Mapping
from dataclasses import dataclass, field

from django.utils.functional import Promise

from accounts.errors import Refused
from lwm2m.accounts import SecurityMode, ServerAccount

Words = str | Promise
"""What a person reads, in their language."""


@dataclass(frozen=True, slots=True)
class Material:
    """One credential. `identity` is what the security layer will say of the peer, at most 128 bytes of UTF-8.

    `parts` is everything else, secret or not, in a layout of the mode's own; it is kept sealed.
    """

    identity: str
    parts: bytes = field(repr=False)


@dataclass(frozen=True, slots=True)
class Entered:
    """What came of a person's entries. `is_made`: the portal drew the secret, so it has to be shown, once."""

    material: Material
    is_made: bool


@dataclass(frozen=True, slots=True)
class EntryField:
    """Something a person may type; `name` is that of the form, of REST and of `Refused.field`.

    `check` names the hint that the page gives while one types. A secret is never sent back.
    """

    name: str
    label: Words
    max_length: int
    is_secret: bool = False
    is_optional: bool = False
    label_note: Words = ""
    help: Words = ""
    rest_help: Words = ""
    staff_label: Words = ""
    staff_help: Words = ""
    check: str = ""


@dataclass(frozen=True, slots=True)
class Offer:
    """A choice on the page that adds a device; `value` is unique among all modes."""

    value: str
    label: Words
    note: Words
    fields: tuple[EntryField, ...] = ()


@dataclass(frozen=True, slots=True)
class Written:
    """A form in which a person copies a secret. `parameter` is its name in the QR code's line; empty: not in it."""

    slug: str
    label: Words
    text: str = field(repr=False)
    what: Words
    parameter: str = ""
    is_grouped: bool = False

    @property
    def grouped(self) -> str:
        """In groups of four, as one reads it out on the phone."""
        if not self.is_grouped:
            return self.text
        return " ".join(self.text[i : i + 4] for i in range(0, len(self.text), 4))


@dataclass(frozen=True, slots=True, kw_only=True)
class Mode:
    """A security mode. `label` stands in lists; `noun` in what a device is told ("it must use its ..."), in English."""

    name: str
    label: Words
    noun: str
    is_secured: bool = False
    """It proves itself with credentials that this portal keeps, over DTLS or TLS."""
    by_number: bool = False
    """It is known by the phone number that the SMSC tells."""
    needs_consent: bool = False
    """Only where the operator allows devices without encryption; behind a gateway nobody is asked."""
    is_anonymous: bool = False
    """Whoever knows the endpoint name can speak for it."""
    reaches: frozenset[str] = frozenset()
    """Values of `Reach` that it goes with."""
    lwm2m_mode: SecurityMode = SecurityMode.NOSEC
    """``/0/x/2`` of the account that is written into the device."""
    offers: tuple[Offer, ...] = ()
    sample: Material = Material("", b"")
    """Stands in for the secrets while an account is only checked: nobody has to open one for that."""

    @property
    def fields(self) -> tuple[EntryField, ...]:
        """All that may be entered, each once."""
        found = {one.name: one for offer in self.offers for one in offer.fields}
        return tuple(found.values())

    @property
    def is_for_profiles(self) -> bool:
        """Whether a bootstrap profile may choose it: not what the device's reach decides."""
        return not self.by_number

    # -- credentials --------------------------------------------------------------------------------------
    def enter(self, entered: Mapping[str, object], *, endpoint: str) -> Entered | None:
        """The credential of a device that is added, of `fields` by name; None where there is none. Raises Refused."""
        return None

    def identity_of(self, endpoint: str) -> str:
        """What a device with this name calls itself when nothing else is said; empty: no name decides it."""
        return ""

    def typed(self, entered: Mapping[str, object]) -> Material:
        """What somebody read from a label, with an empty identity where none was typed. Raises Refused."""
        raise self.has_none()

    def make(self, *, endpoint: str, identity: str = "") -> Material:
        """A credential of this portal's making for the device of this name. Raises Refused.

        `identity` is the one that it has, if it can stay; none: a new one that says nothing.
        """
        raise self.has_none()

    def is_same(self, one: bytes, other: bytes) -> bool:
        """Whether two `parts` are one secret."""
        return secrets.compare_digest(one, other)

    def has_none(self) -> Refused:
        """Of a credential that is asked of a mode without."""
        if self.is_secured:
            return Refused("CREDENTIAL_CANNOT_BE_MADE", security=self.label)
        return Refused("DEVICE_HAS_NO_KEY")

    def already_known(self) -> Refused:
        """Of a correction that changes nothing."""
        return Refused("KEY_UNCHANGED", field=next((one.name for one in self.fields if one.is_secret), None))

    # -- where credentials go -----------------------------------------------------------------------------
    def handshake_key(self, parts: bytes) -> bytes | None:
        """The pre-shared key for a handshake that asks for one; None where the mode has none."""
        return None

    def account(self, account: ServerAccount, material: Material, number: str) -> ServerAccount:
        """The account with what the mode has in ``/0``; `number` is ours for SMS, empty where it is not asked."""
        return account

    def written(self, material: Material) -> tuple[Written, ...]:
        """The secret as a person copies it, the form that REST tells first."""
        return ()
