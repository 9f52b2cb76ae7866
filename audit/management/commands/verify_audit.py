"""`manage.py verify_audit`: is the ledger what was written?"""

import json
import sys
from argparse import ArgumentParser
from dataclasses import asdict
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError
from django.db import connection
from django.utils.module_loading import import_string

from audit import attestation, checkpoints, triggers, verification
from audit.verification import ChainReport, Finding


class Command(BaseCommand):
    help = (
        "Verifies the audit ledger: finds events that were changed, removed, inserted or reordered, personal data "
        "that is not the original, and a chain that is not the one of its signed checkpoints. Keep those elsewhere "
        "(manage.py audit_checkpoints) and give them back with --checkpoints. Prints one note CHAIN:SEQUENCE:HASH per "
        "chain as well, for --expect. Ends with exit code 1 if anything is wrong."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument(
            "--operator", help="slug of one operator, or its chain number (0 is the platform)"
        )
        parser.add_argument(
            "--expect",
            action="append",
            default=[],
            metavar="CHAIN:SEQUENCE:HASH",
            help="a note taken earlier",
        )
        parser.add_argument(
            "--checkpoints", metavar="FILE", help="checkpoints that were kept elsewhere, - for standard input"
        )
        parser.add_argument("--json", action="store_true", help="print one JSON object instead of lines")

    def handle(self, *args: Any, **options: Any) -> None:
        names = _chain_names()
        chosen = (
            verification.chains() if options["operator"] is None else [_chain(options["operator"], names)]
        )
        general = [_unguarded(name) for name in triggers.missing(connection)]
        general += [finding for note in options["expect"] if (finding := _compare(note))]
        general += _kept_elsewhere(options["checkpoints"]) if options["checkpoints"] else []
        if options["operator"] is None:
            general += verification.loose_personal_data()
        reports = [_verified(chain) for chain in chosen]
        is_whole = not general and not any(report.findings for report in reports)
        if options["json"]:
            self.stdout.write(_as_json(is_whole, reports, general, names))
        else:
            self._print(is_whole, reports, general, names)
        if not is_whole:
            sys.exit(1)

    def _print(
        self, is_whole: bool, reports: list[ChainReport], general: list[Finding], names: dict[int, str]
    ) -> None:
        for finding in general:
            self.stdout.write(self.style.ERROR(f"{finding.kind}: {finding.text}"))
        for report in reports:
            name = names.get(report.chain, "")
            title = f"chain {report.chain}" + (f" ({name})" if name else "")
            for finding in report.findings:
                self.stdout.write(self.style.ERROR(f"{title}: {finding.kind}: {finding.text}"))
            state = "BROKEN" if report.findings else "whole"
            self.stdout.write(
                f"{title}: {state}, {report.events} events, {report.unsealed} not sealed yet, "
                f"{report.epochs} epochs signed, {report.erased} personal data erased, "
                f"note {report.chain}:{report.sequence}:{report.hash}"
            )
        self.stdout.write("The ledger is whole." if is_whole else "The ledger is NOT what was written.")


def _chain_names() -> dict[int, str]:
    """Chain -> slug, from the callable that `AUDIT_CHAIN_NAMES` names: the operators' room stands above."""
    path = getattr(settings, "AUDIT_CHAIN_NAMES", "")
    return {0: "platform", **(import_string(path)() if path else {})}


def _chain(text: str, names: dict[int, str]) -> int:
    by_name = {name: chain for chain, name in names.items()}
    if text in by_name:
        return by_name[text]
    if text.isdecimal():
        return int(text)
    raise CommandError(f"There is no operator {text!r}. Known are: {', '.join(sorted(by_name))}.")


def _unguarded(name: str) -> Finding:
    return Finding("unguarded", None, None, f"the database trigger {name} is missing or switched off")


def _verified(chain: int) -> ChainReport:
    report = verification.verify_chain(chain)
    attestation.add_stored(report)
    return report


def _kept_elsewhere(path: str) -> list[Finding]:
    try:
        lines = sys.stdin.read() if path == "-" else Path(path).read_text()
        return attestation.compare(list(checkpoints.read(lines.splitlines())))
    except (OSError, ValueError) as error:
        raise CommandError(f"{path} cannot be read as checkpoints: {error}.") from None


def _compare(note: str) -> Finding | None:
    chain, _, rest = note.partition(":")
    sequence, _, noted = rest.partition(":")
    if not (chain.isdecimal() and sequence.isdecimal() and noted):
        raise CommandError(f"A note looks like CHAIN:SEQUENCE:HASH, not like {note!r}.")
    return verification.compare_with_note(int(chain), int(sequence), noted)


def _as_json(
    is_whole: bool, reports: list[ChainReport], general: list[Finding], names: dict[int, str]
) -> str:
    chains = [{**asdict(report), "name": names.get(report.chain, "")} for report in reports]
    return json.dumps(
        {"whole": is_whole, "chains": chains, "findings": [asdict(finding) for finding in general]}, indent=2
    )
