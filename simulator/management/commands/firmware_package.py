"""`manage.py firmware_package`: a package that virtual devices with object 5 take, to try a firmware update."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from simulator import firmware_packages


class Command(BaseCommand):
    help = "Writes a firmware package for virtual devices, to be uploaded and written to /5/0/1, or to be pushed."
    requires_system_checks: list[str] = []

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("version", help="what the device calls itself afterwards, such as 2.0.0")
        parser.add_argument("file", type=Path)
        parser.add_argument("--size", type=int, default=100_000, metavar="BYTES", help="(100000)")
        parser.add_argument("--broken", action="store_true", help="it looks sound, and does not install")

    def handle(self, *args: Any, version: str, file: Path, size: int, broken: bool, **options: Any) -> None:
        if not version or version.split() != [version]:
            raise CommandError("A version is one word, such as 2.0.0.")
        if not 0 <= size <= 16 * 1024 * 1024:
            raise CommandError("--size is from 0 to 16777216.")
        try:
            file.write_bytes(firmware_packages.pack(version, size=size, installs=not broken))
        except OSError as error:
            raise CommandError(f"{file} cannot be written: {error.strerror}.") from None
        self.stdout.write(f"{file} holds version {version}, {file.stat().st_size} bytes.")
