"""What stands on a device's label, checked: its endpoint name, PSK identity and key. Raises Refused."""

from __future__ import annotations

import re
import unicodedata

from django.utils.translation import gettext, ngettext

from accounts.errors import Refused

ENDPOINT_BYTES = 252
"""With ``ep=`` it is one Uri-Query of at most 255 bytes (RFC 7252 section 5.10): longer names never register."""
IDENTITY_BYTES = 128
KEY_BYTES = (16, 64)
_INVISIBLE = ("Cc", "Cf", "Cs", "Zl", "Zp")
_JOINERS = "\u200c\u200d"
_BETWEEN_DIGITS = re.compile(r"[\s()./\-]+")
_MSISDN = re.compile(r"\+[1-9][0-9]{6,14}\Z", re.ASCII)
_BETWEEN_HEX = re.compile(r"[\s:\-]+")
_HEX = re.compile(r"(?:[0-9A-Fa-f]{2})+\Z")


def check_endpoint(endpoint: str) -> str:
    """The name as given, or ENDPOINT_INVALID: 1 to 252 bytes of UTF-8, printable, no blank at either end."""
    _check_printable(endpoint, ENDPOINT_BYTES, "endpoint")
    return endpoint


def check_name(name: str) -> str:
    """What somebody calls a device, or VALIDATION_FAILED: no control characters, none that turn the text around.

    The joiners of emoji and of some scripts (U+200C, U+200D) are part of a name.
    """
    bad = next((one for one in name if unicodedata.category(one) in _INVISIBLE and one not in _JOINERS), None)
    if bad is not None:
        raise Refused("NAME_INVISIBLE_CHARACTER", field="name", character=f"U+{ord(bad):04X}")
    return name


def doubts(endpoint: str) -> list[str]:
    """What is probably a slip in a name that is allowed: sentences that ask to compare it with the label."""
    found = []
    digits = endpoint.removeprefix("urn:imei:")
    if endpoint.startswith("urn:imei:") and not (len(digits) == 15 and digits.isdigit() and digits.isascii()):
        found.append(
            ngettext(
                "An IMEI has 15 digits; this one has %(count)s character.",
                "An IMEI has 15 digits; this one has %(count)s characters.",
                len(digits),
            )
            % {"count": len(digits)}
        )
    elif len(digits) == 15 and digits.isdigit() and digits.isascii() and not has_check_digit(digits):
        found.append(
            gettext("The last digit of this IMEI does not fit the others, so one of its digits is mistyped.")
        )
    elif endpoint == digits and len(digits) == 15 and digits.isdigit() and digits.isascii():
        found.append(
            gettext("Devices with an IMEI commonly call themselves urn:imei:%(digits)s.") % {"digits": digits}
        )
    if odd := _look_alike(endpoint):
        name = unicodedata.name(odd, f"U+{ord(odd):04X}").lower()
        found.append(
            gettext("It mixes alphabets: %(odd)r is a %(name)s, which looks like another letter.")
            % {"odd": odd, "name": name}
        )
    return found


def has_check_digit(digits: str) -> bool:
    """Whether the last digit is the check digit of the others (Luhn, `3GPP TS 23.003` annex B)."""
    total = 0
    for place, digit in enumerate(reversed(digits)):
        value = int(digit) * (2 if place % 2 else 1)
        total += value - 9 if value > 9 else value
    return total % 10 == 0


def _look_alike(text: str) -> str:
    """A Greek or Cyrillic letter in a name that has Latin ones, too; empty where there is none."""
    scripts = {one: unicodedata.name(one, "").partition(" ")[0] for one in text if one.isalpha()}
    if "LATIN" not in scripts.values():
        return ""
    return next((one for one, script in scripts.items() if script in ("CYRILLIC", "GREEK")), "")


def check_identity(identity: str) -> str:
    """The PSK identity as given, or VALIDATION_FAILED: at most 128 bytes, the least every server takes."""
    _check_printable(identity, IDENTITY_BYTES, "psk_identity")
    return identity


def _check_printable(text: str, limit: int, field: str) -> None:
    is_endpoint = field == "endpoint"
    try:
        size = len(text.encode())
    except UnicodeEncodeError:
        raise Refused(
            "ENDPOINT_HALF_CHARACTER" if is_endpoint else "IDENTITY_HALF_CHARACTER", field=field
        ) from None
    if size == 0:
        raise Refused("ENDPOINT_MISSING" if is_endpoint else "IDENTITY_MISSING", field=field)
    if size > limit:
        raise Refused(
            "ENDPOINT_TOO_LONG" if is_endpoint else "IDENTITY_TOO_LONG", field=field, size=size, limit=limit
        )
    if text != text.strip():
        raise Refused("ENDPOINT_BLANK_AT_END" if is_endpoint else "IDENTITY_BLANK_AT_END", field=field)
    bad = next((character for character in text if not character.isprintable()), None)
    if bad is not None:
        raise Refused(
            "ENDPOINT_INVISIBLE_CHARACTER" if is_endpoint else "IDENTITY_INVISIBLE_CHARACTER",
            field=field,
            character=f"U+{ord(bad):04X}",
        )


def check_key(key: bytes) -> bytes:
    """The key as given, or PSK_KEY_INVALID: `OMA-TS-LightweightM2M_Core E.1` allows up to 64 bytes.

    One byte repeated is what a device holds before somebody gives it a key; anybody can guess it.
    """
    low, high = KEY_BYTES
    if not low <= len(key) <= high:
        raise Refused("KEY_LENGTH", field="psk_key", length=len(key), low=low, high=high)
    if len(set(key)) == 1:
        raise Refused("KEY_ONE_BYTE_REPEATED", field="psk_key")
    return key


def check_msisdn(text: str) -> str:
    """A phone number as ``+`` and 7 to 15 digits (ITU-T E.164), or MSISDN_INVALID.

    Blanks, hyphens, dots and brackets between the digits are taken out, and 00 in front is a +.
    """
    digits = _BETWEEN_DIGITS.sub("", text)
    if digits.startswith("00"):
        digits = f"+{digits[2:]}"
    if not digits:
        raise Refused("MSISDN_NOT_GIVEN", field="msisdn")
    if not _MSISDN.match(digits):
        raise Refused("MSISDN_MALFORMED", field="msisdn", text=text[:40])
    return digits


def parse_key(text: str) -> bytes:
    """A key typed from a label: hex digits, with or without blanks, colons or hyphens between them."""
    digits = _BETWEEN_HEX.sub("", text).removeprefix("0x").removeprefix("0X")
    if not digits:
        raise Refused("KEY_MISSING", field="psk_key")
    odd = next((digit for digit in digits if digit not in "0123456789abcdefABCDEF"), None)
    if odd is not None:
        raise Refused("KEY_NOT_HEX", field="psk_key", digit=odd)
    if not _HEX.match(digits):
        raise Refused("KEY_ODD", field="psk_key", length=len(digits))
    return check_key(bytes.fromhex(digits))
