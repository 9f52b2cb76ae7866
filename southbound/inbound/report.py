"""What devices report on their own, Send and notifications: stored by a group commit of its own, then answered.

It has writer threads of its own, so that a storm of reports never keeps a registration waiting. Nothing is acknowledged
that is not stored. A report does not refresh the lifetime (R-03), but the device listens now: its mailbox is flushed.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterable, Sequence
from datetime import datetime
from functools import partial

from django.db import connection
from django.utils import timezone

from audit import ledger
from devices.gateways.services import route_locks
from devices.inventory import events
from devices.inventory.models import Device
from devices.observations.services import observations
from devices.telemetry.services import values
from devices.telemetry.services.values import Sample
from lwm2m.codes import Code
from lwm2m.messages import Response, Send
from southbound.counters import Counters
from southbound.inbound import report_gateways, report_verdicts, whole_reads
from southbound.inbound.report_times import ArrivalTimes
from southbound.inbound.report_verdicts import Notified, Report, Sent, Verdict, judge_notification, judge_send
from southbound.listeners.lane import Exchange
from southbound.listeners.notifications import Notification
from southbound.peers import senders
from southbound.peers.senders import Sender
from southbound.threads.group_commit import GroupCommit, GroupCommits
from southbound.threads.guard import Guard
from southbound.tracing.recorder import Tracing

OVERLOADED_MAX_AGE = 5
UNAVAILABLE_MAX_AGE = 10
WRITERS = {"postgresql": 2}
"""Half of a report's time is the database's; SQLite has one writer at a time anyway."""
HELD_LIMIT = 64
"""So many notifications of one observation wait until it is known that it stands."""


class Reporting:
    """`on_heard` is told, on the loop, of devices that spoke; `on_stray` of those that notify what nobody knows.

    `on_told` of gateways that notified which devices are behind them.
    """

    def __init__(
        self,
        *,
        counters: Counters,
        on_heard: Callable[[int], None],
        on_stray: Callable[[int], None],
        on_told: Callable[[int], None],
        tracing: Tracing,
        guard: Guard | None = None,
    ) -> None:
        self._counters = counters
        self._on_heard = on_heard
        self._on_stray = on_stray
        self._on_told = on_told
        self._tracing = tracing
        self._held: dict[bytes, list[Notification]] = {}
        self.commits: GroupCommits[Report, Verdict] = GroupCommits(
            [
                GroupCommit(
                    name=f"reports-{number}",
                    write=partial(self._write, ArrivalTimes()),
                    answer=self._answer,
                    follow=self._follow,
                    counters=counters,
                    guard=guard,
                )
                for number in range(WRITERS.get(connection.vendor, 1))
            ],
            key=_sender,
        )

    # -- on the loop -----------------------------------------------------------------------------------------
    def send(self, exchange: Exchange, message: Send) -> None:
        """A Send that was understood."""
        if not self.commits.submit(Sent(exchange, message), is_first=exchange.origin.identity is not None):
            self._postpone(exchange, "OVERLOADED", OVERLOADED_MAX_AGE)

    def notification(self, notification: Notification) -> None:
        """A response that nobody waits for; while its observation is being established it is held."""
        held = self._held.get(notification.token)
        if held is None:
            self._submit(notification)
        elif len(held) < HELD_LIMIT:
            held.append(notification)
        else:
            notification.forget()

    def hold(self, token: bytes) -> None:
        """An Observe with this token leaves now."""
        self._held[token] = []

    def release(self, token: bytes) -> None:
        """It is stored whether the observation stands: look at what came meanwhile."""
        for notification in self._held.pop(token, ()):
            self._submit(notification)

    def _submit(self, notification: Notification) -> None:
        origin = senders.of_notification(notification)
        if not self.commits.submit(Notified(notification, origin), is_first=origin.identity is not None):
            notification.forget()

    def _postpone(self, exchange: Exchange, cause: str, max_age: int) -> None:
        exchange.answer(Response(Code.SERVICE_UNAVAILABLE), max_age=max_age, is_final=False)
        self._count(exchange, cause, "", None)

    def _count(self, exchange: Exchange, cause: str, detail: str, device_id: int | None) -> None:
        origin = exchange.origin
        self._counters.refused(exchange.plane, cause, origin.identity or "", origin.host, detail, device_id)

    # -- on the writer thread --------------------------------------------------------------------------------
    def _write(self, times: ArrivalTimes, batch: Sequence[Report]) -> list[Verdict]:
        now = timezone.now()
        with ledger.unit_of_work():
            known = senders.find([report.origin for report in batch])
            tokens = [
                (sender.device_id, report.notification.token.hex())
                for report in batch
                if isinstance(report, Notified) and (sender := known.get(report.origin)) is not None
            ]
            observed = observations.by_tokens(tokens) if tokens else {}
            verdicts = [
                judge_send(report, known.get(report.origin), at)
                if isinstance(report, Sent)
                else judge_notification(report, known.get(report.origin), observed, at)
                for report, at in times.of(batch, now)
            ]
            # In the order of `audit.locks`: devices, end devices, registrations, observations, values.
            about, readings = _to_lock(verdicts), report_gateways.readings(verdicts)
            if about or readings:
                route_locks.lock(about, readings)
            behind_them = report_gateways.stored(verdicts, readings, now=now)
            self._act_on(verdicts, now=now)
            spoke = {v.device_id for v in verdicts}
            senders.heard((one for one in known.values() if one.device_id in spoke), now=now)
            observations.notified(newest=_newest(verdicts), now=now)
            samples = [sample for v in verdicts for sample in v.samples] + behind_them
            told = _operators(known.values(), samples)
            refused = values.store(samples=samples, now=now, operators=told)
            valued = dict.fromkeys(sample.device_id for sample in samples)
            events.devices_changed([(one, told[one]) for one in valued if one in told], ["values"])
        return [report_verdicts.with_room(verdict, refused) for verdict in verdicts] if refused else verdicts

    def _act_on(self, verdicts: Iterable[Verdict], *, now: datetime) -> None:
        """What has to be done about some of them."""
        for verdict in verdicts:
            if verdict.about is not None and verdict.is_first_block:
                whole_reads.ask(verdict.about)
            if verdict.about is not None and verdict.is_end:
                observations.refused(
                    observation_id=verdict.about.observation_id,
                    cause=verdict.cause,
                    detail=verdict.detail,
                    now=now,
                )

    # -- on the loop, after the commit -----------------------------------------------------------------------
    def _answer(self, report: Report, verdict: Verdict | None) -> None:
        if isinstance(report, Sent):
            if verdict is None:
                unavailable = Response(Code.SERVICE_UNAVAILABLE)
                report.exchange.answer(unavailable, max_age=UNAVAILABLE_MAX_AGE, is_final=False)
            else:
                report.exchange.answer(Response(verdict.code))
        elif verdict is None:
            report.notification.forget()
        elif verdict.is_welcome:
            report.notification.accept()
        else:
            report.notification.reject()

    def _follow(self, report: Report, verdict: Verdict | None) -> None:
        if isinstance(report, Sent):
            self._follow_send(report, verdict)
        elif verdict is not None:
            self._follow_notification(report, verdict)
        if verdict is None or verdict.device_id is None:
            return
        self._counters.late += verdict.is_late
        if verdict.end_devices is not None:
            self._on_told(verdict.device_id)
        if verdict.is_stray:
            self._on_stray(verdict.device_id)
        elif verdict.has_waiting:
            self._on_heard(verdict.device_id)

    def _follow_send(self, report: Sent, verdict: Verdict | None) -> None:
        if verdict is None:
            self._count(report.exchange, "STORE_UNAVAILABLE", "", None)
            return
        self._tracing.answered(report.exchange, Response(verdict.code), verdict.device_id)
        if verdict.cause:
            self._count(report.exchange, verdict.cause, verdict.detail, verdict.device_id)

    def _follow_notification(self, report: Notified, verdict: Verdict) -> None:
        if verdict.cause:
            host = report.origin.host
            self._counters.refused("management", verdict.cause, "", host, verdict.detail, verdict.device_id)
        if verdict.device_id is not None:
            paths = () if verdict.about is None else verdict.about.paths
            about = verdict.device_id if verdict.about is None else verdict.about.device_id
            self._tracing.notified(about, report.notification, paths, is_welcome=verdict.is_welcome)


def _to_lock(verdicts: Iterable[Verdict]) -> set[int]:
    """The devices about which more is to be done than to keep what they said: asked, refused, told apart."""
    about = {v.about.device_id for v in verdicts if v.about is not None and (v.is_first_block or v.is_end)}
    return about | {v.device_id for v in verdicts if v.device_id is not None and v.behind}


def _newest(verdicts: Iterable[Verdict]) -> dict[int, tuple[str, int | None]]:
    """Observation id -> token and number of its newest notification."""
    return {
        v.about.observation_id: (v.token, v.number) for v in verdicts if v.about is not None and not v.is_late
    }


def _operators(known: Iterable[Sender], samples: Sequence[Sample]) -> dict[int, int]:
    """Device id -> operator; devices behind a gateway are looked up."""
    found = {sender.device_id: sender.operator_id for sender in known}
    others = {sample.device_id for sample in samples} - found.keys()
    if others:
        found |= dict(Device.objects.filter(pk__in=others).values_list("pk", "operator_id"))
    return found


def _sender(report: Report) -> Hashable:
    """Whoever has credentials is known by them, wherever it sends from."""
    origin = report.origin
    return origin.identity or (origin.host, origin.port)
