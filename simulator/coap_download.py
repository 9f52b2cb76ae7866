"""Fetches a file by CoAP, block by block, from a server that the device has no account with."""

from __future__ import annotations

from urllib.parse import unquote, urlsplit

from coap import Tuning
from lwm2m.codes import Code
from lwm2m.messages import Request
from simulator.answers import Answer, NoAnswer
from simulator.conversation import Conversation
from simulator.download_errors import BrokenOff, NotThere
from simulator.link import Link, LinkFailed
from simulator.uris import DEFAULT_PORTS, ServerAddress


async def get(uri: str, tuning: Tuning) -> bytes:
    """The file at a ``coap`` address, up to 4 MB. Raises `NotThere` or `BrokenOff`."""
    try:
        parts = urlsplit(uri)
        address = ServerAddress(parts.hostname or "", parts.port or DEFAULT_PORTS["coap"], is_secured=False)
    except ValueError:
        raise NotThere(uri) from None
    path = tuple(map(unquote, parts.path.removeprefix("/").split("/")))
    conversation = Conversation(transmit=lambda data: link.send(data), serve=_serve, tuning=tuning)
    link = Link(address, conversation.receive)
    try:
        await link.open()
        response = await conversation.request(
            Request(Code.GET, path, tuple(filter(None, parts.query.split("&"))))
        )
    except (LinkFailed, ValueError):
        raise NotThere(uri) from None
    except NoAnswer:
        raise BrokenOff(uri) from None
    finally:
        conversation.close()
        link.close()
    if not response.code.is_success:
        raise NotThere(f"{uri} was answered {response.code.dotted}")
    return response.payload


def _serve(request: Request, token: bytes) -> Answer:
    """A file server has nothing to ask."""
    return Answer(Code.METHOD_NOT_ALLOWED)
