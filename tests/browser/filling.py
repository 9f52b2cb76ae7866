"""Fills a device with what a busy month leaves behind; `manage.py shell` of a running portal calls it."""

from __future__ import annotations

import math
from datetime import datetime, timedelta
from typing import Any

from django.utils import timezone

from devices.commands.models import Command, CommandState
from devices.inventory.models import Device
from devices.registry.models import Registration, RegistrationDetail
from devices.telemetry.services import traces, values
from devices.telemetry.services.traces import Message
from devices.telemetry.services.values import Sample
from lwm2m.codes import ContentFormat
from lwm2m.links import parse_object_links

HISTORY = 10_000
CHUNK = 2_000
CHARTED = "/3/0/9"


def fill(device_id: int) -> None:
    """Registered and asleep, with history of one value, commands in every state, and a full ring of messages."""
    device = Device.objects.get(pk=device_id)
    now = timezone.now()
    _registration(device, now)
    _history(device, now)
    _commands(device, now)
    _messages(device, now)


def _registration(device: Device, now: datetime) -> None:
    links = b"</>;ct=112,</1/0>,</3/0>,</4/0>,</5/0>,</6/0>,</3303>;ver=1.1,</3303/0>,</3303/1>,</32999/0>"
    RegistrationDetail.objects.create(
        device=device, version="1.1", binding="UQ", object_links=parse_object_links(links).to_json()
    )
    Registration.objects.create(
        device=device,
        registration_id=f"full{device.pk}",
        transport="udp",
        host="192.0.2.7",
        port=56830,
        flow="southbound.9.gone",
        lifetime_seconds=3600,
        queue_mode=True,
        registered_at=now - timedelta(days=3),
        last_seen_at=now - timedelta(minutes=10),
        expires_at=now + timedelta(minutes=50),
    )
    told = {"/3/0/0": "Acme", "/3/0/1": "Model 7", "/3/0/13": int(now.timestamp()), "/3303/0/5700": 21.4375}
    seen = now.timestamp() - 600
    samples = [Sample(device.pk, path, value, seen) for path, value in told.items()]
    values.store(samples=[*samples, Sample(device.pk, "/32999/0/1", bytes(range(40)), seen)], now=now)


def _history(device: Device, now: datetime) -> None:
    end = now.timestamp()
    course = [
        Sample(device.pk, CHARTED, 50 + round(45 * math.sin(n / 400) + 5 * math.sin(n / 7)), end - n * 120)
        for n in range(HISTORY)
    ]
    for start in range(0, HISTORY, CHUNK):
        values.store(samples=course[start : start + CHUNK], now=now)


def _commands(device: Device, now: datetime) -> None:
    nodes = [{"path": f"/3/0/{n}", "value": f"value {n} " * 9} for n in range(23)]
    ended = [
        ("read", "/3/0", CommandState.DONE, {"response_code": "2.05", "answer": {"nodes": nodes}}),
        ("read", "/3/0/9", CommandState.DONE, {"response_code": "2.05", "answer": {"nodes": nodes[:1]}}),
        ("discover", "/3", CommandState.DONE, {"response_code": "2.05", "answer": {"links": "</3/0>," * 40}}),
        ("write", "/3/0/14", CommandState.REFUSED, {"response_code": "4.05", "cause": "COMMAND_REFUSED"}),
        (
            "execute",
            "/3/0/4",
            CommandState.SILENT,
            {"cause": "RESPONSE_TIMEOUT", "detail": "No answer in 93 s."},
        ),
        ("read", "/5/0", CommandState.EXPIRED, {"cause": "COMMAND_EXPIRED"}),
        ("observe", "/3303/0/5700", CommandState.CANCELLED, {"cause": "COMMAND_CANCELLED"}),
    ]
    waiting = [("write", "/3/0/14", {"value": "+01:00"}), *[("read", f"/3/0/{n}", {}) for n in range(40)]]
    for number, (operation, path, state, more) in enumerate(ended):
        at = now - timedelta(minutes=30 - number)
        _command(device, operation, path, at, state=state, ended_at=at, **more)
    for operation, path, arguments in waiting:
        _command(device, operation, path, now, arguments=arguments)


def _command(device: Device, operation: str, path: str, at: datetime, **more: Any) -> None:
    Command.objects.create(
        device=device,
        operation=operation,
        path=path,
        requested_by="user:1",
        created_at=at,
        expires_at=at + timedelta(days=1),
        **more,
    )


def _messages(device: Device, now: datetime) -> None:
    said = traces.payload(
        content_format=ContentFormat.SENML_JSON,
        payload=b'[{"bn":"/3/0/","n":"0","vs":"Acme"},{"n":"9","v":82},{"n":"15","vs":"Europe/Berlin"}]',
        path="/3/0",
    )
    messages: list[Message] = []
    for number in range(110):
        at = now - timedelta(seconds=(110 - number) * 7)
        code = "4.04" if number % 9 == 0 else "2.05"
        messages.append(Message(device.pk, at, "out", "GET", "/3/0"))
        messages.append(
            Message(
                device.pk, at + timedelta(milliseconds=84), "in", "GET", "/3/0", code, 110, said, 87, 84.2
            )
        )
    long = "/rd?ep=urn:imei:350457793812345&lt=3600&lwm2m=1.2&b=UQ&sms=491711234567&Q&pid=1_2_3"
    messages.append(Message(device.pk, now, "in", "POST", long, "", 40, {"links": "</3/0>," * 90}, 630))
    messages.append(
        Message(device.pk, now, "in", "POST", "/dp", "", 110, {"bytes": 900, "problem": "cut short"}, 900)
    )
    traces.record(messages=messages)
