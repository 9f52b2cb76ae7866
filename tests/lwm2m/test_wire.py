"""What a request means and how it is refused: 3.1, 3.2 and the acceptance list 3.7 of the reference."""

from contextlib import suppress

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lwm2m.codes import Code
from lwm2m.errors import Lwm2mError
from lwm2m.wire import (
    BootstrapPackRequest,
    BootstrapRequest,
    Deregister,
    Register,
    Request,
    Send,
    Update,
    bootstrap_pack_request,
    bootstrap_request,
    deregister_request,
    parse,
    register_request,
    send_request,
    update_request,
)

LINKS = b"</1/0>,</3/0>"


def registering(*query: str, payload: bytes = LINKS, content_format: int | None = 40) -> Request:
    return Request(Code.POST, ("rd",), query, content_format, payload)


def registered(*query: str) -> Register:
    message = parse(registering(*query), plane="management")
    assert isinstance(message, Register)
    return message


def updating(*query: str, payload: bytes = b"") -> Request:
    return Request(Code.POST, ("rd", "7f"), query, 40 if payload else None, payload)


def refusal(request: Request, plane: str = "management") -> tuple[str, str]:
    with pytest.raises(Lwm2mError) as caught:
        parse(request, plane=plane)
    assert caught.value.detail
    return caught.value.code.dotted, caught.value.cause


def test_int_101_initial_registration() -> None:
    message = registered("ep=urn:dev:os:1", "lt=300", "lwm2m=1.1", "b=UT", "Q", "sms=4912345", "region=eu")
    assert message.endpoint == "urn:dev:os:1"
    assert (message.lifetime_seconds, message.version, message.binding, message.queue_mode) == (
        300,
        "1.1",
        "UT",
        True,
    )
    assert message.sms_number == "4912345"
    assert message.attributes == (("region", "eu"),)
    assert message.object_links is not None
    assert list(message.object_links.objects) == [1, 3]


def test_int_108_queue_mode() -> None:
    assert registered("Q", "b=U", "lwm2m=1.1", "ep=a").queue_mode
    assert not registered("b=U", "lwm2m=1.1", "ep=a").queue_mode
    old = registered("b=UQ", "lwm2m=1.0", "ep=a")
    assert (old.binding, old.queue_mode) == ("U", True)
    assert registered("b=UQS", "lwm2m=1.0", "ep=a").binding == "US"


def test_int_110_profile_id_without_list() -> None:
    request = registering("ep=a", "lwm2m=1.2", "pid=6:27354b9a", payload=b"", content_format=None)
    message = parse(request, plane="management")
    assert isinstance(message, Register)
    assert message.profile_ids == ("6:27354b9a",)
    assert message.object_links is None


def test_int_111_profile_id_and_list() -> None:
    message = registered("ep=a", "lwm2m=1.2", 'pid="6:27354b9a,oma:x1,v:abc"')
    assert message.profile_ids == ("6:27354b9a", "oma:x1", "v:abc")
    assert message.object_links is not None


def test_a_profile_id_before_1_2_is_an_attribute() -> None:
    message = registered("ep=a", "lwm2m=1.1", "pid=6:27354b9a")
    assert (message.profile_ids, message.attributes) == ((), (("pid", "6:27354b9a"),))


def test_defaults() -> None:
    message = registered("lwm2m=1.1")
    assert (message.endpoint, message.lifetime_seconds, message.binding) == (None, 86_400, "U")


def test_lwm2m_node_lib_registers_without_content_format() -> None:
    request = registering("ep=node", "lt=85671", "lwm2m=1.0", "b=U", content_format=None)
    assert isinstance(parse(request, plane="management"), Register)


def test_l_08_unknown_flags_are_dropped_and_the_last_attribute_stands() -> None:
    message = registered("ep=a", "lwm2m=1.1", "flag", "x=1", "x=2", "=y", "nul=\x00", "half=\ud800")
    assert message.attributes == (("x", "2"),)


def test_hostile_text_is_only_text() -> None:
    name = "'; DROP TABLE devices;--<script>alert(1)</script>"
    message = registered(f"ep={name}", "lwm2m=1.1", f"note={name}")
    assert (message.endpoint, message.attributes) == (name, (("note", name),))


REFUSED = [
    (("ep=a",), "4.00 VERSION_MALFORMED"),
    (("ep=a", "lwm2m=9.9"), "4.12 VERSION_UNSUPPORTED"),
    (("ep=a", "lwm2m=1.3"), "4.12 VERSION_UNSUPPORTED"),
    (("ep=a", "lwm2m=abc"), "4.00 VERSION_MALFORMED"),
    (("ep=a", "lwm2m"), "4.00 VERSION_MALFORMED"),
    (("ep=a", "lwm2m=1"), "4.00 VERSION_MALFORMED"),
    (("ep=a", "lwm2m=1.1\n"), "4.00 PARAMETER_INVALID"),
    (("ep=a", "lwm2m=1.1", "Q=1"), "4.00 QUEUE_MODE_INVALID"),
    (("ep=a", "lwm2m=1.1", "Q="), "4.00 QUEUE_MODE_INVALID"),
    (("ep=a", "lwm2m=1.0", "Q"), "4.00 QUEUE_MODE_INVALID"),
    (("ep=a", "lwm2m=1.1", "lt="), "4.00 LIFETIME_INVALID"),
    (("ep=a", "lwm2m=1.1", "lt"), "4.00 LIFETIME_INVALID"),
    (("ep=a", "lwm2m=1.1", "lt=abc"), "4.00 LIFETIME_INVALID"),
    (("ep=a", "lwm2m=1.1", "lt=-1"), "4.00 LIFETIME_INVALID"),
    (("ep=a", "lwm2m=1.1", "lt=1.5"), "4.00 LIFETIME_INVALID"),
    (("ep=a", "lwm2m=1.1", "lt=٣"), "4.00 LIFETIME_INVALID"),
    (("ep=a", "lwm2m=1.1", "lt=²"), "4.00 LIFETIME_INVALID"),
    (("ep=a", "lwm2m=1.1", "lt=99999999999"), "4.00 LIFETIME_INVALID"),
    (("ep=a", "lwm2m=1.1", "lt=" + "9" * 200), "4.00 LIFETIME_INVALID"),
    (("ep=a", "lwm2m=1.1", "b="), "4.00 BINDING_INVALID"),
    (("ep=a", "lwm2m=1.1", "b=X"), "4.00 BINDING_INVALID"),
    (("ep=a", "lwm2m=1.1", "b=UQ"), "4.00 BINDING_INVALID"),
    (("ep=a", "lwm2m=1.1", "b=M"), "4.00 BINDING_INVALID"),
    (("ep=a", "lwm2m=1.0", "b=T"), "4.00 BINDING_INVALID"),
    (("ep=a", "lwm2m=1.0", "b=QU"), "4.00 BINDING_INVALID"),
    (("ep=", "lwm2m=1.1"), "4.00 ENDPOINT_INVALID"),
    (("ep", "lwm2m=1.1"), "4.00 ENDPOINT_INVALID"),
    (("ep= ", "lwm2m=1.1"), "4.00 ENDPOINT_INVALID"),
    (("ep=a\x00b", "lwm2m=1.1"), "4.00 PARAMETER_INVALID"),
    (("ep=a\u202eb", "lwm2m=1.1"), "4.00 PARAMETER_INVALID"),
    (("ep=\ud800", "lwm2m=1.1"), "4.00 PARAMETER_INVALID"),
    (("ep=" + "x" * 4096, "lwm2m=1.1"), "4.00 PARAMETER_INVALID"),
    (("ep=" + "é" * 130, "lwm2m=1.1"), "4.00 PARAMETER_INVALID"),
    (("ep=a", "ep=b", "lwm2m=1.1"), "4.00 PARAMETER_INVALID"),
    (("ep=a", "lwm2m=1.1", "sms=abc"), "4.00 PARAMETER_INVALID"),
    (("ep=a", "lwm2m=1.2", "pid=zz"), "4.00 PARAMETER_INVALID"),
    (("ep=a", "lwm2m=1.2", "pid="), "4.00 PARAMETER_INVALID"),
    (("ep=a", "lwm2m=1.1", *(f"k{n}=v" for n in range(33))), "4.00 PARAMETER_INVALID"),
    (("ep=a", "lwm2m=1.1", *(["f"] * 60)), "4.00 PARAMETER_INVALID"),
]


@pytest.mark.parametrize(("query", "expected"), REFUSED)
def test_refused_registers(query: tuple[str, ...], expected: str) -> None:
    assert " ".join(refusal(registering(*query))) == expected


def test_l_06_register_needs_an_object_list() -> None:
    assert refusal(registering("ep=a", "lwm2m=1.1", payload=b"")) == ("4.00", "OBJECT_LIST_EMPTY")
    assert refusal(registering("ep=a", "lwm2m=1.1", payload=b"<<")) == ("4.00", "BAD_LINK_FORMAT")
    # Register has no 4.15 in its table of answers.
    assert refusal(registering("ep=a", "lwm2m=1.1", content_format=112)) == ("4.00", "BAD_LINK_FORMAT")


def test_l_09_requests_must_be_confirmable() -> None:
    for path, code in ((("rd",), 2), (("rd", "x"), 2), (("rd", "x"), 4)):
        assert (
            refusal(Request(code, path, ("lwm2m=1.1",), 40, LINKS, confirmable=False))[1] == "NOT_CONFIRMABLE"
        )
    assert refusal(Request(Code.POST, ("bs",), confirmable=False), "bootstrap")[1] == "NOT_CONFIRMABLE"
    assert parse(Request(Code.POST, ("dp",), (), 112, b"\x80", confirmable=False), plane="management")


def test_int_102_and_107_update_with_lifetime() -> None:
    message = parse(updating("lt=20"), plane="management")
    assert message == Update("7f", lifetime_seconds=20)


def test_int_104_update_without_parameters() -> None:
    assert parse(updating(), plane="management") == Update("7f")


def test_int_1250_update_with_a_new_list() -> None:
    message = parse(updating("Q", "x=1", payload=b"</1/0>,</11/0>"), plane="management")
    assert isinstance(message, Update)
    assert message.object_links is not None
    assert list(message.object_links.objects) == [1, 11]
    assert (message.queue_mode, message.binding, message.attributes) == (True, None, (("x", "1"),))


@pytest.mark.parametrize("query", ["lt=", "lt=-1", "Q=1", "b=", "b=X", "sms=+"])
def test_acceptance_11_refused_updates(query: str) -> None:
    assert refusal(updating(query))[0] == "4.00"


def test_int_103_deregister() -> None:
    assert parse(Request(Code.DELETE, ("rd", "7f")), plane="management") == Deregister("7f")


def test_int_306_send() -> None:
    assert parse(send_request(110, b"[]"), plane="management") == Send(110, b"[]")
    assert refusal(send_request(0, b"1")) == ("4.00", "CONTENT_FORMAT_UNSUPPORTED")
    assert refusal(send_request(112, b"")) == ("4.00", "PAYLOAD_MALFORMED")


@pytest.mark.parametrize(
    ("code", "path", "plane", "expected"),
    [
        (1, ("rd",), "management", "4.05"),
        (3, ("rd", "x"), "management", "4.05"),
        (1, ("dp",), "management", "4.05"),
        (4, ("rd",), "management", "4.05"),
        (2, ("rd", "x", "y"), "management", "4.04"),
        (2, ("rd", ""), "management", "4.04"),
        (2, ("rd", "x" * 300), "management", "4.04"),
        (2, ("rd", "\x00"), "management", "4.04"),
        (2, (), "management", "4.04"),
        (2, ("bs",), "management", "4.04"),
        (2, ("rd",), "bootstrap", "4.04"),
        (1, ("bs",), "bootstrap", "4.05"),
        (2, ("bspack",), "bootstrap", "4.05"),
    ],
)
def test_paths_and_methods(code: int, path: tuple[str, ...], plane: str, expected: str) -> None:
    assert refusal(Request(code, path), plane)[0] == expected


def test_bootstrap_acceptance_1_to_3_preferred_format() -> None:
    leshan = parse(Request(Code.POST, ("bs",), ("pct=112", "ep=urn:x")), plane="bootstrap")
    assert leshan == BootstrapRequest("urn:x", 112)
    assert parse(bootstrap_request(endpoint="a"), plane="bootstrap") == BootstrapRequest("a", None)
    for refused in ("9999", "0", "60"):
        answer = refusal(Request(Code.POST, ("bs",), ("ep=a", f"pct={refused}")), "bootstrap")
        assert answer == ("4.15", "BOOTSTRAP_CONTENT_FORMAT_UNSUPPORTED")
    assert refusal(Request(Code.POST, ("bs",), ("ep=a", "pct=x")), "bootstrap")[0] == "4.00"


def test_int_12_bootstrap_pack_request() -> None:
    asked = parse(bootstrap_pack_request(endpoint="a", accept=112), plane="bootstrap")
    assert asked == BootstrapPackRequest("a", 112)
    named = parse(Request(Code.GET, ("bspack",), ("ep=a", "acc=110")), plane="bootstrap")
    assert named == BootstrapPackRequest("a", 110)


@pytest.mark.parametrize("version", ["1.0", "1.1", "1.2"])
@pytest.mark.parametrize("queue_mode", [False, True])
def test_client_builders_are_understood(version: str, queue_mode: bool) -> None:
    request = register_request(
        endpoint="a",
        object_links=LINKS,
        version=version,
        binding="US",
        queue_mode=queue_mode,
        lifetime_seconds=60,
    )
    message = parse(request, plane="management")
    assert isinstance(message, Register)
    assert (message.binding, message.queue_mode, message.lifetime_seconds) == ("US", queue_mode, 60)
    assert parse(update_request(("rd", "x")), plane="management") == Update("x")
    assert parse(update_request(("rd", "x"), lifetime_seconds=5), plane="management") == Update("x", 5)
    assert parse(deregister_request(("rd", "x")), plane="management") == Deregister("x")


PARAMETERS = st.sampled_from(["ep", "lt", "lwm2m", "b", "Q", "sms", "pid", "pct", "acc", "x"])
ITEMS = st.one_of(
    st.text(max_size=20),
    st.builds(
        "{}={}".format, PARAMETERS, st.text(max_size=12) | st.sampled_from(["1.1", "1.2", "UQ", "60", "112"])
    ),
)


@given(
    code=st.integers(0, 255),
    path=st.lists(st.sampled_from(["rd", "dp", "bs", "bspack", "x"]), max_size=3).map(tuple),
    query=st.lists(ITEMS, max_size=8).map(tuple),
    content_format=st.none() | st.integers(0, 65535),
    payload=st.binary(max_size=40) | st.just(LINKS),
    plane=st.sampled_from(["management", "bootstrap"]),
)
@settings(max_examples=400)
def test_nothing_but_lwm2m_errors_escape(
    code: int,
    path: tuple[str, ...],
    query: tuple[str, ...],
    content_format: int | None,
    payload: bytes,
    plane: str,
) -> None:
    with suppress(Lwm2mError):
        assert parse(Request(code, path, query, content_format, payload), plane=plane)
