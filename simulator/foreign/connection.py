"""A device's connection to one server on aiocoap: its context asks and, from the same port, answers."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

import aiocoap
from aiocoap import error as aiocoap_error
from aiocoap import resource
from aiocoap.pipe import Pipe

from lwm2m.messages import Request, Response
from simulator.accounts import Account
from simulator.answers import Answer, NoAnswer, Serve
from simulator.foreign import messages
from simulator.link import LinkFailed
from simulator.nameplate import Firmware
from simulator.traffic import Traffic

UDP = ["simple6"]
"""aiocoap's transport of one connected socket for each server: it needs no IPv6, and opens nothing else."""


class ForeignConnection:
    """What `simulator.connection.Connection` is, without a radio that sleeps and without faults in the air.

    aiocoap does not tell how many bytes it sent, so that `/7` of such a device counts nothing.
    """

    def __init__(
        self,
        account: Account,
        *,
        firmware: Firmware,
        serve: Serve,
        heard: Callable[[], None] | None = None,
    ) -> None:
        self.account = account
        self.traffic = Traffic()
        self._patience = firmware.tuning.patience
        self._site = _Device(serve, heard)
        self._context: aiocoap.Context | None = None
        self._opening = asyncio.Lock()
        self._closing: set[asyncio.Task[None]] = set()
        self._was_opened = self._is_closed = False

    @property
    def is_usable(self) -> bool:
        return self._was_opened and not self._is_closed

    async def open(self) -> None:
        """Raises `LinkFailed`, also after `close`."""
        async with self._opening:
            if self._context is not None:
                return
            if self._is_closed:
                raise LinkFailed("the connection is closed")
            try:
                context = await aiocoap.Context.create_client_context(transports=UDP)
            except OSError as error:
                raise LinkFailed(f"no way to {self.account.address}: {error}") from None
            context.serversite = self._site
            if self._is_closed:
                await context.shutdown()
                raise LinkFailed("the connection is closed")
            self._context, self._was_opened = context, True

    async def request(self, request: Request) -> Response:
        """Ask the server, in blocks where that takes some. Raises `NoAnswer` or `LinkFailed`."""
        await self.open()
        context = self._context
        if context is None:
            raise NoAnswer("the conversation is over")
        message = messages.request(request, str(self.account.address))
        answer = context.request(message).response
        answer.add_done_callback(_look_at)
        await asyncio.wait({answer}, timeout=self._patience)
        if not answer.done():
            answer.cancel()
            raise NoAnswer("the answer never came")
        try:
            return messages.response(answer.result())
        except (aiocoap_error.Error, OSError) as error:
            raise NoAnswer(f"{type(error).__name__}: {error}") from None

    def notify(self, token: bytes, answer: Answer, confirmable: bool, cancelled: Callable[[], None]) -> None:
        """Send a notification; ``cancelled`` is called when the server does not want it any more."""
        self._site.notify(token, answer, confirmable, cancelled)

    def rebind(self) -> None:
        """Go on from another port: the next request opens it."""
        self._leave()

    def close(self, *, goodbye: bool = False) -> None:
        """Leave; safe to call twice. `closed` waits until it is done."""
        self._is_closed = True
        self._leave()

    async def closed(self) -> None:
        """Until everything that was left has ended."""
        await asyncio.gather(*self._closing)

    def _leave(self) -> None:
        context, self._context = self._context, None
        self._site.forget()
        if context is not None:
            task = asyncio.get_running_loop().create_task(context.shutdown())
            self._closing.add(task)
            task.add_done_callback(self._closing.discard)


def _look_at(answer: asyncio.Future[aiocoap.Message]) -> None:
    """Nobody may wait any more for what a context that is shut down fails with."""
    if not answer.cancelled():
        answer.exception()


class _Device(resource.Resource):
    """Every path of the device. An observation lasts as long as aiocoap lets its rendering run."""

    def __init__(self, serve: Serve, heard: Callable[[], None] | None) -> None:
        super().__init__()
        self._serve = serve
        self._heard = heard
        self._observed: dict[bytes, asyncio.Queue[Answer]] = {}
        self._ended: dict[bytes, Callable[[], None]] = {}

    async def render(self, request: aiocoap.Message) -> aiocoap.Message:
        return messages.answer(await self._answer(request))

    async def render_to_pipe(self, pipe: Pipe) -> None:
        if pipe.request.opt.observe == 0:
            await self._observe(pipe)
        else:
            await super().render_to_pipe(pipe)

    async def _answer(self, message: aiocoap.Message) -> Answer:
        if self._heard is not None:
            self._heard()
        answer = self._serve(messages.asked(message), message.token)
        if answer.delay_seconds:
            await asyncio.sleep(answer.delay_seconds)
        if answer.afterwards is not None:
            asyncio.get_running_loop().call_soon(
                answer.afterwards
            )  # when the answer has left, which is at once
        return answer

    async def _observe(self, pipe: Pipe) -> None:
        token = pipe.request.token
        first = await self._answer(pipe.request)
        is_observed = first.observe is not None
        pipe.add_response(messages.answer(first), is_last=not is_observed)
        if not is_observed:
            return
        said = self._observed[token] = asyncio.Queue()
        try:
            while True:
                answer = await said.get()
                is_over = not answer.code.is_success
                pipe.add_response(messages.answer(answer), is_last=is_over)
                if is_over:
                    return
        finally:
            if self._observed.get(token) is said:  # the server asks anew under the same token
                del self._observed[token]
                cancelled = self._ended.pop(token, None)
                if cancelled is not None:
                    cancelled()

    def notify(self, token: bytes, answer: Answer, confirmable: bool, cancelled: Callable[[], None]) -> None:
        said = self._observed.get(token)
        if said is None:
            asyncio.get_running_loop().call_soon(cancelled)
            return
        self._ended[token] = cancelled
        said.put_nowait(answer)

    def forget(self) -> None:
        self._observed.clear()
        self._ended.clear()
