"""What the QR code of a key holds."""

from __future__ import annotations

from urllib.parse import parse_qs, urlsplit

from devices.inventory.models import Device
from devices.inventory.security import Material
from provisioning.services import key_sheet

KEY = bytes(range(16))


def _sheet(endpoint: str, identity: str) -> key_sheet.Sheet:
    return key_sheet.sheet(device=Device(endpoint=endpoint), secret=Material(identity, KEY))


def test_the_line_can_be_taken_apart_again(settings):
    settings.PUBLIC_HOST = "portal.example"
    settings.BOOTSTRAP_COAPS_PORT = 5784
    sheet = _sheet("urn:dev:ä&b", "id 1")
    parts = urlsplit(sheet.line)
    assert (parts.scheme, parts.hostname, parts.port) == ("lwm2m", "portal.example", 5784)
    assert parse_qs(parts.query) == {"ep": ["urn:dev:ä&b"], "id": ["id 1"], "psk": [KEY.hex()]}
    assert sheet.server == "coaps://portal.example:5784"


def test_the_qr_code_needs_no_inline_style_or_script():
    sheet = _sheet("urn:dev:1", "urn:dev:1")
    assert sheet.qr.startswith("<svg")
    assert "style=" not in sheet.qr
    assert "<script" not in sheet.qr


def test_the_hex_is_grouped_for_reading_aloud():
    assert _sheet("a", "a").written[0].grouped.startswith("0001 0203 0405")
