"""What the short lane writes and reads by itself is what aiocoap would have written and read."""

from __future__ import annotations

import pytest
from aiocoap import Message
from aiocoap.numbers.codes import Code as CoapCode

from lwm2m.codes import Code
from lwm2m.messages import Request
from southbound.transports import coap


@pytest.mark.parametrize(
    "request_",
    [
        Request(Code.GET, ("3", "0", "9"), accept=112),
        Request(Code.PUT, ("lwm2m", "dev0", "3", "0", "14"), content_format=0, payload=b"+02"),
        Request(Code.PUT, ("3", "0"), ("pmin=10", "gt=" + "9" * 300)),
        Request(Code.IPATCH, content_format=11544, payload=b"\xa1" * 1024),
        Request(Code.FETCH, ("ü" * 40,), content_format=112, payload=b"\x80", accept=112),
    ],
)
def test_a_request(request_):
    message = Message.decode(coap.write_request(0xABCD, b"12345678", request_))
    options = message.opt
    assert (message.mtype, message.mid, message.token) == (coap.CON, 0xABCD, b"12345678")
    assert (int(message.code), message.payload) == (request_.code, request_.payload)
    assert (tuple(options.uri_path), tuple(options.uri_query)) == (request_.path, request_.query)
    assert (options.content_format, options.accept) == (request_.content_format, request_.accept)


@pytest.mark.parametrize("block", [None, (0, False, 6), (0, True, 6), (3, False, 2)])
def test_a_response(block):
    message = Message(code=CoapCode.CONTENT, payload=b"hello", _token=b"ab", _mid=7, _mtype=coap.NON)
    message.opt.observe = 0xFFFFFF
    message.opt.content_format = 11542
    message.opt.location_path = ("rd", "ä")
    message.opt.etag = b"x" * 8
    message.opt.block2 = block
    data = message.encode()
    is_partial = block is not None and (block[1] or block[0] > 0)
    said = coap.read_response(data, 4 + (data[0] & 15))
    assert said == coap.Said(b"hello", 11542, 0xFFFFFF, is_partial, ("rd", "ä"))
