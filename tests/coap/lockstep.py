"""A scripted peer: a conversation as RFC 7959 draws it, played against either end of it, message by message.

```text
> CON 1234 GET /status                 what a client sends
< ACK 1234 2.05 2:0/1/128              what a server sends; n:number/more/size is the option Blockn
```

Payloads are the parts of `UP` and `DOWN` that the options say. What an endpoint sends is read by aiocoap.
"""

from __future__ import annotations

from dataclasses import dataclass

from aiocoap import Message

from coap import Asked, Block, Endpoint, Finished, Request, Response
from coap.codes import GET, POST, PUT
from coap.options import BLOCK1, BLOCK2, OBSERVE, URI_PATH, uint
from tests.coap.ends import PEER
from tests.coap.peer import message

KINDS = {"CON": 0, "NON": 1, "ACK": 2, "RST": 3}
METHODS = {"GET": GET, "POST": POST, "PUT": PUT}
UP, DOWN = bytes(range(256)) * 2, bytes(reversed(range(256))) * 2


@dataclass(frozen=True)
class Line:
    """One message; everything but its token and ETag."""

    kind: int
    mid: int
    code: int
    path: str = ""
    observe: int | None = None
    block1: Block | None = None
    block2: Block | None = None
    payload: bytes = b""


def lines(script: str, *, up: int = 0, down: int = 0) -> list[tuple[bool, Line]]:
    """The messages of a script, whether each is the client's, for bodies of so many bytes."""
    return [
        (text.startswith(">"), _line(text[1:].split(), up, down))
        for text in map(str.strip, script.strip().splitlines())
    ]


def _line(words: list[str], up: int, down: int) -> Line:
    kind, mid, *rest = words
    code, path, observe = 0, "", None
    blocks: dict[str, Block] = {}
    for word in rest:
        if word in METHODS:
            code = METHODS[word]
        elif word.startswith("/"):
            path = word[1:]
        elif word.startswith("obs="):
            observe = int(word[4:])
        elif ":" in word:
            number, more, size = word[2:].split("/")
            blocks[word[0]] = Block(int(number), more == "1", int(size).bit_length() - 5)
        else:
            major, minor = word.split(".")
            code = int(major) << 5 | int(minor)
    is_request = 0 < code < 0x20
    block, body = (blocks.get("1"), UP[:up]) if is_request else (blocks.get("2"), DOWN[:down])
    if block is not None:
        payload = body[block.start : block.start + block.size]
    else:
        payload = b"" if code in (0, GET, 0x5F) or blocks else body
    return Line(KINDS[kind], int(mid), code, path, observe, blocks.get("1"), blocks.get("2"), payload)


def written(line: Line, token: bytes) -> bytes:
    options = [(OBSERVE, uint(line.observe))] if line.observe is not None else []
    options += [(URI_PATH, part.encode()) for part in line.path.split("/") if part]
    options += [(BLOCK2, line.block2.encode())] if line.block2 else []
    options += [(BLOCK1, line.block1.encode())] if line.block1 else []
    return message(line.kind, line.code, line.mid, token, line.payload, tuple(options))


def read(data: bytes) -> tuple[Line, bytes]:
    """What aiocoap makes of it, and the token."""
    said = Message.decode(data)
    block1, block2 = (Block(*part) if part else None for part in (said.opt.block1, said.opt.block2))
    path = "/".join(said.opt.uri_path)
    observe = said.opt.observe
    return Line(
        int(said.mtype), said.mid, int(said.code), path, observe, block1, block2, said.payload
    ), said.token


def play_against_server(
    end: Endpoint, script: list[tuple[bool, Line]], code: int, body: bytes
) -> list[Asked]:
    """Send the client's lines, and expect the server's. Returns what was asked of whoever serves."""
    asked: list[Asked] = []
    for is_client, line in script:
        if is_client:
            end.receive(written(line, b"tok"), PEER, 0.0)
            for event in end.take_events():
                if isinstance(event, Asked):
                    asked.append(event)
                    end.answer(event, code, payload=body, now=0.0)
            came = [read(data) for _, data in end.take_sent()]
        else:
            assert came.pop(0) == (line, b"tok")
    assert came == []
    return asked


def play_against_client(end: Endpoint, script: list[tuple[bool, Line]], request: Request) -> Response:
    """Expect the client's lines, and send the server's. Returns the whole answer."""
    end.request(PEER, request, now=0.0)
    token = b""
    for is_client, line in script:
        if is_client:
            ((_, data),) = end.take_sent()
            came, token = read(data)
            assert came == line
        else:
            end.receive(written(line, token), PEER, 0.0)
    (finished,) = [event for event in end.take_events() if isinstance(event, Finished)]
    assert isinstance(finished.outcome, Response)
    assert end.take_sent() == []
    return finished.outcome
