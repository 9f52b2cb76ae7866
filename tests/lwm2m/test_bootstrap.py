"""Bootstrap sessions against a made-up client that keeps, deletes and refuses as real ones do."""

from collections.abc import Callable
from dataclasses import dataclass, field, replace

import pytest

from lwm2m import formats
from lwm2m.bootstrap import AccessRight, BootstrapPlan, Finished, Operation, ServerAccount, Session
from lwm2m.codes import Code
from lwm2m.errors import Lwm2mError
from lwm2m.links import parse_bootstrap_discover
from lwm2m.nodes import Value
from lwm2m.objects import core
from lwm2m.paths import ROOT, Path

PSK = ServerAccount(101, "coaps://dm.example:5684", 0, b"identity", b"0123456789abcdef")
NOSEC = ServerAccount(102, "coap://dm2.example:5683", 3)
SERVER_RIGHTS = (AccessRight(3, 0, ((101, 31), (102, 1))),)


@dataclass
class Client:
    """Holds instances as ``{object: {instance: ssid}}``; the bootstrap account has no ssid."""

    security: dict[int, int | None]
    servers: dict[int, int | None] = field(default_factory=dict)
    discovers: bool = True
    finish: Code = Code.CHANGED
    refuse: Callable[[Operation], Code | None] = lambda operation: None
    seen: list[str] = field(default_factory=list)
    written: dict[str, Value] = field(default_factory=dict)
    overwrote_bootstrap_account: bool = False

    def answer(self, operation: Operation) -> tuple[Code, bytes]:
        request = operation.request
        self.seen.append(f"{operation.kind} {operation.path}")
        refused = self.refuse(operation)
        if refused is not None:
            return refused, b""
        match operation.kind:
            case "discover":
                return (
                    (Code.CONTENT, self.links(operation.path))
                    if self.discovers
                    else (Code.METHOD_NOT_ALLOWED, b"")
                )
            case "delete":
                if operation.path.contains(Path(0)):
                    self.security = {number: ssid for number, ssid in self.security.items() if ssid is None}
                if operation.path.contains(Path(1)):
                    self.servers = {}
                return Code.DELETED, b""
            case "write":
                self.write(operation.path, request.content_format, request.payload)
                return Code.CHANGED, b""
            case "finish":
                assert request.path == ("bs",)
                return self.finish, b""
        return Code.CONTENT, b""

    def links(self, path: Path) -> bytes:
        found = [("", "lwm2m=1.1")]
        found += [
            (f"0/{number}", "" if ssid is None else f"ssid={ssid}") for number, ssid in self.security.items()
        ]
        found += [(f"1/{number}", f"ssid={ssid}") for number, ssid in self.servers.items()]
        inside = [one for one in found if not one[0] or path.contains(Path.parse(one[0]))]
        return ",".join(f"</{target}>;{said}".rstrip(";") for target, said in inside).encode()

    def write(self, path: Path, content_format: int | None, payload: bytes) -> None:
        nodes = formats.decode(content_format, payload, path, core())
        self.written.update({str(node.path): node.value for node in nodes})
        if path.object_id == 0 and path.instance_id is not None:
            if path.instance_id in self.security and self.security[path.instance_id] is None:
                self.overwrote_bootstrap_account = True
            self.security[path.instance_id] = next(n.value for n in nodes if n.path.resource_id == 10)  # type: ignore[assignment]


def play(
    client: Client, plan: BootstrapPlan, content_format: int = 11542, version: str | None = None
) -> Finished:
    session = Session(plan, content_format=content_format, version=version)
    step: Operation | Finished = session.first()
    while isinstance(step, Operation):
        assert step.request.confirmable
        assert step.request.path == step.path.segments or step.kind == "finish"
        step = session.answered(*client.answer(step))
    return step


def test_l_23_order_of_a_session() -> None:
    client = Client({0: None, 3: 7}, {0: 7})
    assert play(client, BootstrapPlan((PSK,))) == Finished("done")
    assert client.seen == [
        "discover /0", "delete /0", "delete /1", "write /0/1", "write /1/0", "finish /",
    ]  # fmt: skip


@pytest.mark.parametrize("account", [0, 1, 5])
@pytest.mark.parametrize("deletes", [(Path(0), Path(1)), (ROOT,), ()])
def test_acceptance_6_bootstrap_account_is_never_hit(account: int, deletes: tuple[Path, ...]) -> None:
    client = Client({account: None, 2: 9}, {0: 9, 1: 8})
    plan = BootstrapPlan((PSK, NOSEC), deletes, access_rights=SERVER_RIGHTS)
    assert play(client, plan).result == "done"
    assert not client.overwrote_bootstrap_account
    assert client.security[account] is None
    assert {101, 102} <= set(client.security.values())
    if not deletes:
        assert client.security[2] == 9
        assert {"/1/0/0", "/1/1/0"}.isdisjoint(client.written)


@pytest.mark.parametrize("account", [0, 1])
def test_acceptance_6_client_without_discover(account: int) -> None:
    # A 1.0 client that refuses Bootstrap-Discover: ids 0 and 1 are where bootstrap accounts stand.
    client = Client({account: None}, discovers=False)
    assert play(client, BootstrapPlan((PSK,)), version="1.0") == Finished("done")
    assert client.seen[:2] == ["discover /0", "discover /"]
    assert not client.overwrote_bootstrap_account
    assert client.written["/0/2/10"] == 101


def test_without_discover_in_the_plan() -> None:
    client = Client({0: None})
    play(client, BootstrapPlan((PSK,), discover=False))
    assert client.seen[0] == "delete /0"
    assert "/0/2/0" in client.written


def test_a_wish_for_the_bootstrap_account_gives_way() -> None:
    client = Client({0: None})
    play(client, BootstrapPlan((replace(PSK, security_instance=0, server_instance=7),)))
    assert not client.overwrote_bootstrap_account
    assert client.written["/0/1/10"] == 101
    assert client.written["/1/7/0"] == 101


def test_accounts_that_stay_are_reused_by_their_own_server() -> None:
    client = Client({0: None, 4: 101}, {3: 101})
    assert play(client, BootstrapPlan((PSK,), ())).result == "done"
    assert client.seen == ["discover /0", "discover /1", "write /0/4", "write /1/3", "finish /"]


def test_a_refused_delete_leaves_its_instances_alone() -> None:
    refuse = lambda operation: Code.BAD_REQUEST if operation.kind == "delete" else None  # noqa: E731
    client = Client({0: None, 1: 9}, {0: 9}, refuse=refuse)
    finished = play(client, BootstrapPlan((PSK,)))
    assert (finished.result, finished.cause) == ("finished_with_errors", "BOOTSTRAP_DELETE_REFUSED")
    assert client.security == {0: None, 1: 9, 2: 101}


def test_nothing_to_delete_is_no_error() -> None:
    refuse = lambda operation: Code.NOT_FOUND if operation.kind == "delete" else None  # noqa: E731
    assert play(Client({0: None}, refuse=refuse), BootstrapPlan((PSK,))) == Finished("done")


def test_instances_without_a_clear_bootstrap_account_are_all_left_alone() -> None:
    client = Client({0: None, 1: None})
    play(client, BootstrapPlan((PSK,)))
    assert not client.overwrote_bootstrap_account
    assert client.written["/0/2/10"] == 101


@pytest.mark.parametrize("content_format", [11542, 112, 110, 11544])
def test_acceptance_1_and_2_formats_of_the_writes(content_format: int) -> None:
    client = Client({0: None})
    account = replace(PSK, pmin=1, pmax=60, disable_timeout=86400, is_send_muted=False)
    assert play(client, BootstrapPlan((account,)), content_format, "1.1") == Finished("done")
    assert client.written == {
        "/0/1/0": "coaps://dm.example:5684",
        "/0/1/1": False,
        "/0/1/2": 0,
        "/0/1/3": b"identity",
        "/0/1/4": b"",
        "/0/1/5": b"0123456789abcdef",
        "/0/1/10": 101,
        "/1/0/0": 101,
        "/1/0/1": 86400,
        "/1/0/2": 1,
        "/1/0/3": 60,
        "/1/0/5": 86400,
        "/1/0/6": True,
        "/1/0/7": "U",
        "/1/0/23": False,
    }


def test_leshan_wants_empty_credentials_written() -> None:
    client = Client({0: None})
    play(client, BootstrapPlan((NOSEC,)), 112)
    assert [client.written[f"/0/1/{number}"] for number in (3, 4, 5)] == [b"", b"", b""]


def test_int_8_access_rights_and_reads() -> None:
    client = Client({1: None})
    rights = (AccessRight(3, 0, ((0, 31),)),)
    plan = BootstrapPlan((PSK,), access_rights=rights, reads=(Path(1), Path(2)))
    assert play(client, plan).result == "done"
    assert client.seen[2:4] == ["read /1", "read /2"]
    assert [client.written[f"/2/0/{tail}"] for tail in ("0", "1", "2/0", "3")] == [3, 0, 31, 65535]


def test_a_client_without_bootstrap_read_is_served() -> None:
    refuse = lambda operation: Code.METHOD_NOT_ALLOWED if operation.kind == "read" else None  # noqa: E731
    plan = BootstrapPlan((PSK,), reads=(Path(1),))
    assert play(Client({0: None}, refuse=refuse), plan) == Finished("done")


def test_acceptance_11_two_servers_and_rights() -> None:
    client = Client({0: None})
    assert play(client, BootstrapPlan((PSK, NOSEC), access_rights=SERVER_RIGHTS)).result == "done"
    assert client.seen[-6:] == [
        "write /0/1",
        "write /0/2",
        "write /1/0",
        "write /1/1",
        "write /2/0",
        "finish /",
    ]
    assert client.written["/2/0/2/102"] == 1


def test_int_9_and_acceptance_8_finish_inconsistent() -> None:
    finished = play(Client({0: None}, finish=Code.NOT_ACCEPTABLE), BootstrapPlan((PSK,)))
    assert (finished.result, finished.cause) == ("finish_failed", "BOOTSTRAP_INCONSISTENT")
    assert "4.06" in finished.detail
    refused = play(Client({0: None}, finish=Code.BAD_REQUEST), BootstrapPlan((PSK,)))
    assert (refused.result, refused.cause) == ("finish_failed", "BOOTSTRAP_FINISH_REFUSED")


@pytest.mark.parametrize("path", [Path(0, 1), Path(1, 0)])
@pytest.mark.parametrize(
    "code",
    [
        Code.BAD_REQUEST,
        Code.UNAUTHORIZED,
        Code.METHOD_NOT_ALLOWED,
        Code.NOT_ACCEPTABLE,
        Code.UNSUPPORTED_CONTENT_FORMAT,
        Code.INTERNAL_SERVER_ERROR,
        Code.SERVICE_UNAVAILABLE,
    ],
)
@pytest.mark.parametrize("content_format", [11542, 110, 112, 11544])
def test_a_refused_account_never_ends_in_finish(path: Path, code: Code, content_format: int) -> None:
    refuse = lambda operation: code if operation.path == path else None  # noqa: E731
    client = Client({0: None}, refuse=refuse)
    finished = play(client, BootstrapPlan((PSK,)), content_format)
    assert (finished.result, finished.cause) == ("write_refused", "BOOTSTRAP_WRITE_REFUSED")
    assert f"Write {path} was answered {code.dotted}" in finished.detail
    assert "finish /" not in client.seen
    assert client.seen[-1] == f"write {path}"


def test_the_second_of_two_accounts_is_as_essential_as_the_first() -> None:
    refuse = lambda operation: Code.BAD_REQUEST if operation.path == Path(0, 2) else None  # noqa: E731
    plan = BootstrapPlan((PSK, NOSEC), access_rights=SERVER_RIGHTS)
    client = Client({0: None}, refuse=refuse)
    assert play(client, plan).result == "write_refused"
    assert "finish /" not in client.seen


def test_a_refused_access_right_goes_on_and_is_told() -> None:
    refuse = lambda operation: Code.BAD_REQUEST if operation.path == Path(2, 0) else None  # noqa: E731
    client = Client({0: None}, refuse=refuse)
    finished = play(client, BootstrapPlan((PSK,), access_rights=(AccessRight(3, 0, ((0, 31),)),)))
    assert (finished.result, finished.cause) == ("finished_with_errors", "BOOTSTRAP_WRITE_REFUSED")
    assert finished.detail == "Write /2/0 was answered 4.00 in TLV."
    assert client.seen[-1] == "finish /"


@pytest.mark.parametrize(
    ("asked", "takes", "code", "formats_seen"),
    [
        (110, 11542, Code.BAD_REQUEST, [110, 11542, 11542]),  # wakaama: base64url in SenML JSON
        (112, 11542, Code.UNSUPPORTED_CONTENT_FORMAT, [112, 11542, 11542]),
        (11544, 11542, Code.NOT_ACCEPTABLE, [11544, 11542, 11542]),
        (11542, 110, Code.UNSUPPORTED_CONTENT_FORMAT, [11542, 110, 110]),  # 1.1 without TLV and without pct
        (11542, 112, Code.NOT_ACCEPTABLE, [11542, 110, 112, 112]),
    ],
)
def test_a_write_that_fails_for_its_format_is_tried_in_others(
    asked: int, takes: int, code: Code, formats_seen: list[int]
) -> None:
    seen: list[int | None] = []
    notes: list[str] = []

    def refuse(operation: Operation) -> Code | None:
        if operation.kind != "write":
            return None
        seen.append(operation.request.content_format)
        notes.append(operation.note)
        return None if operation.request.content_format == takes else code

    client = Client({0: None}, refuse=refuse)
    finished = play(client, BootstrapPlan((PSK,)), asked, "1.1")
    assert (finished.result, finished.cause) == ("done", "")
    assert seen == formats_seen  # what it took once it is written in from then on
    assert client.written["/0/1/5"] == PSK.key
    assert client.written["/1/0/0"] == 101
    assert f"Write /0/1 was answered {code.dotted} in" in finished.detail
    assert "it was taken in" in finished.detail
    assert notes[0] == notes[-1] == ""
    assert f"was answered {code.dotted}" in notes[1]


def test_bad_request_is_no_reason_to_try_every_format() -> None:
    seen: list[int | None] = []

    def refuse(operation: Operation) -> Code | None:
        if operation.kind == "write":
            seen.append(operation.request.content_format)
            return Code.BAD_REQUEST
        return None

    finished = play(Client({0: None}, refuse=refuse), BootstrapPlan((PSK,)), 110)
    assert seen == [110, 11542]
    assert finished.detail.startswith("Write /0/1 was answered 4.00 in SenML JSON, 4.00 in TLV. ")


def test_acceptance_10_silence_ends_the_session() -> None:
    session = Session(BootstrapPlan((PSK,)), content_format=112)
    session.first()
    ended = session.failed("BOOTSTRAP_TIMEOUT")
    assert (ended.result, ended.cause) == ("transport_failed", "BOOTSTRAP_TIMEOUT")
    assert session.answered(Code.CHANGED) == ended
    assert session.failed("again") == ended


def test_an_answer_before_the_first_request_ends_the_session() -> None:
    assert Session(BootstrapPlan((PSK,)), content_format=112).answered(Code.CHANGED) == Finished(
        "transport_failed",
        "BOOTSTRAP_INTERRUPTED",
        "The session broke off: an answer came before any request.",
    )


def test_only_writes_with_keys_are_secret() -> None:
    session = Session(BootstrapPlan((PSK,)), content_format=112)
    client, secret = Client({0: None}), []
    step: Operation | Finished = session.first()
    while isinstance(step, Operation):
        secret += [str(step.path)] if step.secret else []
        step = session.answered(*client.answer(step))
    assert secret == ["/0/1"]
    assert "0123456789abcdef" not in repr(PSK)


@pytest.mark.parametrize("payload", [b"<<", b"\xff", b"", b"</0>", b"</3/0>"])
def test_a_useless_discover_answer_is_as_none(payload: bytes) -> None:
    session = Session(BootstrapPlan((PSK,)), content_format=112)
    session.first()
    assert isinstance(session.answered(Code.CONTENT, payload), Operation)
    third = session.answered(Code.CONTENT, payload)
    assert isinstance(third, Operation)
    assert (third.kind, session.discovered) == ("delete", None)


def test_a_plan_that_cannot_be_written_fails_before_anything_is_deleted() -> None:
    with pytest.raises(Lwm2mError):
        Session(BootstrapPlan((PSK,)), content_format=50).first()
    with pytest.raises(Lwm2mError):
        Session(BootstrapPlan((replace(PSK, lifetime_seconds=2**70),)), content_format=11542).first()


# Bootstrap-Discover


def test_int_0_discover_after_bootstrap() -> None:
    found = parse_bootstrap_discover(b'</>;lwm2m="1.1",</0/0>;ssid=1,</0/1>,</1/0>;ssid=1,</3/0>')
    assert (found.version, found.bootstrap_account_instance) == ("1.1", 1)
    assert [(one.instance_id, one.short_server_id) for one in found.servers] == [(0, 1)]
    assert found.others == (Path(3, 0),)


def test_leshan_discover() -> None:
    found = parse_bootstrap_discover(
        b'</>;lwm2m=1.0,</0>;ver=1.2,</0/0>;uri="coap://bs:5683",</0/1>;ssid=5;uri="coap://x"'
    )
    assert found.bootstrap_account_instance == 0
    assert found.security[1].uri == "coap://x"


@pytest.mark.parametrize("head", [b"lwm2m=1.0,", b'lwm2m="1.0", ', b" lwm2m = 1.0 ,"])
def test_legacy_form_of_1_0(head: bytes) -> None:
    found = parse_bootstrap_discover(head + b"</0/0>;ssid=0,</0/2>;ssid=101,</1/0>;ssid=101,</0/70000>,</x>")
    assert (found.version, found.bootstrap_account_instance) == ("1.0", 0)
    assert [one.instance_id for one in found.security] == [0, 2]
