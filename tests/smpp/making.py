"""PDUs out of nowhere, for property tests."""

from __future__ import annotations

from hypothesis import strategies as st

from smpp import Address, AlertNotification, Bind, Command, DataSm, DeliverSm, Pdu, SubmitSm
from smpp.pdus import (
    BindResp,
    DataSmResp,
    DeliverSmResp,
    EnquireLink,
    EnquireLinkResp,
    GenericNack,
    Outbind,
    SubmitSmResp,
    Unbind,
    UnbindResp,
)

octet = st.integers(0, 255)


def text(longest: int) -> st.SearchStrategy[str]:
    return st.text(st.characters(min_codepoint=1, max_codepoint=255), max_size=longest)


def addresses(longest: int) -> st.SearchStrategy[Address]:
    return st.builds(Address, octet, octet, text(longest))


parameters = st.dictionaries(st.integers(0, 0xFFFF), st.binary(max_size=40), max_size=8)
binds = st.builds(
    Bind,
    text(15),
    text(64),
    text(12),
    octet,
    octet,
    octet,
    text(40),
    st.sampled_from([Command.BIND_RECEIVER, Command.BIND_TRANSMITTER, Command.BIND_TRANSCEIVER]),
)
_message = {
    "source": addresses(20),
    "destination": addresses(20),
    "short_message": st.binary(max_size=254),
    "esm_class": octet,
    "data_coding": octet,
    "registered_delivery": octet,
    "validity_period": text(16),
    "schedule_delivery_time": text(16),
    "service_type": text(5),
    "protocol_id": octet,
    "priority_flag": octet,
    "replace_if_present_flag": octet,
    "sm_default_msg_id": octet,
    "parameters": parameters,
}
submits = st.builds(SubmitSm, **_message)
delivers = st.builds(DeliverSm, **_message)
bodies = st.one_of(
    binds,
    st.builds(
        BindResp,
        text(15),
        parameters,
        st.sampled_from(
            [Command.BIND_RECEIVER_RESP, Command.BIND_TRANSMITTER_RESP, Command.BIND_TRANSCEIVER_RESP]
        ),
    ),
    st.builds(Outbind, text(15), text(64)),
    st.sampled_from([Unbind(), UnbindResp(), EnquireLink(), EnquireLinkResp(), GenericNack()]),
    submits,
    delivers,
    st.builds(SubmitSmResp, text(64)),
    st.builds(DeliverSmResp, text(64)),
    st.builds(DataSm, addresses(64), addresses(64), octet, octet, octet, text(5), parameters),
    st.builds(DataSmResp, text(64), parameters),
    st.builds(AlertNotification, addresses(64), addresses(64), parameters),
)
pdus = st.builds(Pdu, bodies, st.integers(0, 0xFFFFFFFF))
