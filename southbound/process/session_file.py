"""Keeps DTLS sessions over a clean restart: sealed in a file that is good for exactly one start.

One file for each process number and plane. A process may have another number after its restart, when the one before
still counts as alive; what no process that runs has a claim to is then taken up all the same.

The file is removed, and its removal is on the disk, before one of its sessions is used. So after a crash there is no
file, the devices shake hands anew, and no sequence number (hence no nonce) can ever be used twice for a key. Inside
the export every session's numbers are reserved in blocks (`dtls.session.Reservation`).
"""

from __future__ import annotations

import logging
import os
from pathlib import Path

from django.conf import settings

from devices.inventory import vault

logger = logging.getLogger(__name__)


def path(number: int, plane: str) -> Path:
    """One file for each process number and plane."""
    return Path(settings.DATA_DIR) / "southbound" / f"dtls-{number}-{plane}.sealed"


def write(number: int, plane: str, exported: bytes) -> None:
    """Keep an export, mode 0600, whole or not at all."""
    target = path(number, plane)
    target.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    _replace(target, vault.seal(exported))


def _replace(target: Path, sealed: str) -> None:
    fresh = target.with_suffix(".new")
    fresh.unlink(missing_ok=True)
    descriptor = os.open(fresh, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600)
    with os.fdopen(descriptor, "w") as file:
        file.write(sealed)
        file.flush()
        os.fsync(file.fileno())
    fresh.rename(target)
    _sync(target.parent)


def left_behind(plane: str) -> list[int]:
    """The numbers of the processes that kept sessions of this plane."""
    found = []
    for source in path(0, plane).parent.glob(f"dtls-*-{plane}.sealed"):
        number = source.name.split("-")[1]
        if number.isdecimal():
            found.append(int(number))
    return sorted(found)


def take(number: int, plane: str) -> bytes:
    """What was kept, once; empty when there is nothing or it cannot be opened."""
    source = path(number, plane)
    try:
        sealed = source.read_text()
        source.unlink()
    except FileNotFoundError:
        return b""
    _sync(source.parent)
    try:
        return vault.open_sealed(sealed)
    except vault.Unreadable:
        logger.warning("dtls_sessions_lost reason=no key of FIELD_ENCRYPTION_KEYS opens %s", source)
        return b""


def _walk(visit: vault.Visit) -> None:
    """The files of processes that are stopped.

    A file that is to change is out of the way before it is read: whoever starts meanwhile finds none, and so nobody
    uses what is then put back a second time.
    """
    for source in sorted(path(0, "x").parent.glob("dtls-*.sealed")):
        aside = source.with_suffix(".aside")
        try:
            token = source.read_text()
            changed = visit(token)
            if changed == token:
                continue
            source.rename(aside)
        except FileNotFoundError:
            continue  # its process started meanwhile
        if aside.read_text() == token and not source.exists():
            _replace(source, changed)
        aside.unlink()


PLACE = vault.Place("DTLS sessions of stopped processes", ("southbound.process.session_file",), _walk)


def _sync(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
