"""What the QR code of a key holds."""

from __future__ import annotations

from urllib.parse import parse_qs, urlsplit

from selfservice import key_sheet

KEY = bytes(range(16))


def test_the_line_can_be_taken_apart_again(settings):
    settings.PUBLIC_HOST = "portal.example"
    settings.BOOTSTRAP_COAPS_PORT = 5784
    sheet = key_sheet.sheet(endpoint="urn:dev:ä&b", identity="id 1", key=KEY)
    parts = urlsplit(sheet.line)
    assert (parts.scheme, parts.hostname, parts.port) == ("lwm2m", "portal.example", 5784)
    assert parse_qs(parts.query) == {"ep": ["urn:dev:ä&b"], "id": ["id 1"], "psk": [KEY.hex()]}
    assert sheet.server == "coaps://portal.example:5784"


def test_the_qr_code_needs_no_inline_style_or_script():
    sheet = key_sheet.sheet(endpoint="urn:dev:1", identity="urn:dev:1", key=KEY)
    assert sheet.qr.startswith("<svg")
    assert "style=" not in sheet.qr
    assert "<script" not in sheet.qr


def test_the_hex_is_grouped_for_reading_aloud():
    assert key_sheet.sheet(endpoint="a", identity="a", key=KEY).grouped.startswith("0001 0203 0405")
