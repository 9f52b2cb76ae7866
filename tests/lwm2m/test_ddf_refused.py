"""DDF files that are refused: with a sentence that helps, and never with another error."""

import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lwm2m import ddf, ddf_resources, ddf_tree
from lwm2m.codes import Code
from lwm2m.errors import Lwm2mError
from tests.lwm2m.test_ddf import FILE, definition, file, item, one


def refusal(content: bytes) -> str:
    with pytest.raises(Lwm2mError) as caught:
        ddf.parse(content)
    assert (caught.value.code, caught.value.cause) == (Code.BAD_REQUEST, "VALIDATION_FAILED")
    return caught.value.detail


# -- what is refused ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        (b"", "The file is empty"),
        (b"   \n", "The file is empty"),
        (b"no xml", "Line 1: this is no XML"),
        (b"<LWM2M><Object></LWM2M>", "this is no XML (mismatched tag)"),
        (b"<LWM2M>", "this is no XML (no element found)"),
        (b"\x00\x01\x02", "this is no XML"),
        (b"<DDF/>", "outermost element is <DDF>"),
        (b"\n<LWM2M/>", "Line 2: <LWM2M> has no <Object>"),
        (b'<?xml version="1.0" encoding="rot13"?><LWM2M/>', "encoding 'rot13' is not supported"),
        (b'<?xml version="1.0" encoding="shift_jis"?><LWM2M/>', "save the file as UTF-8"),
    ],
)
def test_what_is_no_definition(content: bytes, sentence: str) -> None:
    assert sentence in refusal(content)


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({"id": "x"}, '"x" cannot be ObjectID; use a number of 0..65535'),
        ({"id": 65536}, '"65536" cannot be ObjectID'),
        ({"id": -1}, '"-1" cannot be ObjectID'),
        ({"id": ""}, "<ObjectID> is empty; fill it"),
        ({"name": " "}, "<Name> is empty; fill it"),
        ({"urn": "urn:oma:lwm2m:ext:3303"}, "<ObjectURN> names object 3303 and <ObjectID> 30000"),
        (
            {"urn": "urn:oma:lwm2m:ext:30000:1.1", "version": "<ObjectVersion>1.0</ObjectVersion>"},
            "<ObjectURN> names version 1.1 and <ObjectVersion> 1.0; make them agree",
        ),
        ({"version": "<ObjectVersion>new</ObjectVersion>"}, '"new" is no <ObjectVersion>'),
        ({"version": "<ObjectID>1</ObjectID>"}, "<ObjectID> stands twice in <Object>"),
    ],
)
def test_objects_that_are_wrong(changes: dict[str, object], sentence: str) -> None:
    detail = refusal(file(definition(**changes)))
    assert sentence in detail
    assert re.match(r"Line \d+: ", detail)


@pytest.mark.parametrize("name", ["Name", "ObjectID"])
def test_missing_elements_of_an_object(name: str) -> None:
    content = re.sub(rf"\s*<{name}>.*</{name}>", "", definition(), count=1)
    assert f"<Object> has no <{name}>; add it" in refusal(file(content))


def test_objects_without_resources() -> None:
    bare = re.sub(r"<Resources>.*</Resources>", "", definition(), flags=re.DOTALL)
    assert "object 30000 has no <Resources>" in refusal(file(bare))
    empty = re.sub(r"<Resources>.*</Resources>", "<Resources/>", definition(), flags=re.DOTALL)
    assert "object 30000 has no <Item>" in refusal(file(empty))
    assert "object 30000 has no <Item>" in refusal(file(definition(item().replace(' ID="0"', ""))))


def test_an_object_that_is_defined_twice() -> None:
    assert "object 30000 1.0 is defined twice" in refusal(file(definition(), definition()))


# -- hostile files -----------------------------------------------------------------------------------------------

BOMB = b"""<?xml version="1.0"?>
<!DOCTYPE LWM2M [<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;&a;&a;&a;&a;&a;&a;"><!ENTITY c "&b;&b;&b;&b;">]>
<LWM2M><Object><Name>&c;</Name></Object></LWM2M>"""
OUTSIDE = b"""<?xml version="1.0"?>
<!DOCTYPE LWM2M [<!ENTITY file SYSTEM "file:///etc/passwd">]>
<LWM2M><Object><Name>&file;</Name></Object></LWM2M>"""
REMOTE = b'<!DOCTYPE LWM2M SYSTEM "http://192.0.2.1/lwm2m.dtd"><LWM2M/>'


@pytest.mark.parametrize("content", [BOMB, OUTSIDE, REMOTE, b"<!DOCTYPE LWM2M><LWM2M/>"])
def test_a_doctype_is_refused(content: bytes) -> None:
    assert "a DOCTYPE is not accepted" in refusal(content)


def test_unknown_entities_are_refused() -> None:
    assert "undefined entity" in refusal(file(definition(name="&bomb;")))


def test_size_depth_and_count_are_bounded() -> None:
    assert "The file is over 1 MB" in refusal(file() + b" " * ddf.MAX_BYTES)
    assert "nested deeper than" in refusal(b"<LWM2M>" + b"<a>" * 100 + b"</a>" * 100 + b"</LWM2M>")
    assert "elements; load one object" in refusal(b"<LWM2M>" + b"<a/>" * 60_000 + b"</LWM2M>")


def test_long_texts_are_cut() -> None:
    assert len(ddf.parse(file(definition(name="x" * 5_000)))[0].name) == ddf.MAX_NAME
    assert len(one(units="m" * 5_000).units) == ddf_resources.MAX_UNITS
    assert len(one(range="see " * 5_000).range) <= ddf_resources.MAX_RANGE


SAMPLE = file(definition(item(), item(id=1, operations="E", type="")), definition(id=30001))
PIECES = [
    b"<",
    b">",
    b"</Item>",
    b'<Item ID="9">',
    b"<Name>",
    b"&#0;",
    b"&lt;",
    b"]]>",
    b"\xff\xfe",
    b"<!DOCTYPE a [",
    b"<?xml version='1.0' encoding='hex'?>",
    "\u0662".encode(),
    b"0..-1",
    b"",
]


@settings(max_examples=300)
@given(
    st.lists(
        st.tuples(
            st.integers(0, len(SAMPLE)), st.integers(0, 40), st.sampled_from(PIECES) | st.binary(max_size=12)
        ),
        min_size=1,
        max_size=4,
    )
)
def test_nothing_but_its_own_error_escapes(cuts: list[tuple[int, int, bytes]]) -> None:
    content = SAMPLE
    for at, length, piece in cuts:
        content = content[:at] + piece + content[at + length :]
    _parse_or_refuse(content)


@settings(max_examples=200)
@given(st.binary(max_size=300) | st.text(max_size=300).map(lambda text: f"<LWM2M>{text}".encode()))
def test_no_bytes_escape(content: bytes) -> None:
    _parse_or_refuse(content)


@settings(max_examples=150)
@given(st.text(max_size=40), st.text(max_size=40), st.text(max_size=40), st.text(max_size=20))
def test_no_content_escapes(name: str, limits: str, kind: str, number: str) -> None:
    def safe(text: str) -> str:
        return text.replace("&", "&amp;").replace("<", "&lt;").replace('"', "&quot;")

    changes = {"name": safe(name), "range": safe(limits), "type": safe(kind) or "Float", "id": safe(number)}
    content = FILE.format(objects=definition(item(**changes))).encode(errors="replace")
    _parse_or_refuse(content)


def _parse_or_refuse(content: bytes) -> None:
    refused: Lwm2mError | None = None
    try:
        assert all(model.resources for model in ddf.parse(content))
    except Lwm2mError as error:
        refused = error
    if refused is not None:
        assert refused.cause == "VALIDATION_FAILED"
        assert refused.detail.endswith(".")


def test_the_tree_keeps_lines() -> None:
    root = ddf_tree.parse(b"<a>\n <b>x<c/>y</b>\n</a>")
    assert [(child.name, child.line, child.text) for child in root.children] == [("b", 2, "xy")]
