"""Numbers and heartbeats of southbound processes, and the command's plain words when it cannot start."""

from __future__ import annotations

import os
import subprocess
import sys
from datetime import timedelta

import pytest
from django.utils import timezone

from devices.registry.models import SouthboundProcess
from devices.registry.services import processes
from tests.running_portal import ROOT, free_port

DEAD_PID = 2**22 - 1


def announce(flow, number, pid=None, host="here", ago=0):
    when = timezone.now() - timedelta(seconds=ago)
    processes.announce(
        flow=flow, number=number, pid=os.getppid() if pid is None else pid, host=host, now=when
    )


@pytest.mark.django_db
def test_the_lowest_free_number_is_taken():
    now = timezone.now()
    announce("a", 0)
    announce("b", 1)
    assert processes.free_number(now=now, host="here") == 2
    processes.retire(flow="a")
    assert processes.free_number(now=now, host="here") == 0


@pytest.mark.django_db
def test_a_dead_process_holds_no_number():
    now = timezone.now()
    announce("crashed", 0, pid=DEAD_PID)
    assert processes.free_number(now=now, host="here", preferred=0) == 0
    assert processes.free_number(now=now, host="elsewhere") == 1
    announce("silent", 1, host="elsewhere", ago=60)
    assert {row.flow for row in processes.alive(now=now)} == {"crashed"}


@pytest.mark.django_db
def test_a_number_in_use_is_refused_in_words():
    announce("a", 3)
    with pytest.raises(processes.NoNumberFree, match="Number 3 is in use"):
        processes.free_number(now=timezone.now(), host="here", preferred=3)


@pytest.mark.django_db
def test_announcing_clears_the_dead_away():
    announce("old", 0, ago=60)
    announce("new", 1)
    assert set(SouthboundProcess.objects.values_list("flow", flat=True)) == {"new"}
    assert processes.heartbeat(flow="new", now=timezone.now())
    assert not processes.heartbeat(flow="old", now=timezone.now())


def southbound(tmp_path, *flags, **settings):
    env = (
        os.environ | {"DATA_DIR": str(tmp_path), "DATABASE_URL": f"sqlite:///{tmp_path}/x.sqlite3"} | settings
    )
    return subprocess.run(
        [sys.executable, "manage.py", "southbound", *flags],
        cwd=ROOT,
        env=env,
        text=True,
        capture_output=True,
        timeout=60,
        check=False,
    )


@pytest.mark.parametrize(
    ("flags", "settings", "words"),
    [
        (["--shared"], {}, "--shared needs --number"),
        (["--number", "256"], {}, "Choose 0 to 255"),
        ([], {}, "Check DATABASE_URL, and run: manage.py migrate"),
        ([], {"COAP_PORT": "nothing"}, "COAP_PORT"),
    ],
)
def test_what_is_wrong_is_one_plain_line(tmp_path, flags, settings, words):
    ended = southbound(tmp_path, *flags, **settings)
    assert ended.returncode != 0
    assert words in ended.stderr
    assert "Traceback" not in ended.stderr


@pytest.mark.django_db(transaction=True)
def test_a_port_in_use_is_named(play):
    from southbound.listeners.sockets import PortUnavailable
    from southbound.process.ports import PortSettings
    from southbound.process.worker import Southbound

    async def scene(running):
        taken = running.ports.port_of("management", secured=False)
        second = Southbound(
            channel_layer=None, ports=PortSettings("127.0.0.1", free_port(datagram=True), taken, 0, 0)
        )
        with pytest.raises(PortUnavailable, match=f"UDP port {taken} .* set COAPS_PORT"):
            await second.start()

    play(scene)
