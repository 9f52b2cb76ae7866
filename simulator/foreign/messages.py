"""Requests and answers of the simulator as aiocoap's messages, and back."""

from __future__ import annotations

import aiocoap

from lwm2m.messages import Request, Response
from simulator.answers import Answer, known_code

SILENT = 26
"""No-Response for every class of code (RFC 7967 section 2.1): no answer but the acknowledgement."""


def asked(message: aiocoap.Message) -> Request:
    """What a server asks."""
    options = message.opt
    return Request(
        code=int(message.code),
        path=tuple(options.uri_path),
        query=tuple(options.uri_query),
        content_format=_number(options.content_format),
        payload=message.payload,
        confirmable=message.mtype is aiocoap.CON,
        accept=_number(options.accept),
        observe=options.observe,
    )


def answer(said: Answer) -> aiocoap.Message:
    """What the device answers or notifies; in blocks, where that takes some, by aiocoap."""
    if said.silent:
        return aiocoap.Message(code=aiocoap.CONTENT, no_response=SILENT)
    message = aiocoap.Message(code=int(said.code), payload=said.payload)
    options = message.opt
    if said.location:
        options.location_path = said.location
    if said.content_format is not None:
        options.content_format = int(said.content_format)
    if said.observe is not None:
        options.observe = said.observe
    return message


def request(wanted: Request, uri: str) -> aiocoap.Message:
    """A request of ours to the server at ``uri``."""
    message = aiocoap.Message(
        code=int(wanted.code),
        payload=wanted.payload,
        transport_tuning=aiocoap.Reliable() if wanted.confirmable else aiocoap.Unreliable(),
    )
    message.set_request_uri(uri, set_uri_host=False)
    options = message.opt
    options.uri_path, options.uri_query = wanted.path, wanted.query
    if wanted.content_format is not None:
        options.content_format = int(wanted.content_format)
    if wanted.accept is not None:
        options.accept = int(wanted.accept)
    return message


def response(message: aiocoap.Message) -> Response:
    """What the server answered."""
    options = message.opt
    return Response(
        known_code(int(message.code)),
        message.payload,
        _number(options.content_format),
        tuple(options.location_path),
    )


def _number(value: object) -> int | None:
    return None if value is None else int(value)  # type: ignore[call-overload]
