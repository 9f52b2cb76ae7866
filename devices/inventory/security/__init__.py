"""How a device proves who it is: one file a mode, one line here. A mode never imports another.

Nobody outside of this package compares the name of a mode; they ask it what they want to know (`of`).
"""

from __future__ import annotations

from collections.abc import Iterator

from django.utils.translation import gettext_lazy as _

from devices.inventory.security import msisdn, none, psk
from devices.inventory.security.mode import Entered, EntryField, Material, Mode, Offer, Words, Written

__all__ = [
    "DEFAULT",
    "KINDS",
    "Entered",
    "EntryField",
    "Material",
    "Mode",
    "Offer",
    "Written",
    "choices",
    "entry_fields",
    "of",
    "of_reach",
    "offers",
    "profile_choices",
]

KINDS: dict[str, Mode] = {
    mode.name: mode
    for mode in (
        psk.MODE,
        none.MODE,
        msisdn.MODE,
    )
}
DEFAULT = psk.MODE.name
_UNKNOWN = Mode(name="", label=_("Unknown"), noun="credentials", is_secured=True)
"""Of a row whose mode this version does not have: nothing can be made for it, and no name or number lets it in."""


def of(name: str) -> Mode:
    """The mode of this name; of an unknown one, a mode that lets nothing in but credentials that count."""
    return KINDS.get(name, _UNKNOWN)


def choices() -> list[tuple[str, Words]]:
    """Name and label of each, for columns, forms and REST."""
    return [(mode.name, mode.label) for mode in KINDS.values()]


def profile_choices() -> list[tuple[str, Words]]:
    """Likewise, what a bootstrap profile may write into devices."""
    return [(mode.name, mode.label) for mode in KINDS.values() if mode.is_for_profiles]


def of_reach(reach: str) -> tuple[Mode, ...]:
    """The modes that go with a reach, the usual one first; where there is only one, nobody has to be asked."""
    return tuple(mode for mode in KINDS.values() if reach in mode.reaches)


def offers(reach: str, *, has_consent: bool) -> Iterator[tuple[Mode, Offer]]:
    """What a person may choose from for a device of this reach; `has_consent`: an operator allows no encryption."""
    for mode in of_reach(reach):
        if has_consent or not mode.needs_consent:
            yield from ((mode, offer) for offer in mode.offers)


def entry_fields() -> dict[str, EntryField]:
    """Everything that may be entered for a device of any mode, by name."""
    return {one.name: one for mode in KINDS.values() for one in mode.fields}
