"""Reads settings from the environment; a wrong value is one clear sentence that names the variable.

Embedded is what you get when nothing is set: secrets are made once and kept in the data directory.
Production never invents a secret: it refuses to start without one.
"""

from __future__ import annotations

import base64
import os
import secrets
import stat
from ipaddress import IPv4Network, IPv6Network, ip_network
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from django.core.exceptions import ImproperlyConfigured

TRUE = {"1", "true", "yes", "on"}
FALSE = {"0", "false", "no", "off"}
DATABASE_SCHEMES = {"sqlite", "postgres", "postgresql", "psql"}
PRIVATE = (
    "portal.sqlite3*",
    "test.sqlite3*",
    "mail",
    "mail/*",
    "secrets",
    "secrets/*",
    "demo-*",
    "southbound",
    "southbound/*",
)
WEB_SCHEMES = {"http", "https"}

REQUIRED_IN_PRODUCTION = {
    "DATABASE_URL": "Production keeps its data in a database of its own: postgres://USER:PASSWORD@HOST:PORT/NAME",
    "REDIS_URL": "Production processes talk through Redis: redis://HOST:6379/0",
    "EMAIL_URL": "Nobody can confirm an address without mail: smtp+tls://USER:PASSWORD@HOST:587",
    "PUBLIC_HOST": "Devices are told to reach the server by it: m2m.example.net",
    "PUBLIC_URL": "Links in mails start with it: https://m2m.example.net",
}
"""What production never makes up, with an example each; the secrets stand beside their own rules below."""


def text(name: str, default: str = "") -> str:
    return os.environ.get(name, "").strip() or default


def require_for_production() -> None:
    """Raises ImproperlyConfigured for the first variable of REQUIRED_IN_PRODUCTION that is not set."""
    for name, example in REQUIRED_IN_PRODUCTION.items():
        if not text(name):
            raise ImproperlyConfigured(f"{name} is not set. {example}")


def boolean(name: str, default: bool) -> bool:
    raw = text(name).lower()
    if not raw:
        return default
    if raw in TRUE:
        return True
    if raw in FALSE:
        return False
    raise ImproperlyConfigured(f"{name}={raw!r} is not a yes or a no. Set it to 1 or 0.")


def integer(name: str, default: int, *, low: int, high: int) -> int:
    raw = text(name)
    if not raw:
        return default
    try:
        value = int(raw)
    except ValueError:
        raise ImproperlyConfigured(
            f"{name}={raw!r} is not a whole number. Set it to {low}..{high}."
        ) from None
    if not low <= value <= high:
        raise ImproperlyConfigured(f"{name}={value} is out of range. Set it to {low}..{high}.")
    return value


def port(name: str, default: int) -> int:
    return integer(name, default, low=1, high=65535)


def port_or_none(name: str) -> int | None:
    """None where it is not set: then nothing listens."""
    return port(name, 1) if text(name) else None


def words(name: str, default: str = "") -> list[str]:
    return [word.strip() for word in text(name, default).split(",") if word.strip()]


def networks(name: str, default: str) -> list[str | IPv4Network | IPv6Network]:
    """Networks such as 10.0.0.0/8, and the word `public`."""
    found: list[str | IPv4Network | IPv6Network] = []
    for word in words(name, default):
        try:
            found.append("public" if word.lower() == "public" else ip_network(word))
        except ValueError:
            raise ImproperlyConfigured(
                f"{name} has {word!r}, which is no network. Write networks such as 10.20.0.0/16, or the word public, "
                "with commas between them."
            ) from None
    return found


def port_range(name: str, default: str) -> tuple[int, int]:
    """Two ports with a dash between them, or one."""
    low, _, high = text(name, default).partition("-")
    try:
        found = int(low), int(high or low)
    except ValueError:
        found = (0, 0)
    if not 1 <= found[0] <= found[1] <= 65535:
        raise ImproperlyConfigured(
            f"{name}={text(name)!r} is no range of ports. Set it to one such as {default}."
        )
    return found


def choice(name: str, default: str, allowed: tuple[str, ...]) -> str:
    value = text(name, default).lower()
    if value not in allowed:
        raise ImproperlyConfigured(f"{name}={value!r} is not known. Set it to one of: {', '.join(allowed)}.")
    return value


def url(name: str, schemes: set[str]) -> str:
    """An URL whose scheme is one of `schemes`, or an empty string when it is not set."""
    raw = text(name)
    if raw and urlsplit(raw).scheme.lower() not in schemes:
        raise ImproperlyConfigured(
            f"{name} starts with {raw.split(':', 1)[0]!r}, which is not supported. Start it with one of: "
            f"{', '.join(sorted(schemes))}."
        )
    return raw


def secret(name: str, *, production: bool, keep_in: Path) -> str:
    """The secret `name`; in production it must be set, embedded it is made once and kept in a file (mode 0600)."""
    value = text(name)
    if value:
        if production and (value.lower() in {"secret", "changeme", "insecure", "default"} or len(value) < 32):
            raise ImproperlyConfigured(
                f"{name} is a default or too short for production. Set it to 32 or more random characters, "
                "for example the output of: python -c 'import secrets; print(secrets.token_urlsafe(48))'"
            )
        return value
    if production:
        raise ImproperlyConfigured(
            f"{name} is not set. Production needs its own secret: set {name} to the output of: "
            "python -c 'import secrets; print(secrets.token_urlsafe(48))'"
        )
    return _kept(name, keep_in, lambda: secrets.token_urlsafe(48))


def encryption_keys(name: str, *, production: bool, keep_in: Path) -> list[str]:
    """Fernet keys, newest first; old ones stay listed until everything is written anew with the newest."""
    values = words(name)
    if not values:
        if production:
            raise ImproperlyConfigured(
                f"{name} is not set. Production encrypts device keys with it: set it to the output of: "
                'python -c "from cryptography.fernet import Fernet; print(Fernet.generate_key().decode())"'
            )
        values = [_kept(name, keep_in, lambda: base64.urlsafe_b64encode(secrets.token_bytes(32)).decode())]
    for value in values:
        if not _is_32_bytes(value):
            raise ImproperlyConfigured(
                f"{name} holds a value that is not a key. Each key is 32 bytes in URL-safe base64 "
                '(44 characters), as printed by: python -c "from cryptography.fernet import Fernet; '
                'print(Fernet.generate_key().decode())"'
            )
    return values


def signing_keys(name: str, *, production: bool, keep_in: Path) -> list[str]:
    """Seeds of Ed25519 keys (RFC 8032), the first of which signs, and `public:` halves of keys that sign no more."""
    values = words(name)
    if not values:
        if production:
            raise ImproperlyConfigured(
                f"{name} is not set. Production signs the ledger's checkpoints with it: set it to the output of: "
                "python -c 'import base64, secrets; print(base64.urlsafe_b64encode(secrets.token_bytes(32)).decode())'"
            )
        values = [_kept(name, keep_in, lambda: base64.urlsafe_b64encode(secrets.token_bytes(32)).decode())]
    if values[0].startswith("public:"):
        raise ImproperlyConfigured(
            f"{name} begins with a public key, which cannot sign. Put the signing key first."
        )
    for value in values:
        if not _is_32_bytes(value.removeprefix("public:")):
            raise ImproperlyConfigured(
                f"{name} holds a value that is not a key. Each key is 32 bytes in URL-safe base64 (44 characters), as "
                "printed by: python -c 'import base64, secrets; "
                "print(base64.urlsafe_b64encode(secrets.token_bytes(32)).decode())'; one that only verifies has "
                "public: before it, as manage.py audit_checkpoints --key prints it."
            )
    return values


def _is_32_bytes(value: str) -> bool:
    try:
        return len(base64.urlsafe_b64decode(value.encode())) == 32
    except ValueError:
        return False


def keep_private(folder: Path) -> None:
    """Whatever this process writes from now on is its owner's alone, and so is what lies in `folder` already.

    The embedded database holds password hashes, sessions and messages. A folder that others share (sticky, as
    /tmp is) and one that is not ours keep their mode; the files in it are private all the same.
    """
    os.umask(0o077)
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    ours = [one for pattern in PRIVATE for one in folder.glob(pattern)]
    about = folder.stat()
    if ours and about.st_uid == os.geteuid() and not about.st_mode & stat.S_ISVTX:
        _tighten(folder)
    for one in ours:
        _tighten(one)


def _tighten(path: Path) -> None:
    try:
        mode = stat.S_IMODE(path.lstat().st_mode)
        if mode & 0o077 and not path.is_symlink():
            path.chmod(mode & ~0o077)
    except (FileNotFoundError, PermissionError):
        return  # a journal that was just taken away, or another user's file: not ours to change


def _kept(name: str, folder: Path, make) -> str:
    path = folder / "secrets" / name.lower()
    try:
        return path.read_text().strip()
    except FileNotFoundError:
        pass
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    value = make()
    try:
        descriptor = os.open(path, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600)
    except FileExistsError:  # another process was first
        return path.read_text().strip()
    with os.fdopen(descriptor, "w") as file:
        file.write(value + "\n")
    return value


def pooled_postgresql(options: dict[str, Any]) -> dict[str, Any]:
    """Settings of a PostgreSQL connection beside its URL: a bounded pool, and an end to every kind of waiting.

    Under ASGI each request may run on a thread of its own, and nobody closes what such a thread left open; so nothing
    persists but the pool. The time-outs are PostgreSQL's own (manual 20.11.1): a session that is stuck stops nobody
    for longer, and what waited in vain is an OperationalError, which is tried again.
    """
    timeouts = {
        "lock_timeout": integer("DATABASE_LOCK_SECONDS", 10, low=1, high=300),
        "statement_timeout": integer("DATABASE_STATEMENT_SECONDS", 60, low=1, high=3600),
        "idle_in_transaction_session_timeout": integer("DATABASE_IDLE_SECONDS", 60, low=1, high=3600),
    }
    said = " ".join(f"-c {name}={seconds * 1000}" for name, seconds in timeouts.items())
    pool = {
        "min_size": 1,
        "max_size": integer("DATABASE_POOL_SIZE", 20, low=8, high=1000),  # a southbound process keeps seven
        "timeout": integer("DATABASE_POOL_WAIT_SECONDS", 10, low=1, high=300),
    }
    return {
        "CONN_MAX_AGE": 0,
        "CONN_HEALTH_CHECKS": True,
        "OPTIONS": {**options, "options": f"{said} {options.get('options', '')}".strip(), "pool": pool},
    }
