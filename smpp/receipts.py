"""Delivery receipts: what became of a message, as text in the user data or as optional parameters.

SMPP 3.4 section 5.2.28 for the states, appendix B for the text, which vendors vary at will.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import IntEnum

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
_STATES = {word: state for state, word in _WORDS.items()}
_ID = re.compile(r"\bid:\s*([^\s]{1,64})", re.IGNORECASE)
_STAT = re.compile(r"\bstat:\s*([A-Za-z]{1,10})", re.IGNORECASE)
_ERR = re.compile(r"\berr:\s*([0-9A-Za-z]{1,6})", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Receipt:
    """``error`` is what the network said, b"" or digits; ``source`` is the number that the message went to."""

    message_id: str
    state: MessageState
    error: str = ""
    source: Address | None = None


def read(body: Carrier) -> Receipt | None:
    """The receipt in a message that `parts.is_receipt`; None when it does not say of which message."""
    told = body.parameters
    text = _text(body)
    message_id = parameters.text(told, Tag.RECEIPTED_MESSAGE_ID) or _found(_ID, text)
    if not message_id:
        return None
    return Receipt(message_id, _state(told.get(Tag.MESSAGE_STATE), text), _error(body, text), body.source)


def spellings(message_id: str) -> tuple[str, ...]:
    """The ways in which one SMSC may spell an id: several answer in hexadecimal and report in decimal.

    The id as it stands comes first.
    """
    found = [message_id]
    if re.fullmatch(r"[0-9]{1,20}", message_id):
        found += [f"{int(message_id):x}", f"{int(message_id):X}", str(int(message_id))]
    if re.fullmatch(r"[0-9A-Fa-f]{1,16}", message_id):
        found += [str(int(message_id, 16)), message_id.lower(), message_id.upper()]
    return tuple(dict.fromkeys(found))


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
    try:
        return parts.user_data(body).decode("latin-1")
    except Malformed:
        return ""


def _found(pattern: re.Pattern[str], text: str) -> str:
    match = pattern.search(text)
    return "" if match is None else match[1]


def _state(told: bytes | None, text: str) -> MessageState:
    if told is not None and len(told) == 1 and told[0] in MessageState._value2member_map_:
        return MessageState(told[0])
    return _STATES.get(_found(_STAT, text).upper(), MessageState.UNKNOWN)


def _error(body: Carrier, text: str) -> str:
    """network_error_code is a network's type and a number (5.3.2.31)."""
    told = body.parameters.get(Tag.NETWORK_ERROR_CODE)
    if told is not None and len(told) == 3:
        return str(int.from_bytes(told[1:], "big"))
    return _found(_ERR, text)
