"""Signing the ledger's checkpoints: Ed25519 (RFC 8032) by the keys of `LEDGER_SIGNING_KEYS`.

The first key signs; each of the others, a seed or only the `public:` half of one, still verifies. To rotate, put a new
seed in front and replace the old one by its public half.
"""

from __future__ import annotations

import base64
import hashlib
from functools import lru_cache

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from django.conf import settings

_CONTEXT = b"m2m-portal ledger checkpoint 1\n"
PUBLIC = "public:"


def sign(statement: bytes) -> str:
    """Hexadecimal, by the newest key."""
    return _signing(settings.LEDGER_SIGNING_KEYS[0]).sign(_CONTEXT + statement).hex()


def signing_key() -> str:
    """The name of the key that signs."""
    return _name(_signing(settings.LEDGER_SIGNING_KEYS[0]).public_key())


def public_half() -> str:
    """Of the key that signs, as `LEDGER_SIGNING_KEYS` takes it."""
    return (
        PUBLIC
        + base64.urlsafe_b64encode(
            _signing(settings.LEDGER_SIGNING_KEYS[0]).public_key().public_bytes_raw()
        ).decode()
    )


def is_known(key: str) -> bool:
    return key in _keys(tuple(settings.LEDGER_SIGNING_KEYS))


def is_signed(statement: bytes, *, key: str, signature: str) -> bool:
    """Whether the known key of this name signed it."""
    public = _keys(tuple(settings.LEDGER_SIGNING_KEYS)).get(key)
    if public is None:
        return False
    try:
        public.verify(bytes.fromhex(signature), _CONTEXT + statement)
    except (InvalidSignature, ValueError):
        return False
    return True


def _name(key: Ed25519PublicKey) -> str:
    return hashlib.sha256(key.public_bytes_raw()).hexdigest()[:16]


@lru_cache(maxsize=8)
def _signing(seed: str) -> Ed25519PrivateKey:
    return Ed25519PrivateKey.from_private_bytes(base64.urlsafe_b64decode(seed))


@lru_cache(maxsize=8)
def _keys(values: tuple[str, ...]) -> dict[str, Ed25519PublicKey]:
    """By name."""
    return {_name(key): key for key in map(_public, values)}


def _public(value: str) -> Ed25519PublicKey:
    if value.startswith(PUBLIC):
        return Ed25519PublicKey.from_public_bytes(base64.urlsafe_b64decode(value.removeprefix(PUBLIC)))
    return _signing(value).public_key()
