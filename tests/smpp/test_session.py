"""The ESME's session: bound, refused, in the window, in pace, alone, and with bytes that nobody expects."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from smpp import (
    AlertNotification,
    Answered,
    Bind,
    BindRefused,
    Bound,
    Class,
    Closed,
    Command,
    DataSm,
    Fault,
    Limits,
    NoRoom,
    NotBound,
    OutbindReceived,
    Reachable,
    Received,
    Session,
    State,
    Status,
    SubmitSm,
    TooLong,
    Unanswered,
)
from smpp.pdus import (
    BindResp,
    DeliverSmResp,
    EnquireLink,
    EnquireLinkResp,
    GenericNack,
    Outbind,
    SubmitSmResp,
    Unbind,
    UnbindResp,
    Unknown,
)
from tests.smpp.ends import DELIVER, DEVICE, SUBMIT, Ends, octets, of, pdu, sent
from tests.smpp.making import pdus

# -- binding ---------------------------------------------------------------------------------------------------


def test_binds_and_knows_with_whom() -> None:
    ends = Ends(binds=False)
    ends.to_smsc(ends.esme.start(0.0))
    assert ends.esme.state is State.BINDING
    assert ends.to_esme(ends.smsc.accept("SMSC 7", 0.0)) == [Bound("SMSC 7")]
    assert ends.esme.is_bound
    assert ends.smsc.is_bound


@pytest.mark.parametrize("command", [Command.BIND_TRANSMITTER, Command.BIND_RECEIVER])
def test_binds_one_way_only(command: Command) -> None:
    ends = Ends(command=command)
    assert ends.esme.is_bound
    if command == Command.BIND_RECEIVER:
        refused = ends.to_esme(ends.to_smsc(ends.esme.submit(SUBMIT, "k", 0.0)))
        assert of(Answered, refused)[0].status == Status.INVBNDSTS
    else:
        with pytest.raises(NotBound):
            ends.smsc.deliver(DELIVER, "k", 0.0)


@pytest.mark.parametrize(("status", "may_retry"), [(Status.INVPASWD, False), (Status.SYSERR, True)])
def test_a_refused_bind_ends_the_session(status: int, may_retry: bool) -> None:
    ends = Ends(binds=False)
    ends.to_smsc(ends.esme.start(0.0))
    events = ends.to_esme(ends.smsc.refuse(status, 0.0))
    assert events == [BindRefused(status), Closed("the bind was refused")]
    assert events[0].may_retry is may_retry  # type: ignore[union-attr]
    assert ends.esme.state is State.CLOSED


def test_a_bind_may_be_refused_by_generic_nack() -> None:
    session = Session(Bind("portal"))
    session.start(0.0)
    assert of(BindRefused, session.receive(pdu(GenericNack(), 1, Status.INVCMDID), 0.0)) == [
        BindRefused(Status.INVCMDID)
    ]


def test_a_bind_without_an_answer_is_given_up() -> None:
    session = Session(Bind("portal"), Limits(bind_timeout=5))
    session.start(10.0)
    assert session.next_deadline() == 15.0
    assert session.tick(14.9) == []
    assert session.tick(15.0) == [Closed("the bind took too long")]
    assert session.next_deadline() is None
    assert session.tick(100.0) == []


def test_settings_that_do_not_fit_are_told_before_anything_is_sent() -> None:
    session = Session(Bind("a system_id that is too long"))
    with pytest.raises(TooLong):
        session.start(0.0)


def test_is_asked_to_bind_by_an_smsc_that_calls() -> None:
    session = Session(Bind("portal"))
    assert session.receive(pdu(Outbind("SMSC", "word")), 0.0) == [OutbindReceived(Outbind("SMSC", "word"))]
    assert sent(session.start(0.0))[0].body == Bind("portal")
    assert of(Fault, session.receive(pdu(Outbind("SMSC", "word")), 0.0))


def test_nothing_is_submitted_before_and_after() -> None:
    session = Session(Bind("portal"))
    assert (session.room(0.0), session.room_at(0.0)) == (0, None)
    with pytest.raises(NotBound):
        session.submit(SUBMIT, "k", 0.0)
    session.lost("gone")
    with pytest.raises(NotBound):
        session.submit(SUBMIT, "k", 0.0)


# -- submitting ------------------------------------------------------------------------------------------------


def test_a_message_is_answered_with_the_id_of_the_smsc() -> None:
    ends = Ends()
    [received] = ends.to_smsc(ends.esme.submit(SUBMIT, "row 7", 0.0))
    assert isinstance(received, Received)
    assert received.body == SUBMIT
    answer = ends.to_esme(ends.smsc.acknowledge(received.handle, message_id="ab12", now=0.0))
    assert answer == [Answered("row 7", Status.OK, "ab12")]
    assert answer[0].outcome is Class.OK  # type: ignore[union-attr]
    assert ends.esme.under_way == 0


def test_the_window_bounds_what_is_under_way() -> None:
    ends = Ends(window=3)
    handles = []
    for number in range(3):
        assert ends.esme.room(0.0) == 3 - number
        handles += [each.handle for each in of(Received, ends.to_smsc(ends.esme.submit(SUBMIT, number, 0.0)))]
    assert (ends.esme.room(0.0), ends.esme.room_at(0.0)) == (0, None)
    with pytest.raises(NoRoom):
        ends.esme.submit(SUBMIT, 4, 0.0)
    # answered in another order than sent
    answers = [ends.to_esme(ends.smsc.acknowledge(handle, now=0.0)) for handle in reversed(handles)]
    assert [of(Answered, each)[0].key for each in answers] == [2, 1, 0]
    assert ends.esme.room(0.0) == 3


def test_the_throughput_bounds_how_fast_they_leave() -> None:
    ends = Ends(window=100, per_second=2.0)
    ends.esme.submit(SUBMIT, 1, 10.0)
    assert (ends.esme.room(10.0), ends.esme.room_at(10.0)) == (0, 10.5)
    with pytest.raises(NoRoom):
        ends.esme.submit(SUBMIT, 2, 10.4)
    ends.esme.submit(SUBMIT, 2, 10.5)


def test_throttling_stops_the_next_ones_for_a_while() -> None:
    ends = Ends()
    [received] = of(Received, ends.to_smsc(ends.esme.submit(SUBMIT, "k", 0.0)))
    refused = ends.to_esme(ends.smsc.acknowledge(received.handle, Status.THROTTLED, now=0.0), 5.0)
    assert of(Answered, refused)[0].outcome is Class.SLOWER
    assert (ends.esme.room(5.0), ends.esme.room_at(5.0)) == (0, 6.0)
    assert ends.esme.room(6.0) == 10


def test_what_does_not_fit_leaves_the_window_as_it_was() -> None:
    ends = Ends(window=1, per_second=1.0)
    with pytest.raises(TooLong):
        ends.esme.submit(SubmitSm(short_message=bytes(255)), "k", 0.0)
    assert ends.esme.room(0.0) == 1


def test_an_answer_that_does_not_come_leaves_the_outcome_open() -> None:
    ends = Ends(response_timeout=10.0, enquire_after=1000.0)
    submitted = ends.esme.submit(SUBMIT, "k", 0.0)
    assert ends.esme.next_deadline() == 10.0
    assert ends.esme.tick(10.0) == [Unanswered("k", "no response in time")]
    assert ends.esme.under_way == 0
    [received] = of(Received, ends.to_smsc(submitted))
    late = ends.to_esme(ends.smsc.acknowledge(received.handle, message_id="late", now=0.0), 60.0)
    assert late == [Answered("k", Status.OK, "late", was_late=True)]
    assert ends.esme.under_way == 0


def test_an_unreadable_response_is_still_an_answer() -> None:
    """Cloudhopper: submit_sm_resp whose message_id has no NUL. To send the message again would be to send it twice."""
    ends = Ends()
    sequence = sent(ends.esme.submit(SUBMIT, "k", 0.0))[0].sequence
    broken = bytes.fromhex("000000118000000400000000") + sequence.to_bytes(4, "big") + b"\x39"
    assert ends.esme.receive(broken, 0.0) == [Answered("k", Status.OK, "")]


@pytest.mark.parametrize(("status", "told"), [(Status.INVCMDLEN, Status.INVCMDLEN), (0, Status.SYSERR)])
def test_generic_nack_refuses_a_message(status: int, told: int) -> None:
    ends = Ends()
    sequence = sent(ends.esme.submit(SUBMIT, "k", 0.0))[0].sequence
    assert ends.esme.receive(pdu(GenericNack(), sequence, status), 0.0) == [Answered("k", told)]


@pytest.mark.parametrize(
    "response", [pdu(SubmitSmResp("x"), 999), pdu(DeliverSmResp(), 2), pdu(GenericNack(), 0, Status.SYSERR)]
)
def test_a_response_to_nothing_changes_nothing(response: bytes) -> None:
    ends = Ends()
    assert sent(ends.esme.submit(SUBMIT, "k", 0.0))[0].sequence == 2
    events = ends.esme.receive(response, 0.0)
    assert len(events) == len(of(Fault, events)) == 1
    assert ends.esme.under_way == 1


def test_sequence_numbers_begin_again_after_the_last() -> None:
    ends = Ends()
    ends.esme._outstanding._sequence = 0x7FFFFFFE
    numbers = [sent(ends.esme.submit(SUBMIT, key, 0.0))[0].sequence for key in range(3)]
    assert numbers == [0x7FFFFFFF, 1, 2]


# -- receiving -------------------------------------------------------------------------------------------------


def test_a_message_is_acknowledged_when_its_owner_says_so() -> None:
    ends = Ends()
    delivered = ends.smsc.deliver(DELIVER, "k", 0.0)
    [received] = ends.to_esme(delivered)
    assert isinstance(received, Received)
    assert (received.body, octets([received])) == (DELIVER, b"")
    answered = ends.to_smsc(ends.esme.acknowledge(received.handle, now=5.0))
    assert answered == [Answered("k", Status.OK)]
    assert ends.esme.acknowledge(received.handle, now=5.0) == []


def test_a_message_may_be_refused_for_now() -> None:
    ends = Ends()
    [received] = of(Received, ends.to_esme(ends.smsc.deliver(DELIVER, "k", 0.0)))
    answered = ends.to_smsc(ends.esme.acknowledge(received.handle, Status.RX_T_APPN, now=0.0))
    assert of(Answered, answered)[0].outcome is Class.RETRY


def test_more_than_can_be_stored_is_refused_for_now() -> None:
    ends = Ends(max_received=2)
    events = [ends.to_esme(ends.smsc.deliver(DELIVER, number, 0.0)) for number in range(3)]
    assert [len(of(Received, each)) for each in events] == [1, 1, 0]
    assert sent(events[2])[0].status == Status.RX_T_APPN


def test_data_sm_is_a_message_as_well() -> None:
    ends = Ends()
    body = DataSm(DEVICE, data_coding=4, parameters={0x0424: b"x"})
    [received] = of(Received, ends.esme.receive(pdu(body, 77), 0.0))
    assert received.body == body
    [answer] = sent(ends.esme.acknowledge(received.handle, now=0.0))
    assert (answer.body.command, answer.sequence) == (Command.DATA_SM_RESP, 77)


def test_a_message_before_the_bind_is_refused() -> None:
    session = Session(Bind("portal"))
    session.start(0.0)
    events = session.receive(pdu(DELIVER, 5), 0.0)
    assert sent(events)[0].status == Status.INVBNDSTS
    assert not of(Received, events)


def test_an_unreadable_message_is_refused_by_its_own_response() -> None:
    ends = Ends()
    broken = bytes.fromhex("00000014000000050000000000000009") + b"oops"
    [answer] = sent(events := ends.esme.receive(broken, 0.0))
    assert (answer.body.command, answer.sequence) == (Command.DELIVER_SM_RESP, 9)
    assert answer.status != Status.OK
    assert of(Fault, events)
    assert ends.esme.is_bound


def test_hears_that_a_number_can_be_reached() -> None:
    ends = Ends()
    assert ends.to_esme(ends.smsc.alert(AlertNotification(DEVICE))) == [Reachable(DEVICE)]


@pytest.mark.parametrize("body", [Unknown(0x110), SUBMIT, Bind("x")])
def test_a_command_that_does_not_belong_here_gets_a_nack(body: object) -> None:
    ends = Ends()
    [answer] = sent(ends.esme.receive(pdu(body, 4), 0.0))  # type: ignore[arg-type]
    assert (answer.body, answer.sequence, answer.status) == (GenericNack(), 4, Status.INVCMDID)


# -- staying and leaving ---------------------------------------------------------------------------------------


def test_asks_whether_the_other_side_is_there_when_nothing_was_heard() -> None:
    ends = Ends(enquire_after=30.0, response_timeout=10.0)
    assert ends.esme.next_deadline() == 30.0
    assert ends.esme.tick(29.9) == []
    asked = ends.esme.tick(30.0)
    assert sent(asked)[0].body == EnquireLink()
    assert ends.esme.next_deadline() == 40.0
    assert ends.to_esme(ends.to_smsc(asked), 31.0) == []
    assert ends.esme.next_deadline() == 61.0


def test_is_over_when_the_question_has_no_answer() -> None:
    ends = Ends(enquire_after=30.0, response_timeout=10.0)
    ends.esme.tick(30.0)
    assert ends.esme.tick(40.0) == [Closed("enquire_link was not answered")]


def test_an_smsc_that_sends_messages_is_there_though_it_does_not_answer() -> None:
    ends = Ends(enquire_after=30.0, response_timeout=10.0)
    ends.esme.tick(30.0)
    ends.to_esme(ends.smsc.deliver(DELIVER, "k", 35.0), 35.0)
    assert ends.esme.tick(40.0) == []
    assert ends.esme.is_bound


def test_answers_when_it_is_asked() -> None:
    ends = Ends()
    assert (
        sent(ends.esme.receive(pdu(EnquireLink(), 9), 0.0))[0]
        == sent(ends.smsc.receive(pdu(EnquireLink(), 9), 0.0))[0]
    )


def test_leaves_politely() -> None:
    ends = Ends()
    asked = ends.esme.unbind(0.0)
    assert ends.esme.state is State.UNBINDING
    with pytest.raises(NotBound):
        ends.esme.submit(SUBMIT, "k", 0.0)
    answered = ends.to_smsc(asked)
    assert of(Closed, answered) == [Closed("unbound by the other side")]
    assert ends.to_esme(answered) == [Closed("unbound")]


def test_leaves_anyway_when_nobody_answers() -> None:
    ends = Ends(response_timeout=10.0)
    ends.esme.unbind(0.0)
    assert ends.esme.tick(10.0) == [Closed("unbind was not answered")]


def test_is_sent_away() -> None:
    ends = Ends()
    ends.esme.submit(SUBMIT, "k", 0.0)
    events = ends.esme.receive(pdu(Unbind(), 3), 0.0)
    assert sent(events)[0].body == UnbindResp()
    assert events[1:] == [Unanswered("k", "unbound by the other side"), Closed("unbound by the other side")]


def test_what_was_under_way_when_the_connection_broke_is_told_once() -> None:
    ends = Ends()
    for key in ("a", "b"):
        ends.esme.submit(SUBMIT, key, 0.0)
    [received] = of(Received, ends.to_esme(ends.smsc.deliver(DELIVER, "k", 0.0)))
    events = ends.esme.lost("reset by peer")
    assert events == [
        Unanswered("a", "reset by peer"),
        Unanswered("b", "reset by peer"),
        Closed("reset by peer"),
    ]
    assert ends.esme.lost("again") == []
    assert ends.esme.acknowledge(received.handle, now=0.0) == []
    assert ends.esme.receive(pdu(DELIVER), 0.0) == []
    assert (ends.esme.room(0.0), ends.esme.next_deadline()) == (0, None)


def test_bytes_that_are_no_pdu_end_the_session() -> None:
    ends = Ends()
    events = ends.esme.receive(pdu(DELIVER, 7) + bytes.fromhex("00000003"), 0.0)
    assert isinstance(events[0], Received)
    assert sent(events)[0].status == Status.INVCMDLEN
    assert isinstance(events[-1], Closed)


# -- anything at all -------------------------------------------------------------------------------------------

states = st.sampled_from(["new", "binding", "bound", "unbinding"])


def session_in(state: str) -> Session:
    ends = Ends(binds=state in ("bound", "unbinding"), window=5)
    if state == "binding":
        ends.esme.start(0.0)
    if state in ("bound", "unbinding"):
        ends.esme.submit(SUBMIT, "k", 0.0)
    if state == "unbinding":
        ends.esme.unbind(0.0)
    return ends.esme


@given(states, st.lists(pdus | st.binary(max_size=60), max_size=6))
def test_nothing_that_arrives_raises_and_nothing_follows_the_end(state: str, arriving: list) -> None:
    session = session_in(state)
    events = []
    for number, each in enumerate(arriving):
        data = each if isinstance(each, bytes) else pdu(each.body, each.sequence, each.status)
        events += session.receive(data, float(number))
        events += session.tick(float(number))
    events += session.tick(1000.0)
    events += session.tick(2000.0)
    ended = [index for index, event in enumerate(events) if isinstance(event, Closed)]
    assert len(ended) <= 1
    assert ended in ([], [len(events) - 1])
    assert 0 <= session.under_way <= 5
    told = [
        event.key
        for event in events
        if isinstance(event, Answered | Unanswered) and not getattr(event, "was_late", 0)
    ]
    assert told.count("k") <= 1
    if session.state is State.CLOSED and state in ("bound", "unbinding"):
        assert told == ["k"]


@given(st.lists(st.tuples(st.integers(0, 12), st.integers(0, 0x68)), max_size=20))
def test_every_message_has_exactly_one_outcome(answers: list[tuple[int, int]]) -> None:
    """Whatever sequence numbers and statuses the SMSC answers with, late ones left out."""
    ends = Ends(window=5)
    for key in range(5):
        ends.esme.submit(SUBMIT, key, 0.0)
    events = []
    for sequence, status in answers:
        events += ends.esme.receive(pdu(SubmitSmResp("x"), sequence, status), 0.0)
    events += ends.esme.lost("the end")
    told = [event.key for event in events if isinstance(event, Answered | Unanswered)]
    assert sorted(told) == [0, 1, 2, 3, 4]  # type: ignore[type-var]


def test_a_bind_answer_that_comes_twice_binds_once() -> None:
    session = Session(Bind("portal"))
    session.start(0.0)
    twice = pdu(BindResp("S"), 1) * 2
    events = session.receive(twice, 0.0)
    assert of(Bound, events) == [Bound("S")]
    assert len(of(Fault, events)) == 1
    assert session.receive(pdu(EnquireLinkResp(), 1), 0.0) != []
