"""`manage.py load_objects vendor/*.xml --operator northwind`: object definitions from DDF files."""

from __future__ import annotations

from argparse import ArgumentParser
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from accounts.models import Operator
from audit import ledger
from devices.inventory.services import object_models
from devices.inventory.services.object_models import MAX_FILE_BYTES, Report, Result, Source


class Command(BaseCommand):
    help = "Loads object definitions (DDF files, or folders of them). Exits with 1 when any file is refused."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument(
            "paths", nargs="+", metavar="PATH", help="a DDF file, or a folder with *.xml in it"
        )
        parser.add_argument("--operator", metavar="SLUG", help="only for this operator; default: for all")

    def handle(self, *args: Any, **options: Any) -> None:
        operator = _operator(options["operator"])
        found = [(path, _source(path)) for path in _files(options["paths"])]
        with ledger.context(actor=ledger.Actor("system", "load_objects", "Command line")):
            loaded = iter(
                object_models.load(
                    operator=operator, files=[one for _, one in found if isinstance(one, Source)]
                )
            )
        reports = [(path, next(loaded) if isinstance(one, Source) else one) for path, one in found]
        for path, report in reports:
            self.stdout.write(f"{report.result.value:9} {_shown(path)}: {report.detail or _listed(report)}")
            for note in report.notes:
                self.stdout.write(f"{'':9} {note}")
        refused = sum(report.result is Result.REFUSED for _, report in reports)
        if refused:
            raise CommandError(f"{refused} of {len(reports)} files were refused; the others are loaded.")


def _operator(slug: str | None) -> Operator | None:
    if slug is None:
        return None
    try:
        return Operator.objects.get(slug=slug)
    except Operator.DoesNotExist:
        raise CommandError(f"There is no operator {slug!r}; create_operator makes one.") from None


def _files(paths: list[str]) -> Iterator[Path]:
    """Each path once; a folder stands for the *.xml in it and below, in order of their names."""
    seen: set[Path] = set()
    for given in map(Path, paths):
        below = sorted(given.rglob("*.[xX][mM][lL]")) if given.is_dir() else []
        for path in below or [given]:
            if path.resolve() not in seen:
                seen.add(path.resolve())
                yield path


def _source(path: Path) -> Source | Report:
    """The file, or why it cannot be read: that must not keep the others from being loaded.

    At most one byte more than is accepted is read, so that a huge file costs nothing.
    """
    try:
        if path.is_dir():
            raise OSError("there is no *.xml in this folder")
        with path.open("rb") as file:
            return Source(path.name, file.read(MAX_FILE_BYTES + 1))
    except OSError as error:
        detail = f"It cannot be read ({error.strerror or error}); check the path and its permissions."
        return Report(path.name, Result.REFUSED, detail=detail)


def _shown(path: Path) -> str:
    """A path for the screen, whatever bytes its name has."""
    return str(path).encode(errors="replace").decode()


def _listed(report: Report) -> str:
    return ", ".join(report.objects)
