"""The PDUs as values: one dataclass for the body of each (SMPP 3.4 section 4), without header."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import ClassVar

from smpp.addresses import NOBODY, Address
from smpp.commands import Command

INTERFACE_VERSION = 0x34


@dataclass(frozen=True, slots=True)
class Bind:
    """bind_transceiver, or with another ``command`` bind_transmitter and bind_receiver."""

    system_id: str
    password: str = field(default="", repr=False)
    system_type: str = ""
    interface_version: int = INTERFACE_VERSION
    addr_ton: int = 0
    addr_npi: int = 0
    address_range: str = ""
    command: Command = Command.BIND_TRANSCEIVER


@dataclass(frozen=True, slots=True)
class BindResp:
    """``system_id`` is the SMSC's own name."""

    system_id: str = ""
    parameters: Mapping[int, bytes] = field(default_factory=dict)
    command: Command = Command.BIND_TRANSCEIVER_RESP


@dataclass(frozen=True, slots=True)
class Outbind:
    """An SMSC that has opened the connection asks to be bound."""

    system_id: str = ""
    password: str = field(default="", repr=False)
    command: ClassVar[Command] = Command.OUTBIND


@dataclass(frozen=True, slots=True)
class Unbind:
    command: ClassVar[Command] = Command.UNBIND


@dataclass(frozen=True, slots=True)
class UnbindResp:
    command: ClassVar[Command] = Command.UNBIND_RESP


@dataclass(frozen=True, slots=True)
class EnquireLink:
    command: ClassVar[Command] = Command.ENQUIRE_LINK


@dataclass(frozen=True, slots=True)
class EnquireLinkResp:
    command: ClassVar[Command] = Command.ENQUIRE_LINK_RESP


@dataclass(frozen=True, slots=True)
class GenericNack:
    command: ClassVar[Command] = Command.GENERIC_NACK


@dataclass(frozen=True, slots=True)
class ShortMessage:
    """The body that submit_sm and deliver_sm share (4.4.1, 4.6.1).

    ``short_message`` has up to 254 bytes, the user data header of `esm_class` 0x40 among them.
    """

    source: Address = NOBODY
    destination: Address = NOBODY
    short_message: bytes = b""
    esm_class: int = 0
    data_coding: int = 0
    registered_delivery: int = 0
    validity_period: str = ""
    schedule_delivery_time: str = ""
    service_type: str = ""
    protocol_id: int = 0
    priority_flag: int = 0
    replace_if_present_flag: int = 0
    sm_default_msg_id: int = 0
    parameters: Mapping[int, bytes] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class SubmitSm(ShortMessage):
    command: ClassVar[Command] = Command.SUBMIT_SM


@dataclass(frozen=True, slots=True)
class DeliverSm(ShortMessage):
    command: ClassVar[Command] = Command.DELIVER_SM


@dataclass(frozen=True, slots=True)
class DataSm:
    """A message without short_message: its user data is in the optional parameter message_payload."""

    source: Address = NOBODY
    destination: Address = NOBODY
    esm_class: int = 0
    registered_delivery: int = 0
    data_coding: int = 0
    service_type: str = ""
    parameters: Mapping[int, bytes] = field(default_factory=dict)
    command: ClassVar[Command] = Command.DATA_SM


@dataclass(frozen=True, slots=True)
class SubmitSmResp:
    message_id: str = ""
    command: ClassVar[Command] = Command.SUBMIT_SM_RESP


@dataclass(frozen=True, slots=True)
class DeliverSmResp:
    """``message_id`` is not used by the protocol (4.6.2)."""

    message_id: str = ""
    command: ClassVar[Command] = Command.DELIVER_SM_RESP


@dataclass(frozen=True, slots=True)
class DataSmResp:
    message_id: str = ""
    parameters: Mapping[int, bytes] = field(default_factory=dict)
    command: ClassVar[Command] = Command.DATA_SM_RESP


@dataclass(frozen=True, slots=True)
class AlertNotification:
    """``source`` can be reached again (4.12)."""

    source: Address = NOBODY
    esme: Address = NOBODY
    parameters: Mapping[int, bytes] = field(default_factory=dict)
    command: ClassVar[Command] = Command.ALERT_NOTIFICATION


@dataclass(frozen=True, slots=True)
class Unknown:
    """A command that this room does not speak, to be answered with generic_nack."""

    command: int
    octets: bytes = b""


Body = (
    Bind
    | BindResp
    | Outbind
    | Unbind
    | UnbindResp
    | EnquireLink
    | EnquireLinkResp
    | GenericNack
    | SubmitSm
    | SubmitSmResp
    | DeliverSm
    | DeliverSmResp
    | DataSm
    | DataSmResp
    | AlertNotification
    | Unknown
)
Carrier = SubmitSm | DeliverSm | DataSm
"""What can carry a message of ours."""


@dataclass(frozen=True, slots=True)
class Pdu:
    """A body with the rest of its header."""

    body: Body
    sequence: int
    status: int = 0
