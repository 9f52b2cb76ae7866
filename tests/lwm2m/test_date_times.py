"""Times as texts: tag 0 of CBOR in every format that is CBOR (OMA_LwM2M_for_Developers#537)."""

from contextlib import suppress
from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lwm2m import cbor, date_times, formats
from lwm2m.codes import ContentFormat as CF
from lwm2m.date_times import DateTimeText
from lwm2m.errors import Lwm2mError
from lwm2m.objects import core
from lwm2m.paths import ROOT, Path

TIME, TEXT, NUMBER, UNKNOWN = Path(3, 0, 13), Path(3, 0, 0), Path(3, 0, 9), Path(32999, 0, 1)
AT = 1_600_000_000


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("2020-09-13T12:26:40Z", AT),
        ("2020-09-13t12:26:40z", AT),
        ("2020-09-13T14:26:40+02:00", AT),
        ("2020-09-13T06:56:40-05:30", AT),
        ("2020-09-13T12:26:40.000Z", AT),
        ("2020-09-13T12:26:40.25Z", AT + 0.25),
        ("1969-12-31T23:59:59Z", -1),
        ("2016-12-31T23:59:60Z", 1_483_228_800),  # a leap second
        ("2013-03-21T20:04:00Z", 1_363_896_240),  # RFC 8949 Appendix A
        ("2020-09-13T12:26:40", None),
        ("2020-09-13", None),
        ("2020-02-30T12:26:40Z", None),
        ("2020-09-13T24:26:40Z", None),
        ("2020-09-13T12:26:61Z", None),
        ("0000-01-01T00:00:00Z", None),
        ("2020-09-13T12:26:40+24:00", None),
        ("2020-09-13T12:26:40Z ", None),
        ("٢٠٢٠-09-13T12:26:40Z", None),
        ("", None),
    ],
)
def test_rfc_3339(text: str, seconds: float | None) -> None:
    assert date_times.seconds(text) == seconds
    assert type(date_times.seconds(text)) is type(seconds)


@given(st.datetimes(min_value=datetime(1, 1, 2)), st.integers(-1439, 1439))
def test_any_time_with_any_offset(at: datetime, minutes: int) -> None:
    local = at.replace(microsecond=0, tzinfo=UTC)
    with suppress(OverflowError):
        local = local.astimezone(timezone(timedelta(minutes=minutes)))
    assert date_times.seconds(local.isoformat()) == int(local.timestamp())


@given(st.text(max_size=30))
def test_any_text_is_a_time_or_none(text: str) -> None:
    assert date_times.seconds(text) is None or "T" in text.upper()


def payloads(path: Path, text: str) -> list[tuple[int, bytes]]:
    """The text under tag 0, wherever a value may stand."""
    tagged = b"\xc0" + cbor.dumps(text)
    name = cbor.dumps(str(path))
    ids = cbor.dumps(list(path.ids))
    return [
        (CF.CBOR, tagged),
        (CF.SENML_CBOR, b"\x81\xa2\x00" + name + b"\x02" + tagged),
        (CF.SENML_CBOR, b"\x81\xa2\x00" + name + b"\x03" + tagged),
        (CF.LWM2M_CBOR, b"\xa1" + ids + tagged),
    ]


@pytest.mark.parametrize("text", ["2020-09-13T12:26:40Z", "2020-09-13T14:26:40.25+02:00"])
@pytest.mark.parametrize(("path", "value"), [(TIME, AT), (NUMBER, AT)])
def test_tag_0_is_seconds_where_the_model_wants_a_number(text: str, path: Path, value: int) -> None:
    for number, payload in payloads(path, text):
        (node,) = formats.decode(number, payload, path, core())
        assert (node.value, type(node.value)) == (value, int)


@pytest.mark.parametrize("path", [TEXT, UNKNOWN])
def test_tag_0_stays_the_text_where_no_number_is_meant(path: Path) -> None:
    for number, payload in payloads(path, "2020-09-13T12:26:40Z"):
        (node,) = formats.decode(number, payload, path, core())
        assert (node.value, type(node.value)) == ("2020-09-13T12:26:40Z", str)


@pytest.mark.parametrize("text", ["yesterday", "2020-09-13T12:26:40", "2020-13-13T12:26:40Z", ""])
def test_tag_0_holds_a_date_and_time(text: str) -> None:
    for number, payload in payloads(TIME, text):
        with pytest.raises(Lwm2mError) as caught:
            formats.decode(number, payload, TIME, core())
        assert caught.value.cause == "PAYLOAD_MALFORMED"


@pytest.mark.parametrize("written", ["c000", "c0f6", "c06161", "c16161", "c1f5", "c140", "c080"])
def test_tags_of_time_hold_what_they_may(written: str) -> None:
    with pytest.raises(Lwm2mError):
        cbor.loads(bytes.fromhex(written))


def test_a_time_may_be_a_plain_text() -> None:
    payload = b'[{"n":"/3/0/13","vs":"2020-09-13T12:26:40Z"},{"n":"/3/0/0","vs":"2020-09-13T12:26:40Z"}]'
    assert [node.value for node in formats.decode(CF.SENML_JSON, payload, ROOT, core())] == [
        AT,
        "2020-09-13T12:26:40Z",
    ]


@pytest.mark.parametrize(("written", "value"), [("c11a5f5e1000", AT), ("c1fb41d7d78400000000", AT)])
def test_tag_1_is_a_number(written: str, value: int) -> None:
    (node,) = formats.decode(CF.CBOR, bytes.fromhex(written), TIME, core())
    assert (node.value, type(node.value)) == (value, int)


def test_what_cbor_gives_is_marked() -> None:
    assert isinstance(cbor.loads(b"\xc0\x742013-03-21T20:04:00Z"), DateTimeText)
