"""Names of registrations: what a device gets as its location, short enough for small devices and not to be guessed."""

from __future__ import annotations

import base64
import secrets
from collections.abc import Callable, Sequence

from devices.inventory import sql

CHARACTERS = 10
"""Zephyr keeps 12 bytes of a Location-Path segment (COAP_OPTION value of its lwm2m engine); 60 random bits are left."""
_RANDOM_BYTES = 8
_TRIES = 8


def draw(count: int, *, random: Callable[[int], bytes] = secrets.token_bytes) -> list[str]:
    """So many ids, each different and none that a registration, live or the last of its device, has.

    60 bits: with a million registrations one draw in 10^12 meets one that is taken and is drawn again here. Two
    processes that draw the same id at the same moment meet the unique constraint, and the message that lost is
    applied anew with another id by its group commit. Who guesses 4,000 times a second finds one of a million in
    about nine years. Raises RuntimeError when `random` is none.
    """
    drawn: dict[str, None] = {}
    for _ in range(_TRIES):
        missing = count - len(drawn)
        if not missing:
            return list(drawn)
        fresh = {_name(random(_RANDOM_BYTES)) for _ in range(missing)} - drawn.keys()
        drawn |= dict.fromkeys(fresh - _taken(sorted(fresh)))
    if len(drawn) < count:
        raise RuntimeError("The random numbers repeat; no registration id can be made of them.")
    return list(drawn)


def _name(dice: bytes) -> str:
    return base64.urlsafe_b64encode(dice).decode()[:CHARACTERS]


def _taken(ids: Sequence[str]) -> set[str]:
    found = sql.select("SELECT registration_id FROM registry_registration WHERE registration_id {ids}", ids)
    return {registration_id for (registration_id,) in found}
