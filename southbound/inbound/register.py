"""The door in: every request of a device passes here, is understood, stored by the group commit, and answered."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from hashlib import blake2b

from django.conf import settings
from django.utils import timezone

from devices.inventory import events
from devices.registry.services import registrations
from devices.registry.services.registrations import Applied, Inbound
from lwm2m import wire
from lwm2m.codes import Code, ContentFormat
from lwm2m.errors import Lwm2mError
from lwm2m.messages import BootstrapPackRequest, BootstrapRequest, Register, Response, Send
from lwm2m.registration import Change
from southbound.counters import Counters
from southbound.inbound.report import Reporting
from southbound.listeners.lane import Exchange
from southbound.threads.group_commit import GroupCommit
from southbound.threads.guard import Guard
from southbound.tracing.recorder import Tracing

OVERLOADED_MAX_AGE = 5
UNAVAILABLE_MAX_AGE = 10
UNAVAILABLE = Response(Code.SERVICE_UNAVAILABLE)
REFRESHES_TOLD = 20
"""Of a batch, so many plain refreshes are told to the boards; in a storm the rest is seen at their next contact."""

_WELL_KNOWN = (".well-known", "core")
_DISCOVERABLE = {
    "management": b'</rd>;rt="core.rd oma.lwm2m",</dp>',
    "bootstrap": b'</bs>;rt="oma.lwm2m.bs"',
}
_DISCOVERABLE_BY_ANYBODY = {"management": b"</rd>,</dp>", "bootstrap": b"</bs>"}
"""Where the sender's address may be somebody else's: no more bytes than were asked with (RFC 7252 section 11.3)."""


_Waiting = tuple[Exchange, Inbound]


class RequestHandler:
    """`on_applied` hears of every registration message that was stored, after its answer went out."""

    def __init__(
        self,
        *,
        flow: str,
        counters: Counters,
        on_applied: Callable[[Applied], None],
        on_bootstrap: Callable[[Exchange, BootstrapRequest], None],
        reporting: Reporting,
        tracing: Tracing,
        guard: Guard | None = None,
    ) -> None:
        self._flow = flow
        self._counters = counters
        self._on_applied = on_applied
        self._on_bootstrap = on_bootstrap
        self._reporting = reporting
        self._tracing = tracing
        self.commits: GroupCommit[_Waiting, Applied] = GroupCommit(
            name="registrations",
            write=self._write,
            answer=self._answer,
            follow=self._follow,
            counters=counters,
            guard=guard,
        )

    def take(self, exchange: Exchange) -> None:
        """Called on the loop for each request that is no repetition."""
        request = exchange.request
        if request.path == _WELL_KNOWN and request.code == Code.GET:
            told = _DISCOVERABLE_BY_ANYBODY if exchange.origin.transport == "udp" else _DISCOVERABLE
            links = told[exchange.plane]
            found = Response(Code.CONTENT, links, ContentFormat.LINK)
            exchange.answer(found)
            self._tracing.answered(exchange, found, None)
            return
        try:
            message = wire.parse(request, plane=exchange.plane)
        except Lwm2mError as error:
            self.refuse(exchange, error)
            return
        if isinstance(message, BootstrapRequest):
            self._on_bootstrap(exchange, message)
        elif isinstance(message, Send):
            self._reporting.send(exchange, message)
        elif isinstance(message, BootstrapPackRequest):
            self.refuse(
                exchange,
                Lwm2mError(Code.NOT_IMPLEMENTED, "BOOTSTRAP_PACK_UNSUPPORTED", "Use POST /bs."),
                _named(message.endpoint, exchange),
            )
        elif not self.commits.submit(
            (exchange, Inbound(message, exchange.origin, _digest(exchange, message))),
            is_first=exchange.origin.identity is not None,
        ):
            self.postpone(exchange, "OVERLOADED", OVERLOADED_MAX_AGE)

    def refuse(
        self, exchange: Exchange, error: Lwm2mError, name: str = "", device_id: int | None = None
    ) -> None:
        """Answer with the error's code, and count it with its cause."""
        response = Response(error.code)
        exchange.answer(response)
        self._tracing.answered(exchange, response, device_id)
        self._count(exchange, error.cause, error.detail, name or _claimed(exchange), device_id)

    def postpone(self, exchange: Exchange, cause: str, max_age: int) -> None:
        """5.03: nothing was stored, and the repetition of this very message is a new attempt."""
        exchange.answer(UNAVAILABLE, max_age=max_age, is_final=False)
        self._count(exchange, cause, "", "", None)

    def _count(self, exchange: Exchange, cause: str, detail: str, name: str, device_id: int | None) -> None:
        self._counters.refused(exchange.plane, cause, name, exchange.origin.host, detail, device_id)

    # -- on the writer thread --------------------------------------------------------------------------------
    def _write(self, batch: Sequence[_Waiting]) -> list[Applied]:
        applied = registrations.apply(
            batch=[inbound for _, inbound in batch],
            flow=self._flow,
            now=timezone.now(),
            grace_seconds=settings.LIFETIME_GRACE_SECONDS,
        )
        seen = {a.device_id: a.operator_id for a in applied if a.is_plain_refresh}
        told = [(d, o) for d, o in seen.items() if d is not None and o is not None][:REFRESHES_TOLD]
        events.devices_changed(told, ["seen"])
        return applied

    # -- on the loop, after the commit -----------------------------------------------------------------------
    def _answer(self, waiting: _Waiting, applied: Applied | None) -> None:
        exchange, _ = waiting
        if applied is None:
            exchange.answer(UNAVAILABLE, max_age=UNAVAILABLE_MAX_AGE, is_final=False)
        else:
            assert applied.outcome.response is not None
            exchange.answer(applied.outcome.response)

    def _follow(self, waiting: _Waiting, applied: Applied | None) -> None:
        exchange, inbound = waiting
        if applied is None:
            self._count(exchange, "STORE_UNAVAILABLE", "", "", None)
            return
        outcome = applied.outcome
        assert outcome.response is not None
        if applied.is_plain_refresh and applied.device_id is not None:
            self._tracing.refreshed(exchange, outcome.response, applied.device_id)
        else:
            self._tracing.answered(exchange, outcome.response, applied.device_id)
        if outcome.change is Change.REFUSED:
            message = inbound.message
            name = message.endpoint if isinstance(message, Register) and message.endpoint else ""
            name = name or _claimed(exchange)
            self._count(exchange, outcome.cause, outcome.detail, name, applied.device_id)
        else:
            self._on_applied(applied)


def _named(endpoint: str | None, exchange: Exchange) -> str:
    return endpoint or exchange.origin.identity or ""


def _digest(exchange: Exchange, message: object) -> int | None:
    """Tells a Register that comes again, also to another process after a restart of one of them."""
    if not isinstance(message, Register) or exchange.asked.seen is None:
        return None
    return int.from_bytes(blake2b(exchange.asked.data, digest_size=8).digest(), "big") >> 1


def _claimed(exchange: Exchange) -> str:
    """Who a refused request says it is: `ep` as sent, else what the security layer knows."""
    for item in exchange.request.query:
        if item.startswith("ep="):
            return item[3:]
    return exchange.origin.identity or ""
