"""Requests that come in blocks (RFC 7959, Block1), by an invented clock."""

from __future__ import annotations

from coap import Asked, Block
from coap import assemblies as blocks
from coap.assemblies import MAX_OPEN, MAX_REQUEST_BYTES, PEER_OPEN, SECONDS, Assemblies
from coap.codes import BAD_REQUEST, CONTINUE, INCOMPLETE, POST, TOO_LARGE


class Told:
    """One under a clock that is told the time; `feed` gives the whole payload, or the code to answer with."""

    def __init__(self) -> None:
        self.now = 1000.0
        self.kept = Assemblies()

    def __len__(self) -> int:
        return len(self.kept)

    def feed(self, peer: object, request: tuple[bytes, str], block: Block) -> bytes | int:
        asked = Asked(peer, POST, True, 1, b"", b"")
        asked.payload, name = request
        asked.path, asked.query, asked.content_format, asked.block1 = ("rd",), (f"ep={name}",), 40, block
        code = self.kept.feed(asked, self.now)
        return asked.payload if code is None else code


def request(payload: bytes, name: str = "a") -> tuple[bytes, str]:
    return payload, name


def test_blocks_come_together_in_order_only():
    assemblies = Told()
    assert assemblies.feed("p", request(b"x" * 16), Block(0, True, 0)) == CONTINUE
    skipped = assemblies.feed("p", request(b"z" * 16), Block(2, True, 0))
    assert skipped == INCOMPLETE
    whole = assemblies.feed("p", request(b"y"), Block(1, False, 0))
    assert whole == b"x" * 16 + b"y"
    assert len(assemblies) == 0


def test_blocks_of_different_peers_never_mix():
    assemblies = Told()
    assemblies.feed("p", request(b"x" * 16), Block(0, True, 0))
    other = assemblies.feed("q", request(b"y"), Block(1, False, 0))
    assert other == INCOMPLETE


def begin(assemblies: Told, peer: str, name: str = "a", payload: bytes = b"x" * 1024) -> None:
    assert assemblies.feed(peer, request(payload, name), Block(0, True, 6)) == CONTINUE


def go_on(assemblies: Told, peer: str, name: str = "a", number: int = 1) -> bytes | int:
    return assemblies.feed(peer, request(b"x" * 1024, name), Block(number, True, 6))


def test_a_request_in_blocks_is_bounded_in_size_and_time():
    assemblies = Told()
    begin(assemblies, "p")
    assemblies.now += SECONDS + 1
    assert go_on(assemblies, "p") == INCOMPLETE
    begin(assemblies, "p")
    whole, rest = divmod(MAX_REQUEST_BYTES, 1024)
    assert rest == 0
    for number in range(1, whole):
        assert go_on(assemblies, "p", number=number) == CONTINUE
    assert go_on(assemblies, "p", number=whole) == TOO_LARGE
    assert len(assemblies) == 0


def test_a_peer_that_begins_many_pushes_out_its_own_alone():
    assemblies = Told()
    begin(assemblies, "honest")
    for number in range(10_000):
        begin(assemblies, "loud", str(number))
    assert len(assemblies) == 1 + PEER_OPEN
    assert go_on(assemblies, "honest") == CONTINUE
    assert go_on(assemblies, "loud", "0") == INCOMPLETE
    assert go_on(assemblies, "loud", "9999") == CONTINUE


def test_first_blocks_of_any_number_of_peers_push_out_nobody_who_went_on():
    assemblies = Told()
    begin(assemblies, "honest")
    for number in range(256):
        begin(assemblies, f"stranger {number}")
    assert go_on(assemblies, "honest") == CONTINUE
    for number in range(MAX_OPEN * 3):
        begin(assemblies, f"stranger {number}", payload=b"x" * 1024)
    assert go_on(assemblies, "honest", number=2) == CONTINUE
    assert len(assemblies) == 1 + MAX_OPEN


def test_all_requests_in_blocks_together_are_bounded(monkeypatch):
    monkeypatch.setattr(blocks, "MAX_ALL_BYTES", 10 * 1024)
    assemblies = Told()
    for number in range(20):
        begin(assemblies, f"p{number}")
    assert len(assemblies) == 10
    assert go_on(assemblies, "p0") == INCOMPLETE
    for number in range(10, 20):
        assert go_on(assemblies, f"p{number}") == CONTINUE
    assert len(assemblies) == 5
    assert len(assemblies.kept._peers) == 5
    assert go_on(assemblies, "p19", number=2) == CONTINUE


def test_several_blocks_in_a_message_are_counted_in_units_of_1024():
    """BERT (RFC 8323 section 6): the number counts blocks, not messages."""
    assemblies = Told()
    payload = bytes(range(256)) * 20
    assert assemblies.feed("p", request(payload[:3072]), Block(0, True, 7)) == CONTINUE
    assert assemblies.feed("p", request(payload[3072:4000]), Block(3, True, 7)) == BAD_REQUEST
    assert assemblies.feed("p", request(payload[3072:]), Block(3, False, 7)) == payload
