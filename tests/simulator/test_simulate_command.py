"""`manage.py simulate` as a person or the all-in-one starts it: a process of its own, ended by a signal."""

from __future__ import annotations

import asyncio
import json
import signal
import sys
from pathlib import Path

import pytest
from django.core.management import CommandError, call_command

from lwm2m.messages import Deregister, Register
from simulator import firmware_packages
from tests.simulator.peers import BootstrapServer, Server, running
from tests.simulator.test_bootstrap import FINISH, account

ROOT = Path(__file__).resolve().parents[2]


async def simulate(*arguments: str) -> asyncio.subprocess.Process:
    return await asyncio.create_subprocess_exec(
        sys.executable, "manage.py", "simulate", *arguments, cwd=ROOT, stdout=asyncio.subprocess.PIPE
    )


@pytest.mark.parametrize("end", [signal.SIGINT, signal.SIGTERM])
async def test_devices_of_a_file_come_up_and_leave_when_told_to(tmp_path: Path, end: int) -> None:
    async with running(Server()) as server, running(BootstrapServer([])) as bootstrap:
        bootstrap.script = [*account(server.uri), FINISH]
        file = tmp_path / "devices.json"
        rows = [
            {"endpoint": "one", "bootstrap": bootstrap.uri, "queue_mode": True},
            {"endpoint": "two", "server": server.uri, "version": "1.0", "lifetime": 60},
        ]
        file.write_text(json.dumps(rows))
        process = await simulate("--devices", str(file), "--deregister")
        try:
            await server.until(lambda: len(server.of(Register)) == 2, seconds=30)
        finally:
            process.send_signal(end)
            output, _ = await process.communicate()
        assert process.returncode == 0
        assert b"2/2 registered" in output
        assert len(server.of(Deregister)) == 2
        by_name = {message.endpoint: message for message in server.of(Register)}
        assert by_name["one"].queue_mode
        assert (by_name["two"].version, by_name["two"].lifetime_seconds) == ("1.0", 60)


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ([], "Say whom to call"),
        (["--server", "http://x"], "not a server URI"),
        (["--server", "coaps://127.0.0.1"], "needs an identity and a key"),
        (["--server", "coaps://127.0.0.1", "--key", "xyz"], "not hexadecimal"),
        (["--devices", "/nowhere.json"], "cannot be read"),
        (["--server", "coap://127.0.0.1:1", "--gateway", "0"], "not a number above zero"),
        (["--server", "coap://127.0.0.1:1", "--gateway", "2", "--lwm2m", "1.0"], "takes LwM2M 1.1"),
        (["--portal", "http://127.0.0.1:1"], "--portal needs --operator"),
        (
            [
                "--portal",
                "http://127.0.0.1:1",
                "--operator",
                "o",
                "--login",
                "l",
                "--password-env",
                "NO_SUCH",
            ],
            "NO_SUCH is empty",
        ),
    ],
)
def test_a_wrong_option_is_one_clear_line(arguments: list[str], words: str) -> None:
    with pytest.raises(CommandError, match=words) as caught:
        call_command("simulate", *arguments)
    assert "\n" not in str(caught.value)


def test_a_package_for_virtual_devices_is_written(tmp_path: Path) -> None:
    file = tmp_path / "two.bin"
    call_command("firmware_package", "2.0.0", str(file), "--size", "5000")
    assert firmware_packages.read(file.read_bytes()) == firmware_packages.Package("2.0.0", True, True)
    for arguments in (["two words", str(file)], ["2", str(tmp_path)], ["2", str(file), "--size", "-1"]):
        with pytest.raises(CommandError):
            call_command("firmware_package", *arguments)


async def test_a_device_of_a_file_has_the_objects_that_stand_there(tmp_path: Path) -> None:
    async with running(Server()) as server:
        file = tmp_path / "devices.json"
        file.write_text(json.dumps([{"endpoint": "one", "server": server.uri, "objects": [5]}]))
        process = await simulate("--devices", str(file), "--quiet")
        try:
            await server.until(lambda: len(server.of(Register)) == 1, seconds=30)
        finally:
            process.send_signal(signal.SIGINT)
            await process.communicate()
        assert 5 in server.of(Register)[0].object_links.objects
        file.write_text(json.dumps([{"endpoint": "one", "server": server.uri, "objects": ["five"]}]))
        with pytest.raises(CommandError, match="numbers of objects"):
            call_command("simulate", "--devices", str(file))
