"""The other lane: aiocoap drives everything that we begin (requests to devices, blocks, separate responses).

It joins through a `MessageInterface` of ours, whose addresses are (lane, peer): what it sends leaves through the very
socket and DTLS session that the device came in on, and a device that moved under a connection id stays the same peer.
"""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import Awaitable, Callable, Hashable
from contextvars import ContextVar
from functools import partial
from typing import Any

from aiocoap import Message
from aiocoap import error as coap_error
from aiocoap.interfaces import EndpointAddress, MessageInterface
from aiocoap.messagemanager import MessageManager
from aiocoap.numbers.codes import Code as CoapCode
from aiocoap.protocol import BlockwiseRequest, Context
from aiocoap.tokenmanager import TokenManager

from lwm2m import notification_order
from lwm2m.messages import Request
from southbound.counters import Counters
from southbound.transports import coap, notices
from southbound.transports.asking import TOKEN_BYTES, Asking
from southbound.transports.lane import Lane
from southbound.transports.replies import NoReply, Reply
from southbound.transports.tuning import Tuning

__all__ = ["TOKEN_BYTES", "Engine", "NoReply", "Remote", "Reply", "Tuning"]

_RESPONSES = range(2, 6)
"""Classes of codes (RFC 7252 section 12.1)."""


class Remote(EndpointAddress):  # type: ignore[misc]
    """A peer as aiocoap knows it."""

    is_multicast = False
    is_multicast_locally = False
    hostinfo_local = "southbound"
    uri_base_local = "coap://southbound"

    def __init__(self, lane: Lane, peer: Hashable) -> None:
        self.lane = lane
        self.peer = peer

    def __hash__(self) -> int:
        return hash((id(self.lane), self.peer))

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Remote) and other.lane is self.lane and other.peer == self.peer

    @property
    def maximum_block_size_exp(self) -> int:
        return self.lane.block_exponent_of(self.peer)

    @property
    def scheme(self) -> str:
        return "coaps" if self.lane.transport == "dtls" else "coap"

    @property
    def hostinfo(self) -> str:
        return "device"

    @property
    def uri_base(self) -> str:
        return f"{self.scheme}://device"

    @property
    def blockwise_key(self) -> Hashable:
        return (id(self.lane), self.peer)


class _Interface(MessageInterface):  # type: ignore[misc]
    """aiocoap's way out."""

    def __init__(self, manager: MessageManager, observing: dict[bytes, int]) -> None:
        self.manager = manager
        self._observing = observing

    def send(self, message: Message) -> None:
        remote: Remote = message.remote
        # aiocoap is not told that this observes: it would keep the token, and acknowledge before we stored.
        message.opt.observe = self._observing.get(message.token) if message.code.is_request() else None
        data = message.encode()
        message.opt.observe = None
        if message.mtype in (coap.ACK, coap.RST):
            remote.lane.recent.answered((remote.peer, message.mid), data)
        remote.lane.transmit(remote.peer, data)

    async def shutdown(self) -> None:
        return None

    async def determine_remote(self, message: Message) -> None:
        return None

    async def recognize_remote(self, remote: Any) -> bool:
        return isinstance(remote, Remote)


class Engine:
    """One aiocoap context for all ports."""

    def __init__(self, counters: Counters, *, tuning: Tuning | None = None) -> None:
        self._counters = counters
        self._tuning = tuning or Tuning()
        self._asking = Asking(self._tuning)
        self._context: Context | None = None
        self._manager: MessageManager | None = None
        self._observing: dict[bytes, int] = {}
        self.on_notice: Callable[[notices.Notice], None] | None = None
        self.on_empty: Callable[[Lane, Hashable], None] | None = None

    async def start(self) -> None:
        self._context = Context(loop=asyncio.get_running_loop(), loggername="southbound.coap")

        async def interface(manager: MessageManager) -> _Interface:
            self._manager = manager
            manager.token_manager.request = partial(_with_token, manager.token_manager)
            return _Interface(manager, self._observing)

        await self._context._append_tokenmanaged_messagemanaged_transport(interface)

    async def stop(self) -> None:
        self._asking.stop()
        if self._context is not None:
            await self._context.shutdown()
            self._context = self._manager = None

    def receive(self, lane: Lane, peer: Hashable, data: bytes) -> None:
        """An ACK, RST or response of a device; never raises, whatever is in it."""
        if self._manager is None:
            return
        if not data[1] and self.on_empty is not None:
            self.on_empty(lane, peer)
        if self._asking.receive(lane, peer, data):
            return
        if self._is_notice(lane, peer, data):
            self._notice(lane, peer, data)
            return
        try:
            coap.read_response(data, 4 + (data[0] & 15))
            message = Message.decode(data, Remote(lane, peer))
        except (coap.Malformed, coap_error.Error, ValueError):
            self._counters.malformed += 1
            return
        self._manager.dispatch_message(message)

    def _is_notice(self, lane: Lane, peer: Hashable, data: bytes) -> bool:
        """A response of its own, on the plane where devices are observed, that answers nothing we asked."""
        assert self._manager is not None
        if self.on_notice is None or lane.plane != "management":
            return False
        if data[1] >> 5 not in _RESPONSES or data[0] >> 4 & 3 not in (coap.CON, coap.NON):
            return False
        waiting = self._manager.token_manager.outgoing_requests
        return not waiting or (data[4 : 4 + (data[0] & 15)], Remote(lane, peer)) not in waiting

    def _notice(self, lane: Lane, peer: Hashable, data: bytes) -> None:
        """Read without aiocoap, whose codec costs several times as much: notifications come in storms."""
        assert self.on_notice is not None
        try:
            notice = notices.read(lane, peer, data)
        except coap.Malformed:
            self._counters.malformed += 1
            return
        lane.expect(peer, notice.mid)
        self.on_notice(notice)

    def drop(self, lane: Lane, peer: Hashable, reason: str) -> None:
        """The peer is gone: everything outstanding with it fails now."""
        self._asking.drop(lane, peer, reason)
        if self._manager is not None:
            self._manager.dispatch_error(coap_error.NetworkError(reason), Remote(lane, peer))

    async def request(
        self,
        lane: Lane,
        peer: Hashable,
        request: Request,
        *,
        seconds: float | None = None,
        token: bytes | None = None,
    ) -> Reply:
        """Send a confirmable request, in blocks where it must be, and return the whole answer. Raises `NoReply`.

        `request.observe` needs a `token`; what the device then says under it goes to `on_notice`.
        """
        if self._context is None or self._manager is None:
            raise NoReply("DEVICE_UNREACHABLE", "This process is stopping.")
        if seconds is None and token is None and self._asking.takes(lane, peer, request):
            return await self._ask(lane, peer, request)
        tuning = lane.tuning or self._tuning
        message = _message(lane, peer, request, tuning)
        if token is not None:
            _chosen.set(token)
            if request.observe is not None:
                self._observing[token] = request.observe
        patience = tuning.patience if seconds is None else seconds
        pending = self._context.request(message)
        _chosen.set(None)
        try:
            answer = await self._answered(lane, peer, pending.response, patience)
        finally:
            if token is not None:
                self._observing.pop(token, None)
        return _reply(answer)

    async def _ask(self, lane: Lane, peer: Hashable, request: Request) -> Reply:
        """In one datagram; what comes back in blocks is read on by aiocoap."""
        assert self._manager is not None
        data = await self._asking.ask(lane, peer, request, self._manager._next_message_id())
        try:
            said = coap.read_response(data, 4 + (data[0] & 15))
        except coap.Malformed as error:
            self._counters.malformed += 1
            raise NoReply("RESPONSE_TIMEOUT", f"The answer cannot be read: {error}.") from None
        if said.is_partial:
            return await self._read_on(lane, peer, request, data)
        observe = notification_order.number(said.observe)
        return Reply(data[1], said.payload, said.content_format, said.location, observe)

    async def _read_on(self, lane: Lane, peer: Hashable, request: Request, data: bytes) -> Reply:
        """The first block is here; the others are asked for (RFC 7959 section 2.4)."""
        try:
            first = Message.decode(data, Remote(lane, peer))
        except (coap_error.Error, ValueError):
            self._counters.malformed += 1
            raise NoReply("RESPONSE_TIMEOUT", "The answer cannot be read.") from None
        context = self._context
        if context is None:
            raise NoReply("DEVICE_UNREACHABLE", "This process is stopping.")
        asked = _message(lane, peer, request, self._tuning)
        rest = BlockwiseRequest._complete_by_requesting_block2(context, asked, first, context.log)
        return _reply(await self._answered(lane, peer, rest, self._tuning.patience))

    async def _answered(
        self, lane: Lane, peer: Hashable, response: Awaitable[Message], patience: float
    ) -> Message:
        # Our own cancellation must never reach aiocoap's future: it could not take the error of `drop` any more.
        answer = asyncio.ensure_future(response)
        answer.add_done_callback(_noticed)
        try:
            done, _ = await asyncio.wait({answer}, timeout=patience)
        except asyncio.CancelledError:
            self.drop(lane, peer, "given up")
            raise
        if not done:
            # aiocoap would repeat it on and on, and keep the next request to this peer waiting behind it.
            self.drop(lane, peer, "given up")
            raise NoReply("RESPONSE_TIMEOUT", f"No response within {patience:.0f} s.")
        try:
            return answer.result()
        except coap_error.ConRetransmitsExceeded:
            raise NoReply("DEVICE_UNREACHABLE", "No acknowledgement after all repetitions.") from None
        except coap_error.MessageError:
            raise NoReply("DEVICE_UNREACHABLE", "The device answered with a reset.", is_reset=True) from None
        except coap_error.Error as error:
            raise NoReply("DEVICE_UNREACHABLE", str(error) or type(error).__name__) from None


def _noticed(answer: asyncio.Future[Message]) -> None:
    """Nobody may be left to hear how it ended."""
    if not answer.cancelled():
        answer.exception()


def _message(lane: Lane, peer: Hashable, request: Request, tuning: Tuning) -> Message:
    message = Message(code=CoapCode(request.code), payload=request.payload, transport_tuning=tuning)
    message.remote = Remote(lane, peer)
    message.opt.uri_path = request.path
    message.opt.uri_query = request.query
    message.opt.accept = request.accept
    message.opt.content_format = request.content_format
    return message


def _reply(answer: Message) -> Reply:
    return Reply(
        int(answer.code),
        bytes(answer.payload),
        notices.content_format(answer),
        tuple(answer.opt.location_path),
        notification_order.number(answer.opt.observe),
    )


_chosen: ContextVar[bytes | None] = ContextVar("chosen_token", default=None)


def _with_token(manager: TokenManager, pipe: Any) -> None:
    """Begin an exchange with the token that was chosen, which aiocoap asks for in a task with the request's context.

    All blocks of the request have it: the device observes under that of the last one (RFC 7959 section 2.3). More
    blocks of the answer are asked for under others, without Observe (RFC 7959 section 3.4).
    """
    block2 = pipe.request.opt.block2
    chosen = _chosen.get() if block2 is None or block2.block_number == 0 else None
    manager.next_token = lambda: chosen or secrets.token_bytes(TOKEN_BYTES)
    TokenManager.request(manager, pipe)
