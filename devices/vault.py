"""Encrypts secrets at rest with the rotatable keys of FIELD_ENCRYPTION_KEYS (newest first)."""

from __future__ import annotations

from functools import lru_cache

from cryptography.fernet import Fernet, InvalidToken, MultiFernet
from django.conf import settings
from django.core.exceptions import ImproperlyConfigured


@lru_cache(maxsize=4)
def _fernet(keys: tuple[str, ...]) -> MultiFernet:
    return MultiFernet([Fernet(key) for key in keys])


def seal(secret: bytes) -> str:
    """The secret as a token that only a listed key opens."""
    return _fernet(tuple(settings.FIELD_ENCRYPTION_KEYS)).encrypt(secret).decode()


def open_sealed(token: str) -> bytes:
    """The secret inside `token`; raises ImproperlyConfigured when no listed key opens it."""
    try:
        return _fernet(tuple(settings.FIELD_ENCRYPTION_KEYS)).decrypt(token.encode())
    except InvalidToken:
        raise ImproperlyConfigured(
            "A stored secret cannot be opened: no key in FIELD_ENCRYPTION_KEYS fits. "
            "Put the key it was written with back."
        ) from None


def reseal(token: str) -> str:
    """The same secret under the newest key."""
    return _fernet(tuple(settings.FIELD_ENCRYPTION_KEYS)).rotate(token.encode()).decode()
