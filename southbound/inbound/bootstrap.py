"""Drives bootstrap sessions: Bootstrap-Request in, then one request after the other out, each step recorded.

The machine is `lwm2m.bootstrap.Session`, who may have one is `provisioning.services.sessions`. One session runs per
device, the newest; its first request leaves after the 2.04, and the 2.04 leaves after the session is stored.
"""

from __future__ import annotations

import asyncio
import logging
from collections import Counter
from dataclasses import dataclass
from datetime import datetime

from django.db import InterfaceError, OperationalError
from django.utils import timezone

from coap import Reason
from devices.inventory.models import Credential
from lwm2m.bootstrap import Finished, Operation, Session
from lwm2m.codes import Code, dotted
from lwm2m.errors import Lwm2mError, bad_request
from lwm2m.messages import BootstrapRequest, Response
from lwm2m.registration import Origin
from provisioning.services import sessions
from provisioning.services.sessions import Begun
from southbound.inbound.register import OVERLOADED_MAX_AGE, UNAVAILABLE_MAX_AGE, RequestHandler
from southbound.listeners.engine import Engine, NoReply, Reply
from southbound.listeners.lane import Exchange
from southbound.threads.database import Database

logger = logging.getLogger(__name__)

REQUEST_SECONDS = 93.0
"""MAX_TRANSMIT_WAIT: a client that did not answer by then will not."""
SESSION_SECONDS = 240.0
"""Below EXCHANGE_LIFETIME (247 s), after which the client has given up."""
SLOW_SESSION = 4
"""A session by SMS may take as long as so many requests that are answered in the last moment."""
MAX_RUNNING = 2_000

_REFUSALS = {
    "discover": "BOOTSTRAP_DISCOVER_REFUSED",
    "delete": "BOOTSTRAP_DELETE_REFUSED",
    "write": "BOOTSTRAP_WRITE_REFUSED",
    "finish": "BOOTSTRAP_FINISH_REFUSED",
}


@dataclass(frozen=True, slots=True)
class _Running:
    """The newest session of a device."""

    session_id: int
    task: asyncio.Task[None]


class BootstrapServer:
    """`request` takes what the request handler understood as a Bootstrap-Request."""

    requests: RequestHandler

    def __init__(
        self,
        *,
        engine: Engine,
        database: Database,
        request_seconds: float = REQUEST_SECONDS,
        session_seconds: float = SESSION_SECONDS,
    ) -> None:
        self._engine = engine
        self._database = database
        self._request_seconds = request_seconds
        self._session_seconds = session_seconds
        self._tasks: set[asyncio.Task[None]] = set()
        self._running: dict[int, _Running] = {}
        self._beginning: Counter[str] = Counter()
        """Identities whose newest request has no session yet: it ends the one before, which may have lost its way."""

    def request(self, exchange: Exchange, message: BootstrapRequest) -> None:
        if len(self._tasks) >= MAX_RUNNING:
            self.requests.postpone(exchange, "OVERLOADED", OVERLOADED_MAX_AGE)
            return
        if exchange.origin.identity is not None:
            self._beginning[exchange.origin.identity] += 1
        task = asyncio.get_running_loop().create_task(self._serve(exchange, message), name="bootstrap")
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def stop(self) -> None:
        """Leave the sessions as they are: the device's next contact begins anew, or the sweep ends them."""
        tasks = list(self._tasks)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    async def _serve(self, exchange: Exchange, message: BootstrapRequest) -> None:
        try:
            begun = await self._begin(exchange, message)
        finally:
            if exchange.origin.identity is not None:
                self._beginning -= Counter((exchange.origin.identity,))  # keeps only what is above zero
        if begun is None:
            return
        current = asyncio.current_task()
        assert current is not None
        newest = self._running.get(begun.device_id)
        if newest is not None and newest.session_id > begun.session_id:
            return  # two requests at once were begun in one order and came back in the other
        self._running[begun.device_id] = _Running(begun.session_id, current)
        if newest is not None:
            # Its request is out of the way at once; the first of this session leaves after the 2.04.
            newest.task.cancel()
            await asyncio.wait([newest.task])
        try:
            await self._run(exchange, begun)
        except (OperationalError, InterfaceError) as error:
            logger.warning("bootstrap_lost session=%d error=%s", begun.session_id, error)
        except Exception:
            logger.exception("bootstrap_broke session=%d", begun.session_id)
        finally:
            running = self._running.get(begun.device_id)
            if running is not None and running.task is current:
                del self._running[begun.device_id]

    async def _begin(self, exchange: Exchange, message: BootstrapRequest) -> Begun | None:
        try:
            return await self._database.run(_begin, message, exchange.origin, timezone.now())
        except _Declined as declined:
            self.requests.refuse(exchange, declined.error, message.endpoint or "", declined.device_id)
        except Lwm2mError as error:
            self.requests.refuse(exchange, error, message.endpoint or "")
        except (OperationalError, InterfaceError) as error:
            logger.warning("bootstrap_unstored error=%s", error)
            self.requests.postpone(exchange, "STORE_UNAVAILABLE", UNAVAILABLE_MAX_AGE)
        except Exception:
            logger.exception("bootstrap_not_begun")
            self.requests.postpone(exchange, "INTERNAL_ERROR", UNAVAILABLE_MAX_AGE)
        return None

    async def _run(self, exchange: Exchange, begun: Begun) -> None:
        session = Session(begun.plan, content_format=begun.content_format)
        try:
            step: Operation | Finished = session.first()
        except Lwm2mError as error:
            self.requests.refuse(exchange, error, device_id=begun.device_id)
            await self._finish(begun, Finished("finish_failed", error.cause, error.detail))
            return
        exchange.answer(Response(Code.CHANGED))
        loop = asyncio.get_running_loop()
        tuning = exchange.lane.tuning  # by SMS everything takes minutes
        request_seconds = self._request_seconds if tuning is None else tuning.patience
        ends_at = loop.time() + max(self._session_seconds, SLOW_SESSION * request_seconds if tuning else 0.0)
        is_proven = exchange.origin.transport != "udp"
        while isinstance(step, Operation):
            sent_at = timezone.now()
            patience = min(request_seconds, ends_at - loop.time())
            try:
                if patience <= 0:
                    raise NoReply(Reason.OVERDUE, "The session took too long.")
                reply = await self._engine.request(
                    exchange.lane, exchange.peer, step.request, seconds=patience, is_proven=is_proven
                )
                is_proven = True
            except NoReply as error:
                if error.reason is Reason.GONE and exchange.origin.identity in self._beginning:
                    return  # the device started again
                step = await self._fail(begun, session, step, sent_at, error)
                continue
            if not await self._record(begun, _answered(step, sent_at, reply)):
                return  # a newer session runs
            step = session.answered(reply.code, reply.payload, reply.content_format)
        await self._finish(begun, step)

    async def _fail(
        self, begun: Begun, session: Session, step: Operation, sent_at: datetime, error: NoReply
    ) -> Finished:
        cause = "BOOTSTRAP_INTERRUPTED" if error.is_reset else "BOOTSTRAP_TIMEOUT"
        silent = sessions.Exchange(step.kind, str(step.path), sent_at, cause=cause, detail=error.detail)
        await self._record(begun, silent)
        return session.failed(cause)

    async def _record(self, begun: Begun, exchange: sessions.Exchange) -> bool:
        return await self._database.run(sessions.record, session_id=begun.session_id, exchange=exchange)

    async def _finish(self, begun: Begun, finished: Finished) -> None:
        await self._database.run(
            sessions.finish, session_id=begun.session_id, finished=finished, now=timezone.now()
        )


class _Declined(Exception):
    """A device that is known by its key and may not have a session; the knock is told on its own page."""

    def __init__(self, error: Lwm2mError, device_id: int) -> None:
        super().__init__(error.cause)
        self.error = error
        self.device_id = device_id


def _begin(message: BootstrapRequest, origin: Origin, now: datetime) -> Begun:
    if origin.is_secured and origin.credential_id is None:
        raise bad_request("PSK_IDENTITY_UNKNOWN", "These credentials no longer count; connect again.")
    try:
        return sessions.begin(request=message, origin=origin, credential_id=origin.credential_id, now=now)
    except Lwm2mError as error:
        if origin.credential_id is None:
            raise
        known = Credential.objects.filter(pk=origin.credential_id).values_list("device_id", flat=True)
        device_id = known.first()
        if device_id is None:
            raise
        raise _Declined(error, int(device_id)) from error


def _answered(step: Operation, sent_at: datetime, reply: Reply) -> sessions.Exchange:
    refused = reply.code >> 5 != 2 and not (step.kind == "delete" and reply.code == Code.NOT_FOUND)
    cause = _REFUSALS.get(step.kind, "") if refused else ""
    if cause and step.kind == "finish" and reply.code == Code.NOT_ACCEPTABLE:
        cause = "BOOTSTRAP_INCONSISTENT"
    said = reply.payload[:200].decode(errors="replace") if refused else ""
    detail = " ".join(part for part in (step.note, said) if part)
    return sessions.Exchange(
        step.kind, str(step.path), sent_at, timezone.now(), dotted(reply.code), cause, detail
    )
