"""What an answer means by the operation that it answers: values, links, or nothing at all."""

from __future__ import annotations

import pytest

from devices.commands.models import Operation
from lwm2m.codes import Code
from lwm2m.objects import core
from lwm2m.paths import ROOT, Path
from southbound.outbound import answers

TEXT, BYTES, NUMBER, UNKNOWN = Path(3, 0, 0), Path(5, 0, 0), Path(3, 0, 9), Path(32999, 0, 1)


def said(path, payload, number, operation=Operation.READ, code=Code.CONTENT, **more):
    return answers.read(operation, path, payload, number, (), code=code, catalogue=core(), **more)


@pytest.mark.parametrize("operation", [Operation.READ, Operation.OBSERVE])
@pytest.mark.parametrize(
    ("path", "number", "value"),
    [
        (TEXT, None, ""),
        (TEXT, 0, ""),
        (TEXT, 42, ""),
        (BYTES, None, {"base64": ""}),
        (BYTES, 0, {"base64": ""}),
        (BYTES, 42, {"base64": ""}),
        (UNKNOWN, None, ""),
        (UNKNOWN, 42, {"base64": ""}),
    ],
)
def test_no_bytes_are_an_empty_value(operation, path, number, value):
    assert said(path, b"", number, operation)["nodes"] == [{"path": str(path), "value": value}]


@pytest.mark.parametrize("path", [NUMBER, Path(3, 0), Path(3, 0, 7)])
@pytest.mark.parametrize("number", [None, 0, 42, 60, 110, 112, 11542, 11543, 11544])
def test_no_bytes_are_no_number_and_no_pack(path, number):
    if path.depth == 2 or number not in (None, 0, 42) or path == NUMBER:
        answer = said(path, b"", number)
        assert "nodes" not in answer
        assert answer["problem"]


def test_an_object_without_instances_is_no_bytes_in_tlv():
    assert said(Path(16), b"", 11542)["nodes"] == []


@pytest.mark.parametrize(("number", "payload"), [(110, b"[]"), (112, b"\x80"), (11544, b"\xa0")])
def test_an_empty_pack_says_nothing_of_a_resource(number, payload):
    assert said(NUMBER, payload, number)["problem"]
    assert said(Path(3, 0, 9, 0), payload, number)["problem"]
    for empty in (Path(3, 0, 11), Path(3, 0), Path(16)):  # several values, or none
        assert said(empty, payload, number)["nodes"] == []
    assert said(ROOT, payload, number, Operation.READ_COMPOSITE)["nodes"] == []


@pytest.mark.parametrize(
    "operation", [Operation.WRITE, Operation.EXECUTE, Operation.DELETE, Operation.WRITE_COMPOSITE]
)
def test_what_asks_for_no_value_is_answered_without(operation):
    assert said(TEXT, b"", None, operation, Code.CHANGED) is None


@pytest.mark.parametrize("code", [Code.VALID, Code.CHANGED, Code.CONTINUE])
def test_only_content_has_a_value(code):
    assert said(TEXT, b"", None, code=code) is None


LINKS = b"</3303/0>;pmin=5,</3303/0/5700>"


@pytest.mark.parametrize("number", [None, 0, 40, 42, 110, 65_535])
def test_discover_is_answered_in_links_whatever_it_says(number):
    assert said(Path(3303), LINKS, number, Operation.DISCOVER)["links"] == LINKS.decode()


@pytest.mark.parametrize("payload", [b"\xff", b"no links", b"<", b""])
def test_a_discover_that_is_no_links_is_shown_with_the_problem(payload):
    answer = said(Path(3303), payload, None, Operation.DISCOVER)
    assert answer is None if not payload else answer["problem"]


def test_only_what_was_asked_for_is_taken():
    payload = b'[{"n":"/dev0/3303/0/5700","v":1}]'
    path = Path(3303, 0, 5700)
    assert "dev0/3303/0/5700" in said(path, payload, 110)["problem"]
    assert said(path, payload, 110, prefix="dev0")["nodes"] == [{"path": str(path), "value": 1.0}]
    rooted = payload.replace(b"/dev0", b"/lwm2m/dev0")
    assert said(path, rooted, 110, prefix="dev0", root_path="lwm2m")["nodes"]
    assert said(path, rooted, 110, root_path="lwm2m")["problem"]


@pytest.mark.parametrize("bits", [16, 32, 15_200])
def test_a_number_of_any_width_is_a_problem_and_no_more(bits):
    answer = said(NUMBER, b"1", 1 << bits)
    assert answer["problem"]
    assert "content_format" not in answer
