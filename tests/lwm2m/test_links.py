"""Object lists as real clients write them, and as nobody should."""

from contextlib import suppress

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lwm2m.errors import Lwm2mError
from lwm2m.links import (
    Link,
    ObjectLink,
    ObjectLinks,
    choose_format,
    encode_links,
    parse_links,
    parse_object_links,
)
from lwm2m.paths import Path

LESHAN = (
    b'</>;rt="oma.lwm2m";ct="60 110 112 11542 11543",</1>;ver=1.1,</1/0>,</3>;ver=1.2,</3/0>,</6/0>,'
    b"</3303>;ver=1.1,</3303/0>"
)
WAKAAMA = b'</>;rt="oma.lwm2m";ct=112,</1>;ver=1.1,</1/0>,</2>,</3/0>,</4/0>,</5/0>,</31024/10>,</31024/11>'
ANJAY_GATEWAY = b"</1/1>,</3/0>,</25>;ver=2.0,</25/0>,</25/1>"


def test_leshan_demo_client() -> None:
    links = parse_object_links(LESHAN)
    assert links.root_path == ""
    assert links.content_formats == (60, 110, 112, 11542, 11543)
    assert links.objects[3] == ObjectLink("1.2", (0,))
    assert links.objects[6] == ObjectLink(None, (0,))
    assert list(links.objects) == [1, 3, 6, 3303]


def test_wakaama_client() -> None:
    links = parse_object_links(WAKAAMA)
    assert links.content_formats == (112,)
    assert links.objects[31024].instances == (10, 11)
    assert links.objects[2].instances == ()


def test_anjay_gateway_without_root_link() -> None:
    links = parse_object_links(ANJAY_GATEWAY)
    assert links.content_formats == ()
    assert links.objects[25] == ObjectLink("2.0", (0, 1))
    assert links.has_instance(Path.parse("/1/1"))
    assert not links.has_instance(Path.parse("/1/0"))


def test_several_versions_of_one_object_keep_the_highest() -> None:
    assert parse_object_links(b"</5>;ver=1.1,</5>;ver=1.0,</5/0>").objects[5].version == "1.1"
    assert parse_object_links(b'</5>;ver="1.9",</5>;ver=1.10').objects[5].version == "1.10"


def test_acceptance_8_alternate_path_and_links_outside_it() -> None:
    links = parse_object_links(
        b'</lwm2m>;rt="oma.lwm2m";ct=110,</lwm2m/3/0>,</lwm2m/1/0>,</4/0>,</lwm2m2/5/0>'
    )
    assert links.root_path == "lwm2m"
    assert links.content_formats == (110,)
    assert list(links.objects) == [1, 3]
    assert links.encode() == b"</lwm2m>;rt=oma.lwm2m;ct=110,</lwm2m/1/0>,</lwm2m/3/0>"


def test_acceptance_9_version_on_the_only_instance() -> None:
    assert parse_object_links(b'</3/0>;ver="1.1"').objects[3] == ObjectLink("1.1", (0,))


def test_acceptance_10_unknown_object_is_kept() -> None:
    assert parse_object_links(b"</32999/7>;odd;x=y").objects[32999].instances == (7,)


def test_acceptance_22_credentials_are_hidden() -> None:
    links = parse_object_links(b"</0/0>,</0>,</21/0>,</23/0>,</24/0>,</1/0>,</3/0>")
    assert list(links.objects) == [1, 3]
    assert not links.has_instance(Path.parse("/0/0"))


@pytest.mark.parametrize(
    "payload",
    [
        b"</1/0>, </3/0>",
        b" </1/0>,\r\n</3/0> ",
        b"</1/0/>,</3/0/>",
        b"</1>,</1/0>,</3>,</3/0>,",
        b"</3/0>;,</1/0>; ;a=1",
        b",,</3/0>,,</1/0>",
        b'</3/0>;title="a, <b>; \\"c\\"",</1/0>',
        b"</.well-known/core>,</1/0>,</3/0>,</3/0/9>,<coap://x/3>,</99999/0>",
        b"<1/0>,<3/0>",
    ],
)
def test_lenient_forms(payload: bytes) -> None:
    links = parse_object_links(payload)
    assert {number: link.instances for number, link in links.objects.items()} == {1: (0,), 3: (0,)}


def test_attributes_of_a_link() -> None:
    (link,) = parse_links(b'</3>;ver="1.1";obs;title="a \\"b\\"";ct=60 110')
    assert link.attributes == (("ver", "1.1"), ("obs", None), ("title", 'a "b"'), ("ct", "60 110"))
    assert link.attribute("obs") is None
    assert link.has("obs")


@pytest.mark.parametrize(
    "payload", [b"</1/0", b"1/0", b"</1/0>x", b"</3/0>;=x", b'</3/0>;a="x', b"\xff", b"</3>\x00", b"{}"]
)
def test_unreadable_is_bad_request(payload: bytes) -> None:
    with pytest.raises(Lwm2mError) as caught:
        parse_object_links(payload)
    assert (caught.value.code.dotted, caught.value.cause) == ("4.00", "BAD_LINK_FORMAT")


@pytest.mark.parametrize("payload", [b"", b" ", b"</>;rt=oma.lwm2m", b"</0/0>", b"</foo>"])
def test_l_06_empty_object_list(payload: bytes) -> None:
    with pytest.raises(Lwm2mError) as caught:
        parse_object_links(payload)
    assert caught.value.cause == "OBJECT_LIST_EMPTY"


@pytest.mark.parametrize(
    "payload",
    [
        b",".join(b"</%d>" % number for number in range(2000, 3025)),
        b",".join(b"</5/%d>" % number for number in range(16_385)),
        b"</3>" + b";a" * 33,
        b"</3/0>," * 16_385,
    ],
)
def test_counts_are_bounded(payload: bytes) -> None:
    with pytest.raises(Lwm2mError):
        parse_object_links(payload)


@pytest.mark.parametrize(
    "payload",
    [
        b"<" * 65_000,
        b"</3>" + b" " * 65_000 + b"x",
        b'</3>;a="' + b"\\" * 65_000,
        b"</3>" + b"; " * 30_000 + b"<",
    ],
)
def test_hostile_lists_take_linear_time(payload: bytes) -> None:
    # A quadratic scanner would need minutes for these; the run itself is the assertion.
    with pytest.raises(Lwm2mError):
        parse_links(payload)


VALUES = st.text(st.characters(min_codepoint=32, max_codepoint=0x24F), max_size=12)
LINKS = st.builds(
    Link,
    st.sampled_from(["/", "/3", "/3/0", "/lwm2m"]),
    st.lists(st.tuples(st.sampled_from(["ver", "ct", "x"]), st.none() | VALUES), max_size=3).map(tuple),
)


@given(st.lists(LINKS, max_size=5).map(tuple))
def test_links_round_trip(links: tuple[Link, ...]) -> None:
    assert parse_links(encode_links(links)) == links


@given(st.binary(max_size=200) | st.text('</>;,="\\ 0123lv', max_size=200).map(str.encode))
@settings(max_examples=300)
def test_any_payload_is_links_or_bad_request(payload: bytes) -> None:
    with suppress(Lwm2mError):
        links = parse_object_links(payload)
        assert ObjectLinks.from_json(links.to_json()) == links
        assert parse_object_links(links.encode()) == links


@pytest.mark.parametrize(
    "value", [{}, {"root_path": "", "content_formats": [], "objects": []}, {"root_path": 1}]
)
def test_a_broken_stored_list_is_refused(value: dict[str, object]) -> None:
    with pytest.raises(Lwm2mError):
        ObjectLinks.from_json(value)


@pytest.mark.parametrize(
    ("ct", "version", "wish", "operation", "chosen"),
    [
        (b"60 110 112", "1.1", None, "read", 112),
        (b"110", "1.1", None, "read", 110),
        (b"110", "1.1", 11542, "read", 11542),
        (b"", "1.0", None, "read", None),  # lwm2m-node-lib never answers Accept 11542
        (b"", "1.1", None, "read", None),
        (b"", "1.0", None, "write", 11542),
        (b"", "1.1", None, "write", 112),
        (b"11542 11543", "1.1", None, "write", 11542),
        (b"11542 110", "1.1", None, "composite", 110),
        (b"11542", "1.1", None, "composite", 112),
    ],
)
def test_choose_format(ct: bytes, version: str, wish: int | None, operation: str, chosen: int | None) -> None:
    links = parse_object_links(b'</>;rt="oma.lwm2m";ct="%s",</3/0>' % ct)
    assert choose_format(links, version, wish, operation) == chosen


def test_1_2_int_111_profile_and_list_are_merged() -> None:
    profile = parse_object_links(b"</1/0>,</3>;ver=1.2,</3/0>")
    merged = profile.merged(parse_object_links(b"</4/0>,</3/1>"))
    assert list(merged.objects) == [1, 3, 4]
    assert merged.objects[3] == ObjectLink("1.2", (0, 1))
    assert str(merged.paths()[0]) == "/1/0"


def test_a_name_that_only_begins_like_the_root_path_is_outside_it() -> None:
    listed = b'</lwm2m>;rt="oma.lwm2m",</lwm2m/1/0>,</lwm2m3/0>,<lwm2m/4/0>,</lwm2m33>'
    assert set(parse_object_links(listed).objects) == {1, 4}
    assert set(parse_object_links(b"<1/0>,</3/0>,</33/0>").objects) == {1, 3, 33}
