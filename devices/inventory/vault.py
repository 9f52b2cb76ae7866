"""Encrypts secrets at rest with the rotatable keys of FIELD_ENCRYPTION_KEYS (newest first), and knows where they lie.

Every module that seals names the places where its tokens are kept (`keep_place`), when it is imported: so that a new
key reaches all of them (`manage.py reseal_secrets`). A test holds that none is forgotten.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache

from cryptography.fernet import Fernet, InvalidToken, MultiFernet
from django.conf import settings
from django.core.exceptions import ImproperlyConfigured

Visit = Callable[[str], str]
"""Gets a token and gives the one to be kept in its place: the same, or another."""


class Unreadable(ImproperlyConfigured):
    """No key of FIELD_ENCRYPTION_KEYS opens this. It concerns what was sealed, and nothing else."""

    def __init__(self) -> None:
        super().__init__(
            "A stored secret cannot be opened: no key in FIELD_ENCRYPTION_KEYS fits. "
            "Put the key it was written with back."
        )


@dataclass(frozen=True, slots=True)
class Place:
    """Where tokens lie. `sealed_by` are the modules that make them; `walk` shows each one to a visit.

    `walk` keeps what it is given in short transactions of its own, and loses nothing when it is stopped.
    """

    name: str
    sealed_by: tuple[str, ...]
    walk: Callable[[Visit], None]


_places: dict[str, Place] = {}


def keep_place(place: Place) -> Place:
    """Have this place walked when keys change."""
    _places[place.name] = place
    return place


def places() -> tuple[Place, ...]:
    """All of them, by name."""
    return tuple(_places[name] for name in sorted(_places))


@lru_cache(maxsize=8)
def _fernet(keys: tuple[str, ...]) -> MultiFernet:
    return MultiFernet([Fernet(key) for key in keys])


def _all_keys() -> MultiFernet:
    return _fernet(tuple(settings.FIELD_ENCRYPTION_KEYS))


def seal(secret: bytes) -> str:
    """The secret as a token that only a listed key opens."""
    return _all_keys().encrypt(secret).decode()


def open_sealed(token: str) -> bytes:
    """The secret inside `token`. Raises `Unreadable`."""
    try:
        return _all_keys().decrypt(token.encode())
    except InvalidToken:
        raise Unreadable from None


def reseal(token: str) -> str:
    """The same secret under the newest key. Raises `Unreadable`."""
    try:
        return _all_keys().rotate(token.encode()).decode()
    except InvalidToken:
        raise Unreadable from None


def is_under_newest(token: str) -> bool:
    """Whether the older keys are not needed for this one."""
    try:
        _fernet((settings.FIELD_ENCRYPTION_KEYS[0],)).decrypt(token.encode())
    except InvalidToken:
        return False
    return True
