"""Account numbers that survive a telephone, such as `NOR-4829-1370`.

Letters of the operator, seven digits, a check digit. That one is Damm's: it finds
every single wrong digit and every swap of two neighbours.
"""

from __future__ import annotations

import re
import secrets

from accounts.models import Operator, Subscriber

# Damm, "Total anti-symmetrische Quasigruppen" (2004), the table of order 10.
_DAMM = (
    "0317598642",
    "7092154863",
    "4206871359",
    "1750983426",
    "6123045978",
    "3674209581",
    "5869720134",
    "8945362017",
    "9438617205",
    "2581436790",
)


def check_digit(digits: str) -> str:
    state = 0
    for digit in digits:
        state = int(_DAMM[state][int(digit)])
    return str(state)


def is_sound(number: str) -> bool:
    """Whether the check digit fits, however the number is spaced."""
    digits = re.sub(r"[^0-9]", "", number)
    return len(digits) == 8 and check_digit(digits[:-1]) == digits[-1]


def prefix(operator: Operator) -> str:
    """Three letters of the operator's slug; they help the ear and need not be unique."""
    letters = re.sub(r"[^A-Z]", "", operator.slug.upper())
    return (letters + "XXX")[:3]


def new(operator: Operator) -> str:
    """A number nobody holds. The unique column decides where two draw the same at once."""
    while True:
        digits = f"{secrets.randbelow(10**7):07d}"
        digits += check_digit(digits)
        number = f"{prefix(operator)}-{digits[:4]}-{digits[4:]}"
        if not Subscriber.objects.filter(number=number).exists():
            return number
