"""PDUs to bytes and back (SMPP 3.4 section 4). One reader and one writer for each kind of body, in two tables."""

from __future__ import annotations

import struct
from collections.abc import Callable
from typing import Any

from smpp import parameters, pdus
from smpp.addresses import Address
from smpp.commands import Command
from smpp.errors import Malformed, TooLong
from smpp.fields import Reader, octets, string
from smpp.framing import HEADER, Frame, Framer
from smpp.pdus import Body, Pdu
from smpp.status import Status

# Sizes with the NUL (4.1.1, 4.4.1). The specification allows a password of 8 characters; many SMSCs want more.
SYSTEM_ID, PASSWORD, SYSTEM_TYPE, ADDRESS_RANGE = 16, 65, 13, 41
SERVICE_TYPE, ADDRESS, LONG_ADDRESS, TIME, MESSAGE_ID = 6, 21, 65, 17, 65
MAX_SHORT_MESSAGE = 254
_HEADER = struct.Struct(">4I")


def decode(frame: Frame) -> Pdu:
    """Read a body. Raises `Malformed`. A command that is not known makes `pdus.Unknown`."""
    read = _READERS.get(frame.command)
    if read is None:
        return Pdu(pdus.Unknown(frame.command, frame.body), frame.sequence, frame.status)
    return Pdu(read(Reader(frame.body), Command(frame.command)), frame.sequence, frame.status)


def decode_all(stream: bytes) -> list[Pdu]:
    """Every PDU in bytes that hold whole ones. Raises `Malformed`."""
    framer, found = Framer(), list[Pdu]()
    framer.feed(stream)
    while (frame := framer.take()) is not None:
        found.append(decode(frame))
    if framer.buffered:
        raise Malformed("the last PDU is cut off", Status.INVCMDLEN)
    return found


def encode(pdu: Pdu) -> bytes:
    """Write a PDU. Raises `TooLong` for what does not fit its field.

    A response that refuses has no body (4.1.2 and others).
    """
    body = pdu.body
    command = int(body.command)
    is_refusal = command >= Command.GENERIC_NACK and pdu.status != Status.OK
    written = b"" if is_refusal else _WRITERS[type(body)](body)
    try:
        return _HEADER.pack(len(written) + HEADER, command, pdu.status, pdu.sequence) + written
    except struct.error:
        raise TooLong("status and sequence number have 32 bits") from None


def _address(reader: Reader, limit: int = ADDRESS) -> Address:
    ton, npi = reader.octets(2)
    return Address(ton, npi, reader.string(limit))


def _write_address(address: Address, limit: int = ADDRESS) -> bytes:
    return octets(address.ton, address.npi) + string(address.digits, limit)


def _read_bind(reader: Reader, command: Command) -> Body:
    return pdus.Bind(
        system_id=reader.string(SYSTEM_ID),
        password=reader.string(PASSWORD),
        system_type=reader.string(SYSTEM_TYPE),
        interface_version=reader.integer(),
        addr_ton=reader.integer(),
        addr_npi=reader.integer(),
        address_range=reader.string(ADDRESS_RANGE),
        command=command,
    )


def _write_bind(body: pdus.Bind) -> bytes:
    return (
        string(body.system_id, SYSTEM_ID)
        + string(body.password, PASSWORD)
        + string(body.system_type, SYSTEM_TYPE)
        + octets(body.interface_version, body.addr_ton, body.addr_npi)
        + string(body.address_range, ADDRESS_RANGE)
    )


def _read_bind_resp(reader: Reader, command: Command) -> Body:
    system_id = reader.string(SYSTEM_ID) if reader.left else ""
    return pdus.BindResp(system_id, parameters.decode(reader.rest()), command)


def _write_bind_resp(body: pdus.BindResp) -> bytes:
    return string(body.system_id, SYSTEM_ID) + parameters.encode(body.parameters)


def _read_outbind(reader: Reader, command: Command) -> Body:
    return pdus.Outbind(reader.string(SYSTEM_ID), reader.string(PASSWORD))


def _write_outbind(body: pdus.Outbind) -> bytes:
    return string(body.system_id, SYSTEM_ID) + string(body.password, PASSWORD)


def _reader_of_message(kind: type[pdus.SubmitSm] | type[pdus.DeliverSm]) -> Callable[[Reader, Command], Body]:
    def read(reader: Reader, command: Command) -> Body:
        service_type = reader.string(SERVICE_TYPE)
        source, destination = _address(reader), _address(reader)
        esm_class, protocol_id, priority_flag = reader.octets(3)
        schedule, validity = reader.string(TIME), reader.string(TIME)
        registered_delivery, replace_flag, data_coding, default_id, length = reader.octets(5)
        return kind(
            source=source,
            destination=destination,
            short_message=reader.octets(length),
            esm_class=esm_class,
            data_coding=data_coding,
            registered_delivery=registered_delivery,
            validity_period=validity,
            schedule_delivery_time=schedule,
            service_type=service_type,
            protocol_id=protocol_id,
            priority_flag=priority_flag,
            replace_if_present_flag=replace_flag,
            sm_default_msg_id=default_id,
            parameters=parameters.decode(reader.rest()),
        )

    return read


def _write_message(body: pdus.ShortMessage) -> bytes:
    if len(body.short_message) > MAX_SHORT_MESSAGE:
        raise TooLong(f"short_message holds {MAX_SHORT_MESSAGE} bytes")
    return (
        string(body.service_type, SERVICE_TYPE)
        + _write_address(body.source)
        + _write_address(body.destination)
        + octets(body.esm_class, body.protocol_id, body.priority_flag)
        + string(body.schedule_delivery_time, TIME)
        + string(body.validity_period, TIME)
        + octets(body.registered_delivery, body.replace_if_present_flag, body.data_coding)
        + octets(body.sm_default_msg_id, len(body.short_message))
        + body.short_message
        + parameters.encode(body.parameters)
    )


def _read_data_sm(reader: Reader, command: Command) -> Body:
    service_type = reader.string(SERVICE_TYPE)
    return pdus.DataSm(
        service_type=service_type,
        source=_address(reader, LONG_ADDRESS),
        destination=_address(reader, LONG_ADDRESS),
        esm_class=reader.integer(),
        registered_delivery=reader.integer(),
        data_coding=reader.integer(),
        parameters=parameters.decode(reader.rest()),
    )


def _write_data_sm(body: pdus.DataSm) -> bytes:
    return (
        string(body.service_type, SERVICE_TYPE)
        + _write_address(body.source, LONG_ADDRESS)
        + _write_address(body.destination, LONG_ADDRESS)
        + octets(body.esm_class, body.registered_delivery, body.data_coding)
        + parameters.encode(body.parameters)
    )


def _message_id(reader: Reader) -> str:
    """A refusal has no body, and some SMSCs leave the NUL of an empty message_id out."""
    return reader.string(MESSAGE_ID) if reader.left else ""


def _read_alert(reader: Reader, command: Command) -> Body:
    source, esme = _address(reader, LONG_ADDRESS), _address(reader, LONG_ADDRESS)
    return pdus.AlertNotification(source, esme, parameters.decode(reader.rest()))


def _write_alert(body: pdus.AlertNotification) -> bytes:
    addresses = _write_address(body.source, LONG_ADDRESS) + _write_address(body.esme, LONG_ADDRESS)
    return addresses + parameters.encode(body.parameters)


def _empty(kind: Callable[[], Body]) -> Callable[[Reader, Command], Body]:
    return lambda reader, command: kind()


# Any is the body of the very type that the table names; a union of callables cannot say so.
_READERS: dict[int, Callable[[Reader, Command], Body]] = {
    Command.BIND_RECEIVER: _read_bind,
    Command.BIND_TRANSMITTER: _read_bind,
    Command.BIND_TRANSCEIVER: _read_bind,
    Command.BIND_RECEIVER_RESP: _read_bind_resp,
    Command.BIND_TRANSMITTER_RESP: _read_bind_resp,
    Command.BIND_TRANSCEIVER_RESP: _read_bind_resp,
    Command.OUTBIND: _read_outbind,
    Command.UNBIND: _empty(pdus.Unbind),
    Command.UNBIND_RESP: _empty(pdus.UnbindResp),
    Command.ENQUIRE_LINK: _empty(pdus.EnquireLink),
    Command.ENQUIRE_LINK_RESP: _empty(pdus.EnquireLinkResp),
    Command.GENERIC_NACK: _empty(pdus.GenericNack),
    Command.SUBMIT_SM: _reader_of_message(pdus.SubmitSm),
    Command.DELIVER_SM: _reader_of_message(pdus.DeliverSm),
    Command.SUBMIT_SM_RESP: lambda reader, command: pdus.SubmitSmResp(_message_id(reader)),
    Command.DELIVER_SM_RESP: lambda reader, command: pdus.DeliverSmResp(_message_id(reader)),
    Command.DATA_SM: _read_data_sm,
    Command.DATA_SM_RESP: lambda reader, command: pdus.DataSmResp(
        _message_id(reader), parameters.decode(reader.rest())
    ),
    Command.ALERT_NOTIFICATION: _read_alert,
}
_WRITERS: dict[type, Callable[[Any], bytes]] = {
    pdus.Bind: _write_bind,
    pdus.BindResp: _write_bind_resp,
    pdus.Outbind: _write_outbind,
    pdus.Unbind: lambda body: b"",
    pdus.UnbindResp: lambda body: b"",
    pdus.EnquireLink: lambda body: b"",
    pdus.EnquireLinkResp: lambda body: b"",
    pdus.GenericNack: lambda body: b"",
    pdus.SubmitSm: _write_message,
    pdus.DeliverSm: _write_message,
    pdus.SubmitSmResp: lambda body: string(body.message_id, MESSAGE_ID),
    pdus.DeliverSmResp: lambda body: string(body.message_id, MESSAGE_ID),
    pdus.DataSm: _write_data_sm,
    pdus.DataSmResp: lambda body: string(body.message_id, MESSAGE_ID) + parameters.encode(body.parameters),
    pdus.AlertNotification: _write_alert,
    pdus.Unknown: lambda body: body.octets,
}
