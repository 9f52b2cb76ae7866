"""`manage.py lwm2m read urn:imei:490154203237518 /3/0`: one operation on a device, and its answer as a table.

The command waits in the device's mailbox like any other; this only looks at its row until it has ended.
"""

from __future__ import annotations

import json
import time
from argparse import ArgumentParser
from datetime import UTC, datetime
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.utils import timezone

from accounts.errors import Refused
from audit import ledger
from backoffice import command_line
from devices.commands.dangers import Asker
from devices.commands.models import COMMAND_ENDED, Operation
from devices.commands.models import Command as Row
from devices.commands.models import CommandState as State
from devices.commands.selectors import commands, shown
from devices.commands.services import mailbox
from devices.inventory import object_models
from devices.inventory.models import Device
from devices.operations.services import operations
from devices.registry.selectors import device_models, ways
from lwm2m.objects import Catalogue

LOOK_SECONDS = 0.1
NOT_ACCEPTED, REFUSED, NO_ANSWER, WAITING = 1, 3, 4, 5
_EXIT = {State.DONE: 0, State.REFUSED: REFUSED}
_BY = "system:lwm2m"
_OPERATIONS = [*Operation.values, operations.MUTE, operations.UNMUTE]


class Command(BaseCommand):
    help = (
        "Sends one LwM2M operation to a device and prints its answer. Exit status: 0 done, 1 not accepted by the "
        "portal, 2 typed wrongly, 3 refused by the device, 4 no answer, 5 still waiting for the device."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument(
            "operation", choices=[*Operation.values, operations.MUTE, operations.UNMUTE], metavar="OPERATION"
        )
        parser.add_argument("endpoint", metavar="ENDPOINT")
        parser.add_argument(
            "words",
            nargs="*",
            metavar="PATH VALUE",
            help="a path and what to write: VALUE, or ID=VALUE …; composite operations take paths or PATH=VALUE",
        )
        parser.add_argument(
            "--attr",
            action="append",
            default=[],
            metavar="NAME=VALUE",
            help="pmin=10; without a value: unset",
        )
        parser.add_argument("--format", dest="content_format", help="content format, 112 or senml-cbor")
        parser.add_argument("--mode", help="write: replace or update; cancel: active or passive")
        parser.add_argument("--instance", type=int, help="create: the new instance; mute-send: our account")
        parser.add_argument("--depth", type=int, help="discover: 0 to 3")
        parser.add_argument("--raw", action="store_true", help="leave the object model aside")
        parser.add_argument("--json", action="store_true", dest="as_json")
        parser.add_argument("--timeout", type=float, default=30.0, metavar="S", help="how long to wait here")
        parser.add_argument("--cancel", action="store_true", help="take it back when the timeout is over")
        parser.add_argument("--operator", metavar="SLUG", help="only a device of this operator")
        parser.add_argument(
            "--reason", default="", help="kept in the ledger; what may cut the device off needs one"
        )

    def handle(self, *args: Any, **options: Any) -> None:
        device = self._device(options["endpoint"], options["operator"])
        detail = ways.fresh_detail(device)
        catalogue = device_models.catalogue(device, detail)
        try:
            with ledger.context(actor=ledger.Actor("system", "lwm2m", "Command line")):
                row = self._enqueue(device, catalogue, options)
        except Refused as refusal:
            raise CommandError(refusal.detail, returncode=NOT_ACCEPTED) from None
        row = self._wait(row, options["timeout"])
        if row.state not in COMMAND_ENDED and options["cancel"]:
            mailbox.cancel(command_id=row.pk, reason="Nobody waits for it any more.")
        if options["as_json"]:
            said = {
                **shown.told(row, object_models.catalogue(row.device.operator_id)),
                "session": commands.standing(self._again(device), timezone.now()).words,
            }
            self.stdout.write(json.dumps(said, indent=2, default=_written, ensure_ascii=False))
        else:
            self._print(row, device, catalogue, is_cancelled=options["cancel"])
        status = _EXIT.get(State(row.state), NO_ANSWER if row.state in COMMAND_ENDED else WAITING)
        if status:
            raise SystemExit(status)

    def _device(self, endpoint: str, operator: str | None) -> Device:
        rows = Device.objects.filter(endpoint=endpoint).living()
        if operator:
            rows = rows.filter(operator__slug=operator)
        device = rows.select_related(*ways.PRESENCE).first()
        if device is None:
            of = f" of {operator}" if operator else ""
            raise CommandError(f"There is no device {endpoint!r}{of}.", returncode=NOT_ACCEPTED)
        return device

    def _enqueue(self, device: Device, catalogue: Catalogue, options: dict[str, Any]) -> Row:
        operation, reason = options["operation"], options["reason"]
        if operation in (operations.MUTE, operations.UNMUTE):
            return operations.mute_send(
                device=device,
                is_muted=operation == operations.MUTE,
                instance_id=options["instance"],
                requested_by=_BY,
                reason=reason,
            )
        typed = command_line.typed(operation, options["words"], options["attr"], catalogue)
        extra = {
            "content_format": options["content_format"],
            "mode": options["mode"],
            "instance_id": options["instance"],
            "depth": options["depth"],
            "force": options["raw"] or None,
        }
        given = {name: value for name, value in extra.items() if value is not None}
        return operations.request(
            device=device,
            operation=operation,
            path=typed.path,
            paths=typed.paths,
            arguments=typed.arguments | given,
            requested_by=_BY,
            reason=reason,
            asker=Asker(may_endanger=True),  # whoever has a shell here has the database too
        )

    def _wait(self, row: Row, seconds: float) -> Row:
        until = time.monotonic() + seconds
        while row.state not in COMMAND_ENDED and time.monotonic() < until:
            time.sleep(min(LOOK_SECONDS, max(0.0, until - time.monotonic())))
            row.refresh_from_db()
        return row

    def _again(self, device: Device) -> Device:
        return Device.objects.select_related(*ways.PRESENCE).get(pk=device.pk)

    def _print(self, row: Row, device: Device, catalogue: Catalogue, *, is_cancelled: bool) -> None:
        match row.state:
            case State.DONE:
                self._print_answer(row, catalogue)
            case State.REFUSED:
                self.stderr.write(f"The device refused: {row.response_code} {row.detail}".rstrip())
            case State.QUEUED | State.SENT:
                words = commands.standing(self._again(device), timezone.now()).words
                sent = "Sent, not answered yet" if row.state == State.SENT else "Not sent yet"
                after = "It was taken back." if is_cancelled else f"Command {row.pk} stays in the mailbox."
                self.stderr.write(f"{sent}; the device: {words}. {after}")
            case _:
                self.stderr.write(f"No answer: {row.get_state_display().lower()}. {row.detail}".rstrip())

    def _print_answer(self, row: Row, catalogue: Catalogue) -> None:
        lines = command_line.rows(row.answer, catalogue)
        answer = row.answer if isinstance(row.answer, dict) else {}
        for line in command_line.table(lines) if lines else ():
            self.stdout.write(line)
        for name in ("links", "location", "raw", "problem"):
            if name in answer:
                self.stdout.write(f"{name}: {command_line.shown(answer[name])}")
        if not lines and not answer:
            self.stdout.write(f"Done: {row.response_code}".rstrip(": "))


def _written(value: Any) -> str:
    """Times as REST writes them."""
    if isinstance(value, datetime):
        return timezone.localtime(value, UTC).isoformat().replace("+00:00", "Z")
    return str(value)
