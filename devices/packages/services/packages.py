"""Packages: taken in, told where they are, handed out in parts, counted when a device has one, removed."""

from __future__ import annotations

import secrets
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from hashlib import sha256
from typing import BinaryIO

from django.conf import settings
from django.db.models import F
from django.utils import timezone

from accounts.errors import Refused
from accounts.models import Operator
from audit import ledger, locks
from audit.actions import Action
from audit.ledger import Event
from devices.inventory.models import Device
from devices.inventory.states import Access
from devices.packages.models import Package, PackagePart
from devices.packages.selectors import packages as selectors
from devices.packages.services import addresses

PART_BYTES = 64 * 1024
MAX_BYTES = 16 * 1024 * 1024
NAME_LIMIT = 120
_FILE_LIMIT = 200
_ROWS_AT_ONCE = 16
MEGABYTE = 1024 * 1024


@dataclass(frozen=True, slots=True)
class Stored:
    """What is handed out: enough to answer for any block of it."""

    package_id: int
    name: str
    size: int
    sha256: str
    operator_id: int


def upload(
    *,
    operator: Operator,
    name: str,
    file: BinaryIO,
    file_name: str,
    digest: str = "",
    now: datetime | None = None,
) -> Package:
    """Keep what `file` holds, from where it stands. `digest` is the SHA-256 that the sender says it has, or "".

    Raises Refused for an empty or too large file, another digest, a name that says nothing, the same content once
    more, or where it would be more than PACKAGES_MB_PER_OPERATOR together.
    """
    name = name.strip()
    if not name or len(name) > NAME_LIMIT:
        raise Refused("PACKAGE_NAME_LENGTH", field="name", limit=NAME_LIMIT)
    content = _read(file)
    found = sha256(content).hexdigest()
    if digest.strip() and digest.strip().lower() != found:
        raise Refused("PACKAGE_DIGEST_DIFFERS", field="sha256", found=found)
    with ledger.unit_of_work():
        locks.rows(Operator.objects).get(pk=operator.pk)  # two uploads at once count each other
        same = Package.objects.filter(operator=operator, sha256=found).first()
        if same is not None:
            raise Refused("PACKAGE_IS_HERE", field="file", name=same.name)
        limit = settings.PACKAGES_MB_PER_OPERATOR
        if selectors.held_bytes(operator.pk) + len(content) > limit * MEGABYTE:
            raise Refused("PACKAGES_FULL", field="file", operator=operator, limit=limit)
        package = Package.objects.create(
            operator=operator,
            name=name,
            file=file_name.encode(errors="replace").decode()[-_FILE_LIMIT:],
            size=len(content),
            sha256=found,
            token=secrets.token_urlsafe(16),
            uploaded_at=now or timezone.now(),
        )
        PackagePart.objects.bulk_create(_parts(package, content), batch_size=_ROWS_AT_ONCE)
        ledger.record(
            action=Action.PACKAGE_UPLOADED,
            operator_id=operator.pk,
            target=f"package:{package.pk}",
            after=_facts(package),
        )
    return package


def _read(file: BinaryIO) -> bytes:
    content = file.read(MAX_BYTES + 1)
    if len(content) > MAX_BYTES:
        raise Refused("PACKAGE_TOO_LARGE", field="file", limit=MAX_BYTES // MEGABYTE)
    if not content:
        raise Refused("PACKAGE_EMPTY", field="file")
    return content


def _parts(package: Package, content: bytes) -> Iterator[PackagePart]:
    for number, start in enumerate(range(0, len(content), PART_BYTES)):
        yield PackagePart(package=package, number=number, content=content[start : start + PART_BYTES])


def remove(*, package: Package, reason: str = "") -> None:
    """Take it away; a device in the middle of it finds nothing any more."""
    with ledger.unit_of_work():
        row = locks.rows(Package.objects).filter(pk=package.pk).first()
        if row is None:
            raise Refused("PACKAGE_GONE")
        before = _facts(row)
        target = f"package:{row.pk}"
        row.delete()
        ledger.record(
            action=Action.PACKAGE_REMOVED,
            operator_id=package.operator_id,
            target=target,
            before=before,
            reason=reason,
        )


def stored(token: str, device_id: int | None = None) -> Stored | None:
    """What is to be handed out under a token; None when it was removed, or its device may not connect any more."""
    row = (
        Package.objects.filter(token=token).values_list("pk", "name", "size", "sha256", "operator_id").first()
    )
    if row is None:
        return None
    found = Stored(*row)
    if device_id is not None:
        theirs = Device.objects.filter(pk=device_id, operator_id=found.operator_id, access=Access.ACTIVE)
        if not theirs.exists():
            return None
    return found


def part(package_id: int, number: int) -> bytes | None:
    """One part of a package; None when it was removed meanwhile."""
    row = (
        PackagePart.objects.filter(package_id=package_id, number=number)
        .values_list("content", flat=True)
        .first()
    )
    return None if row is None else bytes(row)


def fetched(*, package: Stored, device_id: int | None, now: datetime | None = None) -> None:
    """A device got the last block. Whoever has the address could ask for it, so the event is one by a stranger."""
    now = now or timezone.now()
    with ledger.unit_of_work():
        counted = Package.objects.filter(pk=package.package_id).update(
            fetches=F("fetches") + 1, fetched_at=now
        )
        if not counted:
            return
        ledger.record_many(
            [
                Event(
                    action=Action.PACKAGE_FETCHED,
                    operator_id=package.operator_id,
                    target=f"package:{package.package_id}",
                    device_id=device_id,
                    after={"name": package.name, "size": package.size, "sha256": package.sha256},
                    by_stranger=True,
                    at=now,
                )
            ]
        )


def uri(package: Package, device: Device | None = None) -> str | None:
    """Where a device fetches it; told for one device, the fetch stands in its trail. None where no files are served.

    Raises ValueError for a device of another operator.
    """
    if device is not None and device.operator_id != package.operator_id:
        raise ValueError("a package is for devices of its operator")
    return addresses.uri(package.token, None if device is None else device.pk)


def _facts(package: Package) -> dict[str, object]:
    return {"name": package.name, "file": package.file, "size": package.size, "sha256": package.sha256}
