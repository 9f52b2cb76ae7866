"""Delivery receipts: what became of a message, as text in the user data or as optional parameters.

SMPP 3.4 section 5.2.28 for the states, appendix B for the text, which vendors vary at will.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import Enum, IntEnum

from smpp import parameters, parts
from smpp.addresses import Address
from smpp.errors import Malformed
from smpp.parameters import Tag
from smpp.pdus import Carrier, DeliverSm


class MessageState(IntEnum):
    """Where a message of ours stands."""

    ENROUTE = 1
    DELIVERED = 2
    EXPIRED = 3
    DELETED = 4
    UNDELIVERABLE = 5
    ACCEPTED = 6
    UNKNOWN = 7
    REJECTED = 8

    @property
    def is_final(self) -> bool:
        return self not in (MessageState.ENROUTE, MessageState.ACCEPTED, MessageState.UNKNOWN)


_WORDS = {
    MessageState.ENROUTE: "ENROUTE",
    MessageState.DELIVERED: "DELIVRD",
    MessageState.EXPIRED: "EXPIRED",
    MessageState.DELETED: "DELETED",
    MessageState.UNDELIVERABLE: "UNDELIV",
    MessageState.ACCEPTED: "ACCEPTD",
    MessageState.UNKNOWN: "UNKNOWN",
    MessageState.REJECTED: "REJECTD",
}
# Vendors shorten the words as they like or not at all; five letters tell all of them apart.
_LETTERS = 5
_STATES = {word[:_LETTERS]: state for state, word in _WORDS.items()} | {"FAILE": MessageState.UNDELIVERABLE}
# Fields end at a space, and at some SMSCs at a comma, a semicolon, a quote or a zero byte.
_ID = re.compile(r"""\bid:\s*["']?([^\s\x00,;"']{1,64})""", re.IGNORECASE)
_STAT = re.compile(r"""\bstat:\s*["']?([A-Za-z]{1,20})""", re.IGNORECASE)
_ERR = re.compile(r"\berr:\s*([0-9A-Za-z]{1,6})", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Receipt:
    """``error`` is what the network said, "" or digits; ``source`` is the number that the message went to."""

    message_id: str
    state: MessageState
    error: str = ""
    source: Address | None = None


class Spelling(Enum):
    """How the id of a receipt is written, compared with that of the submit_sm_resp; one SMSC keeps to one."""

    SAME = "same"
    DECIMAL = "decimal"  # the response was hexadecimal
    HEXADECIMAL = "hexadecimal"  # the response was decimal


def read(body: Carrier) -> Receipt | None:
    """The receipt in a message that `parts.is_receipt`; None when it does not say of which message."""
    told = body.parameters
    text = _text(body)
    message_id = parameters.text(told, Tag.RECEIPTED_MESSAGE_ID) or _found(_ID, text)
    if not message_id:
        return None
    return Receipt(message_id, _state(told.get(Tag.MESSAGE_STATE), text), _error(body, text), body.source)


def canonical(message_id: str) -> str:
    """An id as ids are compared: of numbers neither zeros in front nor upper and lower case make a difference."""
    if re.fullmatch(r"[0-9A-Fa-f]{1,64}", message_id):
        return message_id.lstrip("0").lower() or "0"
    return message_id


def responses(message_id: str) -> dict[Spelling, str]:
    """What the submit_sm_resp may have called the message that a receipt calls so, `canonical`, by spelling.

    That it may have been any of them does not mean that it was: a receipt for "10" is not about message "16".
    """
    found = {Spelling.SAME: canonical(message_id)}
    if re.fullmatch(r"[0-9]{1,20}", message_id):
        found[Spelling.DECIMAL] = f"{int(message_id):x}"
    if re.fullmatch(r"[0-9A-Fa-f]{1,16}", message_id):
        found[Spelling.HEXADECIMAL] = str(int(message_id, 16))
    return found


def write(receipt: Receipt, *, source: Address, destination: Address, at: str) -> DeliverSm:
    """The deliver_sm of a receipt, both as text and as parameters; ``at`` is YYMMDDhhmm."""
    delivered = int(receipt.state is MessageState.DELIVERED)
    text = (
        f"id:{receipt.message_id} sub:001 dlvrd:{delivered:03d} submit date:{at} done date:{at} "
        f"stat:{_WORDS[receipt.state]} err:{receipt.error or '000'} text:"
    )
    return DeliverSm(
        source=source,
        destination=destination,
        short_message=text.encode("ascii", "replace"),
        esm_class=parts.RECEIPT,
        parameters={
            Tag.RECEIPTED_MESSAGE_ID: receipt.message_id.encode("ascii", "replace") + b"\0",
            Tag.MESSAGE_STATE: bytes((receipt.state,)),
        },
    )


def _text(body: Carrier) -> str:
    """In whichever alphabet it can be read: SMSCs write receipts in UCS-2 too, and not all of them say so."""
    try:
        octets = parts.user_data(body)
    except Malformed:
        return ""
    for alphabet in ("latin-1", "utf-16-be", "utf-16-le"):
        text = octets.decode(alphabet, "replace")
        if _ID.search(text) or _STAT.search(text):
            return text
    return ""


def _found(pattern: re.Pattern[str], text: str) -> str:
    match = pattern.search(text)
    return "" if match is None else match[1]


def _state(told: bytes | None, text: str) -> MessageState:
    """The parameter, unless it says nothing that the text does not say better."""
    if told is not None and len(told) == 1 and told[0] in MessageState._value2member_map_:
        state = MessageState(told[0])
        if state is not MessageState.UNKNOWN:
            return state
    return _STATES.get(_found(_STAT, text).upper()[:_LETTERS], MessageState.UNKNOWN)


def _error(body: Carrier, text: str) -> str:
    """network_error_code is a network's type and a number (5.3.2.31)."""
    told = body.parameters.get(Tag.NETWORK_ERROR_CODE)
    if told is not None and len(told) == 3:
        return str(int.from_bytes(told[1:], "big"))
    return _found(_ERR, text)
