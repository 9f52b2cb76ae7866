"""Speaking outward: after commit, coalesced, from any thread, and never so that a write fails."""

from __future__ import annotations

import asyncio
import logging
import threading
import time

import pytest
from celery import Celery
from django.db import transaction

from devices.commands import events as command_events
from devices.inventory import events
from devices.registry import events as registry_events
from live import bells, groups

PATIENCE = 60.0  # the end of waiting for a condition, on however busy a machine


class Layer:
    def __init__(self) -> None:
        self.sent: list[tuple[str, dict]] = []
        self.broken = False
        self.threads: set[str] = set()

    async def send(self, channel: str, message: dict) -> None:
        await self.group_send(channel, message)

    async def group_send(self, group: str, message: dict) -> None:
        if self.broken:
            raise ConnectionError("no Redis here")
        self.threads.add(threading.current_thread().name)
        self.sent.append((group, message))


@pytest.fixture
def layer(monkeypatch: pytest.MonkeyPatch, settings) -> Layer:
    settings.REDIS_URL = ""  # everything in this process, also where the suite runs with Redis
    bells.stop()  # a test before this one may have rung through Redis, by a thread that goes on
    made = Layer()
    monkeypatch.setattr(bells, "get_channel_layer", lambda: made)
    return made


@pytest.fixture
def tasks(monkeypatch: pytest.MonkeyPatch) -> list[tuple[str, list]]:
    sent: list[tuple[str, list]] = []

    class App:
        @staticmethod
        def send_task(name: str, args: list, **options) -> None:
            assert options == {"ignore_result": True, "retry": False}
            sent.append((name, args))

    monkeypatch.setattr(bells, "current_app", App)
    return sent


@pytest.fixture
def carrier():
    bells.start()
    yield
    bells.stop()


@pytest.mark.django_db(transaction=True)
def test_nothing_is_said_before_the_commit_nor_after_a_rollback(layer: Layer, tasks: list) -> None:
    with transaction.atomic():
        events.device_changed(7, 3, ["registration"])
        registry_events.HEARD.tell([7])
        command_events.nudge("southbound.1.x", 7)
        command_events.settled(9, "job-step:4")
        command_events.settled(10, "")
        assert (layer.sent, tasks) == ([], [])
    changed = {"type": "device.changed", "device_id": 7, "what": ["registration"]}
    assert sorted(layer.sent, key=lambda sent: sent[0]) == [
        ("board", changed),
        ("device.7", changed),
        ("operator.3", changed),
        ("southbound.1.x", {"type": "device.nudge", "device_id": 7}),
    ]
    assert tasks == [("provisioning.device_heard", [7]), ("provisioning.command_settled", [9])]
    layer.sent.clear()
    with transaction.atomic():
        events.device_changed(7, 3)
        transaction.set_rollback(True)
    assert layer.sent == []


def test_many_at_once_are_one_message_for_all_pages(layer: Layer) -> None:
    bells.changed([(number, 3, ("seen",)) for number in range(bells.MANY + 1)])
    assert layer.sent == [(groups.EVERYONE, {"type": "devices.changed"})]


def test_broken_layer_and_broker_are_a_warning(
    layer: Layer, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    class App:
        @staticmethod
        def send_task(*args, **options) -> None:
            raise ConnectionError("no broker here")

    layer.broken = True
    monkeypatch.setattr(bells, "current_app", App)
    bells._warned_at.clear()
    with caplog.at_level(logging.WARNING):
        for _ in range(50):
            bells.changed([(1, 1, ("x",))])
            bells.tasks([("provisioning.advance", 1)])
    assert len([record for record in caplog.records if "bell_lost" in record.message]) == 2


def test_redis_that_is_not_there_costs_the_caller_nothing(
    layer: Layer, monkeypatch: pytest.MonkeyPatch, settings
) -> None:
    app = Celery("nowhere", broker="redis://127.0.0.1:1/0", set_as_current=False)
    monkeypatch.setattr(bells, "current_app", app)
    settings.REDIS_URL = "redis://127.0.0.1:1/0"
    layer.broken = True
    callers: set[str] = set()
    send = app.send_task

    def noted(*args: object, **options: object) -> None:
        callers.add(threading.current_thread().name)
        send(*args, **options)

    monkeypatch.setattr(app, "send_task", noted)
    for number in range(100):
        bells.tasks([("provisioning.advance", number)])
        bells.changed([(number, 1, ())])
    _until(lambda: callers)
    assert threading.current_thread().name not in callers
    bells.stop(timeout_seconds=0.1)


def test_layer_that_hangs_is_given_up(layer: Layer, tasks: list, monkeypatch: pytest.MonkeyPatch) -> None:
    async def hang(*args) -> None:
        await asyncio.sleep(60)

    monkeypatch.setattr(layer, "group_send", hang)
    monkeypatch.setattr(bells, "SEND_SECONDS", 0.05)
    bells.changed([(1, 1, ())])


def test_carrier_coalesces_changes_and_sends_nudges_at_once(layer: Layer, tasks: list, carrier: None) -> None:
    bells.changed([(1, 1, ("a",))])
    _until(lambda: len(layer.sent) == 3)
    for _ in range(100):
        bells.changed([(1, 1, ("a",)), (1, 1, ("b",))])
    bells.channel("southbound.1.x", {"type": "device.nudge", "device_id": 1})
    _until(lambda: layer.sent[-1][0] == "southbound.1.x")
    assert len(layer.sent) == 4  # the changes are still held together
    _until(lambda: len(layer.sent) == 7)
    assert layer.sent[-1][1]["what"] == ["a", "b"]
    assert layer.threads == {"bells-channels"}


def test_carrier_lives_on_after_a_failure_and_says_what_is_left_at_the_end(
    layer: Layer, tasks: list, carrier: None
) -> None:
    layer.broken = True
    bells.channel("southbound.1.x", {"type": "device.nudge", "device_id": 1})
    time.sleep(0.05)
    layer.broken = False
    bells.tasks([("provisioning.advance", 1), ("provisioning.advance", 1)])
    bells.changed([(1, 1, ())])
    bells.changed([(2, 1, ())])
    bells.stop()
    assert {group for group, _ in layer.sent} >= {"device.1", "device.2"}
    assert tasks == [("provisioning.advance", [1])]


def test_slow_layer_does_not_hold_the_caller(
    layer: Layer, tasks: list, carrier: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    all_rung = threading.Event()

    async def slow(*args) -> None:
        """Ends when the caller has rung its last: a caller that is held would never come there."""
        await asyncio.to_thread(all_rung.wait, PATIENCE)
        layer.threads.add("waited" if all_rung.is_set() else "held the caller")

    monkeypatch.setattr(layer, "group_send", slow)
    for number in range(1000):
        bells.changed([(number, 1, ())])
    all_rung.set()
    _until(lambda: layer.threads)
    assert layer.threads == {"waited"}


def _until(condition, seconds: float = PATIENCE) -> None:
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, "did not happen"
        time.sleep(0.005)
