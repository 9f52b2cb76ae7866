"""SMS in the rows: links and their lease, what goes out, what came in, triggers."""

from __future__ import annotations

import itertools
from datetime import UTC, datetime, timedelta

import pytest

from accounts.errors import Refused
from accounts.models import Operator
from audit.models import LedgerEvent
from coap import token_of
from devices.inventory import vault
from devices.inventory.models import Device, Reach
from devices.inventory.services import devices
from devices.inventory.states import Access, Ownership, Provisioning
from devices.messaging.models import (
    SmscLink,
    SmsMessage,
    SmsPart,
    SmsPurpose,
    SmsReceiptKey,
    SmsSpent,
    SmsState,
)
from devices.messaging.services import (
    sms_inbox,
    sms_joining,
    sms_outbox,
    sms_retention,
    sms_settling,
    smsc_links,
    triggers,
)
from devices.messaging.services.sms_inbox import Part
from devices.messaging.services.sms_outbox import Outgoing, Receipt, Settled
from devices.registry.models import SouthboundProcess

pytestmark = pytest.mark.django_db
NOW = datetime(2026, 5, 1, 12, tzinfo=UTC)
NUMBER = "+491510000001"
counter = itertools.count()


@pytest.fixture
def operator() -> Operator:
    return Operator.objects.create(slug="lab", name="Lab")


@pytest.fixture
def link(operator) -> SmscLink:
    return smsc_links.save(operator=operator, host="127.0.0.1", system_id="portal", address="+4915199")


@pytest.fixture
def device(operator) -> Device:
    return make(operator)


def make(operator: Operator, number: str = NUMBER, **facts) -> Device:
    values = {
        "operator": operator,
        "endpoint": f"meter-{next(counter)}",
        "reach": Reach.SMS,
        "security": "msisdn",
        "msisdn": number,
        "msisdn_confirmed_at": NOW,
        "ownership": Ownership.CLAIMED,
        "provisioning": Provisioning.APPLIED,
    } | facts
    return Device.objects.create(**values)


def queue(operator, *payloads, purpose=SmsPurpose.RESPONSE, flow="here", number=NUMBER, seconds=600):
    expires_at = NOW + timedelta(seconds=seconds)
    messages = [Outgoing(operator.pk, number, payload, purpose, expires_at, flow) for payload in payloads]
    return sms_outbox.queue(messages=messages, now=NOW)


def claim(operator, *, now=NOW, limit=50):
    return sms_outbox.claim(operator_id=operator.pk, holder="here", limit=limit, now=now)


def actions(device) -> list[str]:
    return list(
        LedgerEvent.objects.filter(device_id=device.pk).order_by("pk").values_list("action", flat=True)
    )


# -- links ---------------------------------------------------------------------------------------------------
def test_a_url_says_everything_of_a_link():
    said = smsc_links.parse_url(
        "smpps://us%40er:p%3Ass@smsc.example:3550?address=+4915199&window=5&wants_receipts=0"
    )
    assert said == {
        "host": "smsc.example",
        "port": 3550,
        "use_tls": True,
        "system_id": "us@er",
        "password": "p:ss",
        "address": "+4915199",
        "window": 5,
        "wants_receipts": False,
    }


@pytest.mark.parametrize(
    "url", ["http://a", "smpp://", "smpp://a:b@c:99999", "smpp://a@b?window=x", "smpp://a@b?colour=1"]
)
def test_a_url_that_is_none_is_refused(url):
    with pytest.raises(Refused):
        smsc_links.parse_url(url)


def test_the_password_is_sealed_and_in_no_ledger_event(operator):
    link = smsc_links.save(operator=operator, password="hush-hush", host="h", system_id="s", address="1234")
    assert vault.open_sealed(link.sealed_password) == b"hush-hush"
    smsc_links.save(operator=operator, window=3)
    link.refresh_from_db()
    assert (link.window, vault.open_sealed(link.sealed_password)) == (3, b"hush-hush")
    for event in LedgerEvent.objects.all():
        assert "hush-hush" not in str(event.__dict__)


@pytest.mark.parametrize(
    "wrong", [{"window": 0}, {"address": ""}, {"port": 70_000}, {"system_id": "x" * 16}, {"password": "ü"}]
)
def test_a_link_that_cannot_work_is_refused(operator, wrong):
    with pytest.raises(Refused):
        smsc_links.save(operator=operator, **{"host": "h", "system_id": "s", "address": "1234", **wrong})


def test_one_process_holds_a_link_until_its_lease_ends(link, operator):
    for flow in ("one", "two"):
        SouthboundProcess.objects.create(flow=flow, number=0, pid=1, host="x", heartbeat_at=NOW)
    assert [each.operator_id for each in smsc_links.hold(holder="one", host="h", now=NOW)] == [operator.pk]
    assert smsc_links.hold(holder="two", host="h", now=NOW) == []
    assert smsc_links.hold(holder="one", host="h", now=NOW + timedelta(seconds=10))
    later = NOW + timedelta(seconds=12)
    SouthboundProcess.objects.filter(flow="one").update(heartbeat_at=later)
    assert smsc_links.hold(holder="two", host="h", now=later) == []
    assert smsc_links.hold(holder="two", host="h", now=later + smsc_links.LEASE)


def test_the_link_of_a_dead_process_is_free_at_once(link):
    smsc_links.hold(holder="one", host="h", now=NOW)
    assert smsc_links.hold(holder="two", host="h", now=NOW)


def test_a_link_that_fails_again_and_again_is_told_once(link, operator):
    smsc_links.hold(holder="one", host="h", now=NOW)
    for _ in range(3):
        smsc_links.tell(operator_id=operator.pk, holder="one", state="binding", now=NOW)
        smsc_links.tell(
            operator_id=operator.pk, holder="one", state="down", now=NOW, cause="SMSC_UNREACHABLE"
        )
    smsc_links.tell(operator_id=operator.pk, holder="one", state="bound", now=NOW)
    assert not smsc_links.tell(operator_id=operator.pk, holder="two", state="down", now=NOW)
    told = LedgerEvent.objects.filter(action__in=["smsc_link.lost", "smsc_link.bound"]).order_by("pk")
    assert [event.action for event in told] == ["smsc_link.lost", "smsc_link.bound"]


# -- out -----------------------------------------------------------------------------------------------------
def test_answers_go_before_requests_and_nothing_is_claimed_twice(link, operator, device):
    queue(operator, b"ask", purpose=SmsPurpose.REQUEST)
    queue(operator, b"answer")
    assert [each.payload for each in claim(operator)] == [b"answer", b"ask"]
    assert claim(operator) == []


def test_what_waits_already_is_not_queued_again(link, operator, device):
    first, again = queue(operator, b"same", b"same")
    assert first is not None
    assert again is None
    assert queue(operator, b"same") == [None]
    claim(operator)
    assert queue(operator, b"same") == [None]


def test_nothing_is_sent_to_a_stranger_or_to_another_operators_device(link, operator):
    other = Operator.objects.create(slug="other", name="Other")
    make(other)
    assert queue(operator, b"x") == [None]
    assert queue(operator, b"x", number="+4999999999") == [None]


def test_the_days_number_holds_and_is_told_once(link, operator, device):
    SmscLink.objects.update(daily_messages=4)
    queue(operator, b"a" * 300, b"b", b"c", b"d")
    assert [(each.payload[:1], each.parts) for each in claim(operator)] == [(b"a", 3), (b"b", 1)]
    queue(operator, b"e")
    assert claim(operator) == []
    assert SmsSpent.objects.get().count == 4
    assert set(SmsMessage.objects.filter(state=SmsState.DROPPED).values_list("cause", flat=True)) == {
        "SMS_BUDGET_SPENT"
    }
    assert actions(device) == ["device.sms_budget_spent"]
    tomorrow = NOW + timedelta(days=1)
    queue(operator, b"f", seconds=200_000)
    assert [each.payload for each in claim(operator, now=tomorrow)] == [b"f"]


def test_a_throttled_message_comes_again_and_is_charged_once(link, operator, device):
    queue(operator, b"x")
    (sent,) = claim(operator)
    again_at = NOW + timedelta(seconds=5)
    settle(Settled(sent, SmsState.QUEUED, cause="THROTTLED", next_attempt_at=again_at))
    assert claim(operator) == []
    (again,) = claim(operator, now=again_at)
    assert (again.attempts, SmsSpent.objects.get().count) == (2, 1)


def settle(*settled):
    sms_settling.settle(settled=settled, wants_receipts=True, now=NOW)


def test_a_message_in_parts_goes_on_where_it_stopped(link, operator, device):
    queue(operator, b"x" * 300)
    (sent,) = claim(operator)
    settle(Settled(sent, SmsState.QUEUED, smsc_ids=("a", "b"), next_attempt_at=NOW))
    (again,) = claim(operator)
    assert (again.parts_sent, again.smsc_ids) == (2, ("a", "b"))


def test_receipts_of_all_parts_make_it_delivered(link, operator, device):
    queue(operator, b"x" * 200)
    (sent,) = claim(operator)
    settle(Settled(sent, SmsState.SENT, smsc_ids=("0010", "11")))
    assert [each.smsc_id for each in report(operator, Receipt("9", True), Receipt("10", True))] == ["9"]
    assert SmsMessage.objects.get().state == SmsState.SENT
    report(operator, Receipt("11", True))
    assert SmsMessage.objects.get().state == SmsState.DELIVERED


def report(operator, *said, now=NOW):
    return sms_settling.receipts(operator_id=operator.pk, said=said, now=now)


def sent(operator, smsc_id, number=NUMBER):
    """A message that the SMSC took, and calls so."""
    (message_id,) = queue(operator, f"{smsc_id} {number}".encode(), number=number)
    (claimed,) = claim(operator)
    settle(Settled(claimed, SmsState.SENT, smsc_ids=(smsc_id,)))
    return SmsMessage.objects.get(pk=message_id)


def state(message) -> str:
    message.refresh_from_db()
    return message.state


def test_a_receipt_that_comes_again_settles_no_other_message(link, operator, device):
    """Read as hexadecimal, the id of the first is that of the second."""
    first, second = sent(operator, "10"), sent(operator, "16")
    for _ in range(3):
        assert report(operator, Receipt("10", False, "UNDELIV", (NUMBER,))) == []
    assert (state(first), state(second)) == ("undelivered", "sent")


def test_the_spelling_of_a_link_is_learnt_and_nothing_else_is_tried(link, operator, device):
    """Answers in hexadecimal and reports in decimal: "10" is then the message called "a"."""
    told = sent(operator, "00ff01")
    report(operator, Receipt("65281", True, "", (NUMBER,)))
    assert state(told) == "delivered"
    link.refresh_from_db()
    assert link.receipt_spelling == "decimal"
    other, meant = sent(operator, "10"), sent(operator, "0000000A")
    report(operator, Receipt("10", True, "", (NUMBER,)))
    assert (state(other), state(meant)) == ("sent", "delivered")
    assert [each.smsc_id for each in report(operator, Receipt("77", True, "", (NUMBER,)))] == ["77"]
    smsc_links.save(operator=operator, host="another.example")
    link.refresh_from_db()
    assert link.receipt_spelling == ""


def test_what_may_be_about_two_messages_settles_none(link, operator, device):
    messages = [sent(operator, "10"), sent(operator, "a")]
    assert len(report(operator, Receipt("10", True, "", (NUMBER,)))) == 1
    assert [state(each) for each in messages] == ["sent", "sent"]


def test_the_number_of_a_receipt_is_that_of_its_message(link, operator, device):
    other = "+491510000077"
    make(operator, other)
    mine, theirs = sent(operator, "10"), sent(operator, "a", other)
    assert len(report(operator, Receipt("10", True, "", ("+491510000099", "4915199")))) == 1
    report(
        operator, Receipt("10", True, "", ("01510000077", "4915199"))
    )  # as it is written within the country
    assert (state(mine), state(theirs)) == ("sent", "delivered")


@pytest.mark.parametrize("numbers", [(), ("", "2772"), ("4915199", NUMBER), ("2772", "4915199")])
def test_a_receipt_that_names_no_number_or_ours_first_is_taken_too(link, operator, device, numbers):
    message = sent(operator, "Q-17")
    report(operator, Receipt("Q-17", True, "", numbers))
    assert state(message) == "delivered"


def test_settled_keys_are_kept_for_a_day(link, operator, device):
    sent(operator, "10")
    report(operator, Receipt("10", True))
    sms_retention.prune(now=NOW + timedelta(hours=23))
    assert SmsReceiptKey.objects.count() == 1
    sms_retention.prune(now=NOW + timedelta(hours=25))
    assert SmsReceiptKey.objects.count() == 0


def test_one_undelivered_part_is_told(link, operator, device):
    queue(operator, b"x" * 200)
    (sent,) = claim(operator)
    settle(Settled(sent, SmsState.SENT, smsc_ids=("1", "2")))
    report(operator, Receipt("1", False, "UNDELIV 27"), Receipt("2", True))
    message = SmsMessage.objects.get()
    assert (message.state, message.cause, message.detail) == ("undelivered", "SMS_UNDELIVERED", "UNDELIV 27")
    assert actions(device) == ["device.sms_undelivered"]


def test_a_refusal_and_an_expiry_are_on_the_trail(link, operator, device):
    queue(operator, b"x")
    (sent,) = claim(operator)
    settle(Settled(sent, SmsState.REFUSED, cause="SMS_REFUSED", detail="ESME_RINVDSTADR"))
    queue(operator, b"y")
    assert sms_outbox.expire(operator_id=operator.pk, now=NOW + timedelta(seconds=601)) == 1
    assert actions(device) == ["device.sms_refused", "device.sms_expired"]


def test_whoever_takes_a_link_over_drops_requests_and_keeps_answers(link, operator, device):
    queue(operator, b"under way", flow="dead")
    claim(operator)
    SmsMessage.objects.update(flow="dead")
    queue(operator, b"request", purpose=SmsPurpose.REQUEST, flow="dead")
    queue(operator, b"answer", flow="dead")
    queue(operator, b"mine", purpose=SmsPurpose.REQUEST, flow="here")
    assert sms_outbox.drop_dead(operator_id=operator.pk, holder="here", now=NOW) == 2
    assert [each.payload for each in claim(operator)] == [b"answer", b"mine"]


# -- in ------------------------------------------------------------------------------------------------------
def store(operator, *parts, now=NOW):
    return sms_inbox.store(operator_id=operator.pk, parts=parts, now=now)


def test_parts_in_any_order_and_more_than_once_make_one_message(operator, device):
    parts = [
        Part(NUMBER, text, 7, number, 3) for number, text in ((3, b"c"), (1, b"a"), (1, b"a"), (2, b"b"))
    ]
    store(operator, *parts[:3])
    assert store(operator, parts[3], parts[0]).whole == []
    (whole,) = ripe(operator).whole
    assert whole.payload == b"abc"
    assert SmsPart.objects.count() == 3
    store(operator, parts[1])
    assert ripe(operator).whole == []
    sms_inbox.handled(part_ids=whole.part_ids, now=NOW)
    assert sms_inbox.unhandled(operator_id=operator.pk, before=NOW, limit=10) == []


def ripe(operator, *, now=NOW + sms_joining.SETTLE):
    return sms_inbox.ripe(operator_id=operator.pk, now=now)


def test_messages_come_in_the_order_of_their_last_part(operator, device):
    numbered = ((5, 1, b"1"), (6, 1, b"a"), (6, 2, b"b"), (5, 2, b"2"))
    stored = store(operator, *(Part(NUMBER, text, ref, number, 2) for ref, number, text in numbered))
    assert (stored.whole, stored.has_parts) == ([], True)
    early = ripe(operator, now=NOW)
    assert (early.whole, early.due_at) == ([], NOW + sms_joining.SETTLE)
    assert [each.payload for each in ripe(operator).whole] == [b"ab", b"12"]


def test_of_an_older_message_under_the_same_reference_nothing_is_taken(operator, device):
    """VoCat#104: of the first only part 2 came, then the device began anew."""
    store(operator, Part(NUMBER, b"old 2", 1, 2, 2))
    store(operator, Part(NUMBER, b"new 1, ", 1, 1, 2), Part(NUMBER, b"new 2", 1, 2, 2))
    found = ripe(operator)
    assert [each.payload for each in found.whole] == [b"new 1, new 2"]
    (given_up,) = found.given_up
    assert (given_up.refused.cause, given_up.refused.device_id) == ("SMS_INCOMPLETE", device.pk)
    assert ripe(operator, now=NOW + timedelta(days=1)) == sms_inbox.Ripe([], [], None)


def test_the_same_message_after_it_was_worked_off_is_told_again(operator, device):
    (first,) = store(operator, Part(NUMBER, b"x")).whole
    assert store(operator, Part(NUMBER, b"x")).whole == []
    sms_inbox.handled(part_ids=first.part_ids, now=NOW)
    assert len(store(operator, Part(NUMBER, b"x")).whole) == 1


def test_strangers_and_others_devices_are_refused_and_not_kept(operator, device):
    other = Operator.objects.create(slug="other", name="Other")
    stranger = store(operator, Part("+4999999999", b"x"), Part(NUMBER, b"y"), Part(NUMBER, b"z", 1, 1, 33))
    assert [why and why.cause for why in stranger.refused] == ["MSISDN_UNKNOWN", None, "MESSAGE_MALFORMED"]
    (mismatch,) = store(other, Part(NUMBER, b"x")).refused
    assert (mismatch.cause, mismatch.device_id) == ("MSISDN_MISMATCH", device.pk)
    assert SmsPart.objects.count() == 1


def test_incomplete_messages_are_bounded_in_number_and_age(operator, device):
    for reference in range(100):
        store(operator, Part(NUMBER, b"x", reference, 1, 2))
    waiting = SmsPart.objects.filter(handled_at=None)
    assert waiting.count() == sms_inbox.MAX_INCOMPLETE
    later = NOW + sms_joining.SPAN
    stored = store(operator, Part(NUMBER, b"fresh", 500, 1, 2), now=later)
    assert [(each.refused.cause, each.parts) for each in stored.given_up] == [("SMS_INCOMPLETE", 1)]
    assert sum(each.parts for each in ripe(operator, now=later).given_up) == sms_inbox.MAX_INCOMPLETE - 1
    assert [bytes(part.payload) for part in waiting] == [b"fresh"]


def test_what_is_for_a_number_that_became_nobodys_is_given_up(operator, device):
    store(operator, Part(NUMBER, b"x"))
    Device.objects.filter(pk=device.pk).update(msisdn="")
    later = NOW + timedelta(seconds=sms_inbox.STRANGER_SECONDS + 1)
    assert sms_inbox.give_up(operator_id=operator.pk, now=later) == 1


def test_what_was_not_worked_off_is_found_after_a_restart(operator, device):
    store(
        operator,
        Part(NUMBER, b"1", 9, 1, 2),
        Part(NUMBER, b"2", 9, 2, 2),
        Part(NUMBER, b"x"),
        Part(NUMBER, b"h", 3, 1, 2),
    )
    found = sms_inbox.unhandled(operator_id=operator.pk, before=NOW, limit=10)
    assert [each.payload for each in found] == [b"x"]
    ripe(operator)
    found = sms_inbox.unhandled(operator_id=operator.pk, before=NOW, limit=1)
    assert [each.payload for each in found] == [b"12"]
    found = sms_inbox.unhandled(operator_id=operator.pk, before=NOW, limit=10)
    assert [each.payload for each in found] == [b"12", b"x"]


def test_what_was_over_long_ago_goes_and_what_waits_stays(link, operator, device):
    (whole,) = store(operator, Part(NUMBER, b"old")).whole
    sms_inbox.handled(part_ids=whole.part_ids, now=NOW)
    store(operator, Part(NUMBER, b"waits"))
    queue(operator, b"sent", b"waits", seconds=10**8)
    settle(Settled(claim(operator, limit=1)[0], SmsState.SENT, smsc_ids=("1",)))
    later = NOW + timedelta(days=31)
    assert sms_retention.prune(now=later) == 3  # part, message with its receipt key, the day
    assert [bytes(row.payload) for row in SmsPart.objects.all()] == [b"waits"]
    assert [bytes(row.payload) for row in SmsMessage.objects.all()] == [b"waits"]
    assert not SmsSpent.objects.exists()


# -- triggers ------------------------------------------------------------------------------------------------
@pytest.fixture
def tracker(operator) -> Device:
    return make(operator, "+491510000002", reach=Reach.IP, security="psk")


def test_a_trigger_is_one_execute_and_its_answer_is_noted_once(link, operator, tracker):
    message = triggers.send(device=tracker, requested_by="user:1", reason="asleep", now=NOW)
    payload = bytes(message.payload)
    assert payload[0] == 0x54
    assert payload[1] == 2
    assert payload[8:] == b"\xb11\x010\x018"
    token = token_of(payload)
    said = {"operator_id": operator.pk, "msisdn": tracker.msisdn, "now": NOW}
    assert not triggers.answered(token=b"none", code=0x44, **said)
    assert triggers.answered(token=token, code=0x44, **said)
    assert not triggers.answered(token=token, code=0x44, **said)
    message.refresh_from_db()
    assert message.answer == "SMS 2.04"
    assert actions(tracker) == ["device.triggered", "device.trigger_answered"]


def test_a_bootstrap_trigger_names_resource_nine(link, tracker):
    message = triggers.send(device=tracker, kind="bootstrap", requested_by="user:1", now=NOW)
    assert bytes(message.payload).endswith(b"\x019")


@pytest.mark.parametrize(
    ("facts", "cause"),
    [
        ({"msisdn": ""}, "MSISDN_MISSING"),
        ({"reach": Reach.GATEWAY}, "VALIDATION_FAILED"),
        ({"access": Access.SUSPENDED}, "DEVICE_SUSPENDED"),
    ],
)
def test_a_device_that_cannot_be_triggered_says_why(link, tracker, facts, cause):
    Device.objects.filter(pk=tracker.pk).update(**facts)
    with pytest.raises(Refused) as refused:
        triggers.send(device=tracker, requested_by="user:1", now=NOW)
    assert refused.value.cause == cause


def test_no_trigger_without_a_link_or_beyond_the_days_number(operator, tracker):
    with pytest.raises(Refused, match="no SMSC link"):
        triggers.send(device=tracker, requested_by="user:1", now=NOW)
    smsc_links.save(operator=operator, host="h", system_id="s", address="1234", daily_messages=1)
    SmsSpent.objects.create(device=tracker, day=NOW.date(), count=1)
    with pytest.raises(Refused, match="used up"):
        triggers.send(device=tracker, requested_by="user:1", now=NOW)


# -- whose a number is ---------------------------------------------------------------------------------------
def test_the_first_message_from_a_number_confirms_it_and_it_is_then_taken(operator, device):
    Device.objects.update(msisdn_confirmed_at=None)
    other = Operator.objects.create(slug="other", name="Other")
    claimed = make(other, msisdn_confirmed_at=None)
    store(operator, Part(NUMBER, b"x"))
    device.refresh_from_db()
    assert device.msisdn_confirmed_at == NOW
    assert actions(device) == ["device.number_confirmed"]
    store(operator, Part(NUMBER, b"y"))
    assert actions(device) == ["device.number_confirmed"]
    (refused,) = store(other, Part(NUMBER, b"z")).refused
    assert (refused.cause, refused.device_id) == ("MSISDN_MISMATCH", device.pk)
    assert sms_outbox.queue(messages=[outgoing(other)], now=NOW) == [None]
    with pytest.raises(Refused, match="in use"):
        devices.set_msisdn(device=make(other, "+491510000055"), msisdn=NUMBER)
    claimed.refresh_from_db()
    assert claimed.msisdn_confirmed_at is None


def outgoing(operator) -> Outgoing:
    return Outgoing(operator.pk, NUMBER, b"x", SmsPurpose.TRIGGER, NOW + timedelta(hours=1))


def test_a_number_that_somebody_typed_keeps_no_other_operators_device_from_it(operator, device):
    Device.objects.update(msisdn_confirmed_at=None)
    other = Operator.objects.create(slug="other", name="Other")
    theirs = make(other, "+491510000055")
    devices.set_msisdn(device=theirs, msisdn=NUMBER)
    store(other, Part(NUMBER, b"x"))
    theirs.refresh_from_db()
    assert (theirs.msisdn, theirs.msisdn_confirmed_at) == (NUMBER, NOW)
    with pytest.raises(Refused, match="in use"):
        devices.set_msisdn(device=make(operator, "+491510000056"), msisdn=NUMBER)


def test_a_number_from_which_nothing_came_costs_one_sms_a_day(link, operator):
    tracker = make(operator, "+491510000002", reach=Reach.IP, security="psk", msisdn_confirmed_at=None)
    triggers.send(device=tracker, requested_by="user:1", now=NOW)
    assert len(claim(operator)) == 1
    with pytest.raises(Refused, match="used up"):
        triggers.send(device=tracker, requested_by="user:1", now=NOW)
    store(operator, Part(tracker.msisdn, b"x"))
    triggers.send(device=tracker, requested_by="user:1", now=NOW)


def test_a_number_that_is_changed_is_to_be_confirmed_anew(operator, device):
    changed = devices.set_msisdn(device=device, msisdn="+491510000077")
    assert changed.msisdn_confirmed_at is None
