"""The SMSC's session, as far as it differs from the ESME's."""

from __future__ import annotations

from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from smpp import (
    Answered,
    Bind,
    BindWanted,
    Closed,
    Command,
    Fault,
    Limits,
    NoRoom,
    NotBound,
    Received,
    SmscSession,
    Status,
    Tag,
    Unanswered,
)
from smpp.pdus import BindResp, DeliverSmResp, GenericNack
from tests.smpp.ends import DELIVER, SUBMIT, Ends, of, pdu, sent
from tests.smpp.making import pdus


def test_its_owner_decides_who_comes_in() -> None:
    session = SmscSession(now=0.0)
    bind = Bind("portal", "secret", address_range="2772")
    assert session.receive(pdu(bind, 5), 0.0) == [BindWanted(bind)]
    assert not session.is_bound
    [answer] = sent(session.accept("SMSC", 0.0))
    assert (answer.sequence, answer.status) == (5, Status.OK)
    assert answer.body == BindResp("SMSC", {Tag.SC_INTERFACE_VERSION: b"\x34"})
    assert session.bind == bind


def test_a_refused_esme_is_left() -> None:
    session = SmscSession(now=0.0)
    session.receive(pdu(Bind("portal", command=Command.BIND_RECEIVER), 5), 0.0)
    events = session.refuse(Status.INVPASWD, 0.0)
    assert sent(events)[0].body.command == Command.BIND_RECEIVER_RESP
    assert sent(events)[0].status == Status.INVPASWD
    assert isinstance(events[-1], Closed)


def test_there_is_nothing_to_accept_before_a_bind_and_after() -> None:
    for act in (
        lambda s: s.accept("x", 0.0),
        lambda s: s.refuse(1, 0.0),
        lambda s: s.deliver(DELIVER, "k", 0.0),
    ):
        with pytest.raises(NotBound):
            act(SmscSession(now=0.0))


@pytest.mark.parametrize("accepts", [True, False])
def test_an_esme_that_is_gone_before_it_is_let_in(accepts: bool) -> None:
    session = SmscSession(now=0.0)
    events = session.receive(pdu(Bind("portal"), 1) + bytes(16), 0.0)
    assert isinstance(events[0], BindWanted)
    assert isinstance(events[-1], Closed)
    assert (session.accept("SMSC", 0.0) if accepts else session.refuse(Status.INVPASWD, 0.0)) == []


def test_a_second_bind_is_refused() -> None:
    ends = Ends()
    events = ends.smsc.receive(pdu(Bind("other"), 9), 0.0)
    assert sent(events)[0].status == Status.ALYBND
    assert of(Fault, events)
    assert ends.smsc.bind is not None
    assert ends.smsc.bind.system_id == "portal"


def test_a_connection_without_a_bind_is_closed() -> None:
    session = SmscSession(Limits(bind_timeout=5), now=100.0)
    assert session.next_deadline() == 105.0
    assert session.tick(105.0) == [Closed("the bind took too long")]


def test_a_message_before_the_bind_is_refused() -> None:
    session = SmscSession(now=0.0)
    assert sent(session.receive(pdu(SUBMIT, 3), 0.0))[0].status == Status.INVBNDSTS


def test_too_many_messages_are_refused_as_a_full_queue() -> None:
    session = SmscSession(Limits(max_received=1), now=0.0)
    session.receive(pdu(Bind("portal"), 1), 0.0)
    session.accept("SMSC", 0.0)
    assert of(Received, session.receive(pdu(SUBMIT, 2), 0.0))
    assert sent(session.receive(pdu(SUBMIT, 3), 0.0))[0].status == Status.MSGQFUL


def test_what_it_delivers_is_bounded_and_answered() -> None:
    ends = Ends()
    ends.smsc.limits = Limits(window=1)
    delivered = ends.smsc.deliver(DELIVER, "a", 0.0)
    with pytest.raises(NoRoom):
        ends.smsc.deliver(DELIVER, "b", 0.0)
    [received] = of(Received, ends.to_esme(delivered))
    answered = ends.to_smsc(ends.esme.acknowledge(received.handle, now=0.0))
    assert of(Answered, answered) == [Answered("a", Status.OK)]


def test_what_is_not_acknowledged_in_time_is_open() -> None:
    ends = Ends()
    ends.smsc.deliver(DELIVER, "a", 0.0)
    assert of(Unanswered, ends.smsc.tick(30.0)) == [Unanswered("a", "no response in time")]


def test_deliver_sm_goes_the_other_way() -> None:
    ends = Ends()
    assert sent(ends.smsc.receive(pdu(DELIVER, 4), 0.0))[0].body == GenericNack()
    assert of(Fault, ends.smsc.receive(pdu(DeliverSmResp(), 4), 0.0))


@given(st.booleans(), st.lists(pdus | st.binary(max_size=60), max_size=6))
def test_nothing_that_arrives_raises(bound: bool, arriving: list) -> None:
    ends = Ends(binds=bound)
    events = []
    for number, each in enumerate(arriving):
        data = each if isinstance(each, bytes) else pdu(each.body, each.sequence, each.status)
        events += ends.smsc.receive(data, float(number))
        if of(BindWanted, events):
            with suppress(NotBound):
                events += ends.smsc.accept("SMSC", 0.0)
    events += ends.smsc.tick(1000.0)
    assert [index for index, event in enumerate(events) if isinstance(event, Closed)] in (
        [],
        [len(events) - 1],
    )
