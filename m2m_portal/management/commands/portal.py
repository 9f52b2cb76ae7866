"""`manage.py portal`: everything in one process, with the demo on request."""

from __future__ import annotations

import asyncio
import ctypes
import os
import signal
import subprocess
import sys
from pathlib import Path

from django.conf import settings
from django.core.management import call_command
from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.db import DatabaseError

import dtls
from devices.registry.services.processes import NoNumberFree
from m2m_portal import demo, listening
from m2m_portal.allinone import PartDied, serve
from southbound.listeners.sockets import PortUnavailable
from southbound.threads.guard import EXIT_CODE

PR_SET_PDEATHSIG = 1


def _end_with_parent() -> None:
    """In the child: be told to stop when the portal dies, even by kill -9 (Linux only)."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGTERM)


def _simulations(devices: Path, passwords: dict[str, str]) -> list[list[str]]:
    """What runs beside the demo: the loopback SMSC, unless the operator has another, and the devices."""
    at = f"{demo.SMSC_HOST}:{settings.SMSC_PORT}"
    account = ["--smsc", at, "--smsc-password-env", "SMSC_DEVICE_PASSWORD"]
    fleet = ["simulate", "--devices", str(devices), "--quiet", *account]
    passwords["SMSC_DEVICE_PASSWORD"], _ = demo.modem_password()
    passwords["SMSC_PORTAL_PASSWORD"] = demo.smsc_password()
    if not passwords["SMSC_PORTAL_PASSWORD"]:
        return [fleet]
    accounts = [f"{demo.SMSC_ACCOUNT}=SMSC_PORTAL_PASSWORD", "device=SMSC_DEVICE_PASSWORD"]
    smsc = ["smsc", "--port", str(settings.SMSC_PORT)]
    return [[*smsc, *(part for each in accounts for part in ("--account", each))], fleet]


def _beside(arguments: list[str], passwords: dict[str, str]) -> subprocess.Popen[bytes]:
    """One of our own commands in a process that ends with this one; passwords go by its environment."""
    return subprocess.Popen(  # noqa: S603 - our own command
        [sys.executable, sys.argv[0], *arguments],
        env={**os.environ, **passwords},
        stdout=subprocess.DEVNULL if arguments[0] == "smsc" else None,
        start_new_session=True,
        preexec_fn=_end_with_parent,
    )


def _database_words(error: DatabaseError) -> str:
    reason = (str(error).strip().splitlines() or ["no reason given"])[0]
    return (
        f"The database cannot be used ({reason}). Check DATABASE_URL and DATA_DIR, or start with --migrate."
    )


class Command(BaseCommand):
    help = "Runs web, southbound, Celery worker and beat in this one process until Ctrl-C."
    requires_system_checks: list[str] = []

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--migrate", action="store_true", help="bring the database up to date first")
        parser.add_argument(
            "--demo", action="store_true", help="make demo data, run simulated devices and an SMSC"
        )

    def handle(self, *args: object, migrate: bool, demo: bool, **options: object) -> None:
        problem = listening.problem()
        if problem:
            raise CommandError(problem)
        if migrate:
            try:
                call_command("migrate", interactive=False, verbosity=0)
            except DatabaseError as error:
                raise CommandError(_database_words(error)) from None
        run_demo = demo
        devices = None
        if run_demo:
            devices = self._seed()
        simulator: list[subprocess.Popen[bytes]] = []

        passwords: dict[str, str] = {}
        simulations = _simulations(devices, passwords) if devices else []

        def ready() -> None:
            self._banner(with_smsc=len(simulations) > 1)
            simulator.extend(_beside(arguments, passwords) for arguments in simulations)

        try:
            asyncio.run(serve(ready=ready))
        except (PortUnavailable, NoNumberFree) as error:
            raise CommandError(str(error)) from None
        except PartDied as error:
            raise CommandError(str(error), returncode=EXIT_CODE) from None
        except DatabaseError as error:
            raise CommandError(_database_words(error)) from None
        except dtls.BackendUnusable as error:
            raise CommandError(
                f"DTLS cannot be served: {error}. Check requirements.txt and DTLS_BACKEND."
            ) from None
        finally:
            for process in simulator:
                process.terminate()
            for process in simulator:
                try:
                    process.wait(timeout=2)
                except subprocess.TimeoutExpired:
                    process.kill()
        self.stdout.write("Stopped. Everything acknowledged is stored.")

    def _seed(self):
        seeded = demo.seed()
        if seeded.fresh:
            self.stdout.write(f"\nDemo accounts, shown this once (kept in {seeded.password_file}):\n")
            for row in seeded.accounts:
                self.stdout.write(f"  {row.email:<42} {row.password:<18} {row.what}")
        else:
            self.stdout.write(f"\nDemo accounts are in {seeded.password_file}.")
        return seeded.devices_file

    def _banner(self, *, with_smsc: bool) -> None:
        self.stdout.write(f"\nThe portal is up at {settings.PUBLIC_URL}\n")
        for row in listening.all_ports():
            self.stdout.write(f"  {row.url:<28} {row.purpose:<34} {row.setting}")
        if with_smsc:
            url = f"smpp://{demo.SMSC_HOST}:{settings.SMSC_PORT}"
            self.stdout.write(f"  {url:<28} {'SMSC of the demo':<34} SMSC_PORT")
            kept = f"modems sign in as device, password in {demo.modem_password()[1]}"
            self.stdout.write(f"  {f'tel:{demo.OUR_NUMBER}':<28} its portal; {kept}")
        for path, what in (
            ("/", "sign up, add a device"),
            ("/admin/", "operator staff"),
            ("/support/", "support desk"),
            ("/api/docs/", "REST documentation"),
        ):
            self.stdout.write(f"  {settings.PUBLIC_URL + path:<28} {what}")
        if settings.LOCAL_MAIL_PAGE:
            self.stdout.write(f"  {settings.PUBLIC_URL + '/local-mail/':<28} mails of this portal")
        self.stdout.write("\nCtrl-C stops it.")
        self.stdout.flush()
