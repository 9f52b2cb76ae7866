"""Addresses: type of number, numbering plan and digits or letters (SMPP 3.4 sections 5.2.5 and 5.2.6)."""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import IntEnum

from smpp.errors import BadAddress

MAX_DIGITS = 15  # ITU-T E.164
_NUMBER = re.compile(r"\+?[0-9]{1,20}\Z")
_SHORTEST_MSISDN = 7  # fewer digits are a short code of one network
_SURELY_INTERNATIONAL = 10  # digits without a plus: no short code is that long


class Ton(IntEnum):
    """Type of number."""

    UNKNOWN = 0
    INTERNATIONAL = 1
    NATIONAL = 2
    NETWORK_SPECIFIC = 3
    SUBSCRIBER = 4
    ALPHANUMERIC = 5
    ABBREVIATED = 6


class Npi(IntEnum):
    """Numbering plan indicator, the two that matter here."""

    UNKNOWN = 0
    ISDN = 1


@dataclass(frozen=True, slots=True)
class Address:
    """As it stands in a PDU. Equal addresses can be spelt in more than one way: compare `msisdn`."""

    ton: int
    npi: int
    digits: str

    @classmethod
    def parse(cls, text: str) -> Address:
        """From ``+491511234567``, a short code such as ``2772``, or a name of up to 11 characters.

        A plus may be left out of ten digits and more. Raises `BadAddress`.
        """
        plain = re.sub(r"[ ()/-]", "", text) if text[:1] in "+0123456789(" else text
        if plain.startswith("+") and _NUMBER.match(plain) and _SHORTEST_MSISDN < len(plain) <= MAX_DIGITS + 1:
            return cls(Ton.INTERNATIONAL, Npi.ISDN, plain[1:])
        if plain.isascii() and plain.isdigit() and len(plain) <= MAX_DIGITS:
            if len(plain) >= _SURELY_INTERNATIONAL and plain[0] != "0":
                return cls(Ton.INTERNATIONAL, Npi.ISDN, plain)
            return cls(Ton.NETWORK_SPECIFIC, Npi.UNKNOWN, plain)
        if 1 <= len(text) <= 11 and text.isascii() and text.isprintable() and not text.startswith("+"):
            return cls(Ton.ALPHANUMERIC, Npi.UNKNOWN, text)
        raise BadAddress(f"{text!r} is no number such as +491511234567, no short code and no name")

    @property
    def msisdn(self) -> str | None:
        """``+`` and digits; None for a short code, a national number and a name.

        A name is never taken for a number, whatever its letters look like: anybody may choose a name. TON unknown
        with the digits of an international number is common among SMSCs and accepted; a leading 0 is not.
        """
        digits = self.digits.removeprefix("+")
        if not (digits.isascii() and digits.isdigit() and _SHORTEST_MSISDN <= len(digits) <= MAX_DIGITS):
            return None
        if digits.startswith("0") or self.ton not in (Ton.INTERNATIONAL, Ton.UNKNOWN):
            return None
        return f"+{digits}"

    def __str__(self) -> str:
        return self.msisdn or self.digits


NOBODY = Address(Ton.UNKNOWN, Npi.UNKNOWN, "")
