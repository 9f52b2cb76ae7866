"""The trace is a ring per device, and nothing secret is in it."""

from __future__ import annotations

from typing import Any

import pytest
from django.db import connection
from django.utils import timezone

from devices.telemetry.models import TraceMessage
from devices.telemetry.services import traces
from devices.telemetry.services.traces import Message
from lwm2m.nodes import Node
from lwm2m.paths import Path

pytestmark = pytest.mark.django_db


def message(device: Any, number: int, **more: Any) -> Message:
    return Message(device.pk, timezone.now(), "out", "GET", f"/3/0/{number}", **more)


def paths(device: Any) -> list[str]:
    return list(TraceMessage.objects.filter(device=device).values_list("path", flat=True))


def test_messages_stand_newest_first(device, make):
    other = make("urn:dev:2")
    traces.record(messages=[message(device, 1), message(other, 7), message(device, 2)])
    traces.record(messages=[message(device, 3, code="2.05", duration_ms=12.5, payload={"nodes": []})])
    assert paths(device) == ["/3/0/3", "/3/0/2", "/3/0/1"]
    assert paths(other) == ["/3/0/7"]
    newest = TraceMessage.objects.filter(device=device).first()
    assert (newest.code, newest.duration_ms, newest.payload, newest.number) == (
        "2.05",
        12.5,
        {"nodes": []},
        3,
    )


def test_a_ring_never_grows(device):
    for start in range(0, 450, 150):
        traces.record(messages=[message(device, start + n) for n in range(150)])
    assert paths(device) == [f"/3/0/{n}" for n in range(449, 249, -1)]
    traces.record(messages=[message(device, 1000 + n) for n in range(333)])
    assert paths(device) == [f"/3/0/{n}" for n in range(1332, 1132, -1)]


def test_a_batch_costs_few_statements(make, django_assert_max_num_queries):
    fleet = [make(f"urn:dev:{number}", "") for number in range(10)]
    batch = [message(one, n) for n in range(20) for one in fleet]
    with django_assert_max_num_queries(1 if connection.vendor == "postgresql" else 2):
        traces.record(messages=batch)
    assert TraceMessage.objects.count() == 200
    traces.record(messages=[])


def test_payloads_are_shown_as_what_they_mean():
    shown = traces.payload(content_format=0, payload=b"Acme", path="/3/0/0")
    assert shown == {"nodes": [{"path": "/3/0/0", "value": "Acme"}]}
    assert traces.payload(content_format=40, payload=b"</3/0>", path="/") == {"links": "</3/0>"}
    assert traces.payload(content_format=None, payload=b"", path="/3/0") is None
    broken = traces.payload(content_format=112, payload=b"\xff\x00", path="/3/0")
    assert broken["bytes"] == 2
    opaque = traces.payload(content_format=42, payload=bytes(1000), path="/5/0/0")
    assert opaque["nodes"][0]["value"]["bytes"] == 1000
    assert len(str(opaque)) < 300


def test_nothing_secret_is_kept(device):
    nodes = [
        Node(Path(0, 0, 5), b"sixteen byte key"),
        Node(Path(11, 0, 6), "hunter2"),
        Node(Path(3, 0, 0), "Acme"),
    ]
    shown = traces.payload_of_nodes(nodes)
    assert [one["value"] for one in shown["nodes"]] == ["(hidden)", "(hidden)", "Acme"]
    traces.record(messages=[Message(device.pk, timezone.now(), "in", "POST", "/rd?ep=x&key=abc&lt=60")])
    assert paths(device) == ["/rd?ep=x&key=(hidden)&lt=60"]
