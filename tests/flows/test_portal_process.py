"""`make run` as a newcomer meets it: up, ports told, a taken port in one line, a fast second start, a clean stop."""

from __future__ import annotations

import re
import socket
import subprocess
import sys
from pathlib import Path

import pytest

from tests.rest import Rest
from tests.running_portal import ROOT, RunningPortal, running_portal, until

pytestmark = [pytest.mark.slow, pytest.mark.xdist_group("portal")]


def demo_password(portal: RunningPortal, email: str) -> str:
    text = (portal.data_dir / "demo-passwords.txt").read_text()
    found = re.search(rf"^{re.escape(email)}\s+(\S+)", text, re.MULTILINE)
    assert found, text
    return found.group(1)


def test_demo_devices_come_online_by_themselves_and_survive_a_restart(tmp_path: Path) -> None:
    with running_portal(tmp_path, "--demo") as portal:
        until(lambda: "Ctrl-C stops it" in portal.text(), seconds=20, what="the banner")
        for name, port in portal.ports.items():
            assert name in portal.text()
            assert str(port) in portal.text()
        rest = Rest(portal.url)
        rest.login("subscriber@demo.example", demo_password(portal, "subscriber@demo.example"))

        def online() -> list[str]:
            rows = rest.call("GET", "devices/").body["results"]
            return [row["endpoint"] for row in rows if row["provisioning"] == "applied"]

        until(lambda: len(online()) == 7, seconds=90, what="all are online, one by SMS, one behind a gateway")
        assert {"urn:dev:demo-cellar-6", "urn:dev:demo-greenhouse-9"} <= set(online())
        assert "Traceback" not in portal.text(), portal.text()
        portal.stop()
        assert portal.process is not None
        assert portal.process.returncode == 0

        portal.start("--demo")
        assert len(online()) == 7
        assert "Traceback" not in portal.text(), portal.text()


def readme_command(portal: RunningPortal) -> list[str]:
    """The device by SMS of the README, with this portal's port and folder."""
    text = (ROOT / "README.md").read_text()
    found = re.search(r"manage\.py (simulate --endpoint-prefix my-sms-.*?)```", text, re.DOTALL)
    assert found, text
    said = (
        found.group(1)
        .replace("\\\n", " ")
        .replace("127.0.0.1:2775", f"127.0.0.1:{portal.ports['SMSC_PORT']}")
    )
    return said.replace("var/", f"{portal.data_dir}/").split()


def test_the_readmes_device_by_sms_can_be_played(tmp_path: Path) -> None:
    with running_portal(tmp_path, "--demo") as portal:
        until(lambda: "Ctrl-C stops it" in portal.text(), seconds=60, what="the banner")
        assert "demo-modem-password.txt" in portal.text()
        assert "tel:+491700000001" in portal.text()
        rest = Rest(portal.url)
        rest.login("subscriber@demo.example", demo_password(portal, "subscriber@demo.example"))
        account = rest.call("GET", "devices/").body["results"][0]
        body = {
            "endpoint": "my-sms-1",
            "reach": "sms",
            "msisdn": "+491517000001",
            "operator": account["operator"],
        }
        assert rest.call("POST", "devices/", body).status == 201
        command = [sys.executable, "manage.py", *readme_command(portal), "--quiet"]
        device = subprocess.Popen(command, cwd=ROOT, env=portal.environment, stdout=subprocess.DEVNULL)
        try:
            online = lambda: rest.call("GET", "devices/my-sms-1/").body["provisioning"] == "applied"  # noqa: E731
            until(online, seconds=120, what="the device by SMS is online")
        finally:
            device.terminate()
            device.wait(timeout=30)


def test_a_taken_port_is_one_clear_line(tmp_path: Path) -> None:
    portal = RunningPortal(tmp_path)
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as taken:
        taken.bind(("127.0.0.1", portal.ports["COAP_PORT"]))
        result = portal.manage("portal")
    assert result.returncode != 0
    assert result.stderr.strip().count("\n") == 0
    assert "COAP_PORT" in result.stderr
    assert "Traceback" not in result.stderr


def test_a_database_that_was_never_migrated_is_one_clear_line(tmp_path: Path) -> None:
    result = RunningPortal(tmp_path, extra={"DATABASE_URL": ""}).manage("portal")
    assert result.returncode != 0
    assert result.stderr.strip().count("\n") == 0
    assert "--migrate" in result.stderr
