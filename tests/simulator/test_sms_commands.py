"""`manage.py smsc` and `manage.py simulate --sms`, processes of their own, with a server behind that SMSC."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import sys
from dataclasses import dataclass
from pathlib import Path

import pytest
from django.core.management import CommandError, call_command

from lwm2m.codes import Code
from lwm2m.messages import Deregister, Register
from tests.simulator.peers import Server
from tests.simulator.sms import SmsServer
from tests.simulator.test_simulate_command import ROOT, simulate

NUMBER = "+491700000001"


@dataclass
class Listening:
    host: str
    port: int


async def smsc_command(*arguments: str, **environment: str) -> tuple[asyncio.subprocess.Process, Listening]:
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "manage.py", "smsc", "--port", "0", *arguments),
        cwd=ROOT,
        stdout=asyncio.subprocess.PIPE,
        env={**os.environ, **environment},
    )
    assert process.stdout is not None
    line = (await process.stdout.readline()).decode()
    assert line.startswith("SMSC listening on 127.0.0.1:"), line
    return process, Listening("127.0.0.1", int(line.split()[3].rpartition(":")[2]))


async def test_devices_come_up_by_sms_alone(tmp_path: Path) -> None:
    process, at = await smsc_command(
        *("--account", "portal=PORTAL_WORD", "--account", "device=DEVICE_WORD"),
        PORTAL_WORD="secret",
        DEVICE_WORD="other",
    )
    portal = SmsServer(Server(), NUMBER)
    os.environ["DEVICE_WORD"] = "other"
    try:
        async with portal.at(at) as server:
            fleet = await simulate(
                *("--count", "2", "--server", server.uri, "--sms", "+491711000009", "--lwm2m", "1.0"),
                *("--smsc", f"{at.host}:{at.port}", "--smsc-password-env", "DEVICE_WORD", "--deregister"),
            )
            try:
                await server.until(lambda: len(server.of(Register)) == 2, seconds=30)
                for caller in server.registered.values():  # an answer shows that it has got ours to Register
                    await caller.ask(Code.GET, "/3/0/0")
            finally:
                fleet.send_signal(signal.SIGTERM)
                output, _ = await fleet.communicate()
        assert b"2/2 registered" in output
        assert {message.sms_number for message in server.of(Register)} == {"491711000009", "491711000010"}
        assert {message.binding for message in server.of(Register)} == {"S"}
        assert len(server.of(Deregister)) == 2
    finally:
        del os.environ["DEVICE_WORD"]
        process.send_signal(signal.SIGTERM)
        said, _ = await process.communicate()
    assert process.returncode == 0
    assert b"SMSC stopped." in said
    assert b"accepted" in said


async def test_a_device_of_a_file_has_its_number_there(tmp_path: Path) -> None:
    process, at = await smsc_command()
    portal = SmsServer(Server(), NUMBER)
    portal.esme.password = "portal"
    file = tmp_path / "devices.json"
    file.write_text(json.dumps([{"endpoint": "meter", "server": f"tel:{NUMBER}", "sms": "+491711000001"}]))
    try:
        async with portal.at(at) as server:
            fleet = await simulate("--devices", str(file), "--smsc", f"{at.host}:{at.port}", "--quiet")
            try:
                await server.until(lambda: len(server.of(Register)) == 1, seconds=30)
            finally:
                fleet.send_signal(signal.SIGTERM)
                await fleet.communicate()
    finally:
        process.send_signal(signal.SIGTERM)
        await process.communicate()


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["simulate", "--server", "tel:+491700000001"], "needs a number of its own"),
        (["simulate", "--server", "tel:nobody", "--sms", "+491711000001"], "is not a number"),
        (["simulate", "--server", "tel:2772", "--sms", "my phone"], "is not a number"),
        (["simulate", "--server", "tel:2772", "--sms", "+491711000001", "--smsc", "x:0"], "is no SMSC"),
        (
            ["simulate", "--server", "tel:2772", "--sms", "+491711000001", "--smsc-password-env", "NO_SUCH"],
            "is empty",
        ),
        (["smsc", "--account", "portal"], "write SYSTEM_ID=NAME"),
        (["smsc", "--account", "portal=NO_SUCH_VARIABLE"], "write SYSTEM_ID=NAME"),
    ],
)
def test_a_wrong_option_is_one_clear_line(arguments: list[str], words: str) -> None:
    with pytest.raises(CommandError) as error:
        call_command(*arguments)
    assert words in str(error.value)
    assert "\n" not in str(error.value)
