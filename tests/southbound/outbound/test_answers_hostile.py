"""Whatever a device answers or reports, it becomes an answer or a verdict: no other error may leave the judgement."""

from __future__ import annotations

import json
from contextlib import suppress

from django.utils import timezone
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import coap
from devices.commands.models import Operation
from devices.observations.services.observations import Observed
from lwm2m import formats
from lwm2m.codes import Code
from lwm2m.errors import Lwm2mError
from lwm2m.links import parse_object_links
from lwm2m.messages import Send
from lwm2m.nodes import Node
from lwm2m.objects import core
from lwm2m.paths import ROOT, Path
from lwm2m.registration import Origin
from southbound.inbound.report_verdicts import Notified, Sent, judge_notification, judge_send
from southbound.listeners.notifications import Notification
from southbound.outbound import answers
from southbound.peers.senders import Sender
from southbound.peers.targets import Target

PATHS = [ROOT, Path(3), Path(3, 0), Path(3, 0, 9), Path(3, 0, 13), Path(5, 0, 0), Path(3, 0, 7, 1), Path(25)]
NUMBERS = [None, *sorted(formats.numbers()), 50, 65_536, 1 << 15_200]
HOME = Origin("127.0.0.1", 1, "udp", None)
LINKS = parse_object_links(b'</lwm2m>;rt="oma.lwm2m",</lwm2m/3/0>,</lwm2m/5/0>,</lwm2m/25>')
VALUES = [1, -1, 2.5, "x", "", b"", b"\x00", True, "2020-09-13T12:26:40Z"]


def sound() -> list[bytes]:
    """Payloads that can be read, to be damaged."""
    found = []
    for number in sorted(formats.numbers()):
        for path in PATHS[1:4]:
            nodes = [
                Node(Path(3, 0, 9), 95),
                Node(Path(3, 0, 0), "abc"),
                Node(Path(3, 0, 13), 5, prefix="dev0"),
            ]
            for some in (nodes, nodes[:1]):
                with suppress(Lwm2mError):
                    found.append(formats.encode(number, some, path))
    return found


SOUND = sound()
PIECES = st.sampled_from(
    [b"\xf6", b"\xf7", b"\xc0", b"\xff", b"null", b"{}", b"[]", b"NaN", b"\x9f", b"\x1b"]
)


@st.composite
def payloads(draw: st.DrawFn) -> bytes:
    if draw(st.booleans()):
        return draw(st.binary(max_size=60))
    payload = draw(st.sampled_from(SOUND))
    for _ in range(draw(st.integers(0, 3))):
        at, length = draw(st.integers(0, len(payload))), draw(st.integers(0, 4))
        payload = payload[:at] + draw(PIECES | st.binary(max_size=4)) + payload[at + length :]
    return payload


slowly = settings(
    max_examples=600,
    deadline=None,
    derandomize=True,
    database=None,
    suppress_health_check=list(HealthCheck),
)


@slowly
@given(st.sampled_from(list(Operation)), st.sampled_from(PATHS), payloads(), st.integers(0, len(NUMBERS) - 1))
def test_any_answer_is_something_to_store(operation, path, payload, at):
    said = answers.read(
        operation, path, payload, NUMBERS[at], ("rd", "x\x00"), catalogue=core(), root_path="lwm2m"
    )
    text = json.dumps(said, allow_nan=False)
    assert "\\u0000" not in text
    known = operation in (Operation.READ, Operation.OBSERVE) and path.depth >= 3  # and none of them multiple
    assert not known or said.get("nodes") or said["problem"]


@slowly
@given(payloads(), st.integers(0, len(NUMBERS) - 1), st.booleans())
def test_any_send_has_a_verdict(payload, at, is_known):
    sender = Sender(7, 1, "r", False, True, Target("1.2", LINKS)) if is_known else None
    verdict = judge_send(Sent(None, Send(NUMBERS[at] or 0, payload)), sender, timezone.now())
    assert verdict.code in (Code.CHANGED, Code.BAD_REQUEST, Code.NOT_FOUND)
    assert (verdict.code == Code.CHANGED) == bool(verdict.samples or verdict.behind)
    assert verdict.code == Code.CHANGED or verdict.cause


@slowly
@given(
    payloads(),
    st.integers(0, len(NUMBERS) - 1),
    st.integers(0, 255),
    st.integers(0, 2**24),
    st.sampled_from(["/3/0", "/3/0/9", "/25"]),
)
def test_any_notification_has_a_verdict(payload, at, code, sequence, path):
    sender = Sender(7, 1, "r", False, True, Target("1.2", LINKS))
    said = coap.Response(code, payload, NUMBERS[at], observe=sequence)
    notification = Notification(None, coap.Notified(("127.0.0.1", 1), True, 1, b"\x01", said), sequence)
    observed = {(7, "01"): Observed(3, 7, (path,), False)}
    verdict = judge_notification(Notified(notification, HOME), sender, observed, timezone.now())
    assert verdict.is_welcome
    assert code == Code.CONTENT or not (verdict.samples or verdict.behind)
