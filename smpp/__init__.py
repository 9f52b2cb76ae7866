"""SMPP 3.4 without I/O: bytes and the time in, bytes and events out; both ends, and what an SMS has in it.

A link (ESME):

    session = Session(Bind("portal", "secret"), Limits(window=10, per_second=20))
    events = session.start(now)                  # then receive(octets, now), tick(now) at next_deadline(), lost(why)
    while session.room(now):                     # room_at(now): when to try again
        events += session.submit(message, key, now)          # -> Answered(key, status, message_id) | Unanswered(key)
    case Received(handle, body): store it, then  events += session.acknowledge(handle, now=now)
    case BindRefused(): `may_retry`; case Closed(): close the connection, begin again with a new Session.

A message out:

    for part in split(payload, reference=r):     # COAP ports 5683, 140 bytes with header
        submit_sm(part, source=Address.parse("+49..."), destination=..., addressing=Addressing.UDH,
                  wants_receipt=True, validity_seconds=3600)

A message in:

    if is_receipt(body): receipts.read(body)     # Receipt(message_id, state, error, source); responses(message_id)
    else: part_of(body)                          # Part(payload, ports, concat); raises NotBinary, Malformed
    Reassembly().add(sender, part, handle, now)  # -> Whole(payload, ports, handles) | None; spent()
    body.source.msisdn                           # "+49..." or None: the sender as SMSC says it

`Answered.outcome` is a `Class`: OK, SLOWER, RETRY, NEVER or FATAL. No bytes make anything raise but `Malformed`
and `NotBinary`, and a session catches the former. See docs/decisions/sms.md.
"""

from __future__ import annotations

from smpp import receipts
from smpp.addresses import Address, Npi, Ton
from smpp.codec import decode, decode_all, encode
from smpp.commands import Command
from smpp.errors import BadAddress, Malformed, NoRoom, NotBinary, NotBound, SmppError, TooLong
from smpp.events import (
    Answered,
    BindRefused,
    BindWanted,
    Bound,
    Closed,
    Event,
    Fault,
    OutbindReceived,
    Reachable,
    Received,
    Transmit,
    Unanswered,
)
from smpp.framing import Framer
from smpp.parameters import Tag
from smpp.parts import (
    Addressing,
    Part,
    deliver_sm,
    is_binary,
    is_intermediate,
    is_receipt,
    part_of,
    split,
    submit_sm,
)
from smpp.pdus import (
    AlertNotification,
    Bind,
    Carrier,
    DataSm,
    DeliverSm,
    Pdu,
    SubmitSm,
)
from smpp.peer import Limits, State
from smpp.reassembly import Reassembly, Whole
from smpp.receipts import MessageState, Receipt, Spelling
from smpp.session import Session
from smpp.smsc import SmscSession
from smpp.status import Class, Status, classify, describe
from smpp.udh import COAP, Concat, Ports

__all__ = [
    "COAP",
    "Address",
    "Addressing",
    "AlertNotification",
    "Answered",
    "BadAddress",
    "Bind",
    "BindRefused",
    "BindWanted",
    "Bound",
    "Carrier",
    "Class",
    "Closed",
    "Command",
    "Concat",
    "DataSm",
    "DeliverSm",
    "Event",
    "Fault",
    "Framer",
    "Limits",
    "Malformed",
    "MessageState",
    "NoRoom",
    "NotBinary",
    "NotBound",
    "Npi",
    "OutbindReceived",
    "Part",
    "Pdu",
    "Ports",
    "Reachable",
    "Reassembly",
    "Receipt",
    "Received",
    "Session",
    "SmppError",
    "SmscSession",
    "Spelling",
    "State",
    "Status",
    "SubmitSm",
    "Tag",
    "Ton",
    "TooLong",
    "Transmit",
    "Unanswered",
    "Whole",
    "classify",
    "decode",
    "decode_all",
    "deliver_sm",
    "describe",
    "encode",
    "is_binary",
    "is_intermediate",
    "is_receipt",
    "part_of",
    "receipts",
    "split",
    "submit_sm",
]
