"""`manage.py smsc`: the loopback SMSC on a port, until Ctrl-C."""

from __future__ import annotations

import asyncio
import os
import signal
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from simulator.smsc import Smsc
from simulator.smsc_faults import SmscFaults


class Command(BaseCommand):
    help = "Runs a loopback SMSC: whoever binds with a number gets what is sent to it, until Ctrl-C."
    requires_system_checks: list[str] = []

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--host", default="127.0.0.1", metavar="HOST", help="where to listen (127.0.0.1)")
        parser.add_argument("--port", type=int, default=2775, metavar="N", help="(2775; 0 takes a free one)")
        parser.add_argument(
            "--account",
            action="append",
            metavar="SYSTEM_ID=NAME",
            help="who may bind: a system_id, and the environment variable with its password; may be repeated "
            "(without any: portal and device, each with its own name as password)",
        )
        wrong = parser.add_argument_group("what it does wrong on purpose")
        wrong.add_argument(
            "--throttle", type=int, default=0, metavar="N", help="refuse N messages as too many"
        )
        wrong.add_argument("--drop", type=float, default=0.0, metavar="SHARE", help="lose 0 to 1 of them")
        wrong.add_argument("--duplicate", type=float, default=0.0, metavar="SHARE", help="deliver twice")
        wrong.add_argument("--reorder", type=int, default=0, metavar="N", help="hold N back, last one first")
        wrong.add_argument("--slow", type=float, default=0.0, metavar="SECONDS", help="delay every answer")

    def handle(self, *args: Any, **options: Any) -> None:
        faults = SmscFaults(
            throttle=options["throttle"],
            drop=options["drop"],
            duplicate=options["duplicate"],
            reorder=options["reorder"],
            slow_seconds=options["slow"],
        )
        try:
            asyncio.run(self._run(_accounts(options["account"]), faults, options["host"], options["port"]))
        except OSError as error:
            raise CommandError(f"cannot listen on {options['host']}:{options['port']}: {error}") from None

    async def _run(self, accounts: dict[str, str], faults: SmscFaults, host: str, port: int) -> None:
        stopped = asyncio.Event()
        for number in (signal.SIGINT, signal.SIGTERM):
            asyncio.get_running_loop().add_signal_handler(number, stopped.set)
        smsc = Smsc(accounts, faults=faults)
        await smsc.start(host, port)
        self.stdout.write(f"SMSC listening on {smsc.host}:{smsc.port} for {', '.join(smsc.accounts)}")
        self.stdout.flush()
        try:
            await stopped.wait()
        finally:
            await smsc.stop()
            done = ", ".join(f"{count} {what}" for what, count in sorted(smsc.counts.items()) if count)
            self.stdout.write(f"SMSC stopped. {done or 'Nobody sent anything.'}")


def _accounts(given: list[str] | None) -> dict[str, str]:
    if not given:
        return {"portal": "portal", "device": "device"}
    accounts = {}
    for text in given:
        system_id, separator, name = text.partition("=")
        password = os.environ.get(name)
        if not separator or not system_id or not password:
            raise CommandError(
                f"--account {text}: write SYSTEM_ID=NAME, with the password in the variable NAME"
            )
        accounts[system_id] = password
    return accounts
