"""The page on which staff manage a device: what it tells, who may see it, that it is live and cheap."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.utils import timezone

from accounts.models import Operator
from accounts.roles import Role
from audit.causes import CAUSES
from backoffice.manage import facts
from backoffice.manage.consumers import ManageConsumer, NodeConsumer
from backoffice.manage.parts import Parts
from devices.commands.models import Command, CommandState
from devices.commands.services import mailbox
from devices.inventory.models import Device
from devices.inventory.states import Access
from devices.registry.selectors import present, verdict
from devices.telemetry.services import traces
from provisioning.services import lifecycle
from tests.backoffice.managing import address, ask, desk, meter, signed_in, tell, text
from tests.devices.gateways.telling import behind

__all__ = ["desk", "meter", "signed_in"]
pytestmark = pytest.mark.django_db


# -- what it tells -------------------------------------------------------------------------------------------


def test_the_tree_names_what_the_device_announced_with_value_unit_and_time(desk, meter):
    page = text(desk.get(address(meter)))
    assert "Battery level" in page
    assert '82</span> <span class="manage-unit">%</span>' in page
    assert "3800" in page
    assert "data-relative" in page
    assert f'data-live="/ws/devices/{meter.pk}/manage/"' in page
    assert 'value="read /3/0/9"' in page


def test_an_unknown_object_stands_raw(desk, meter):
    meter.registration_detail.object_links["objects"]["33000"] = {
        "version": None,
        "instances": [0],
        "attributes": [],
    }
    meter.registration_detail.save()
    tell(meter, ("/33000/0/5", b"\x0a\xff"))
    page = text(desk.get(address(meter)))
    assert "no definition: values stand raw" in page
    assert "0a ff (2 bytes)" in page
    assert "Value</label>" in text(desk.get(address(meter, "?node=/33000/0/5")))


def test_a_device_that_never_registered_has_an_empty_tree(desk, device):
    page = text(desk.get(address(device("urn:dev:new"))))
    assert "It has never registered." in page
    assert "No objects yet." in page


def test_a_sleeping_device_says_since_when_until_when_and_what_waits(desk, device, registered):
    sleeper = device("urn:dev:sleeper")
    registered(sleeper, seen_ago=200, queue=True)
    for _ in range(3):
        mailbox.enqueue(device=sleeper, operation="read", path="/3/0", requested_by="system")
    page = text(desk.get(address(sleeper)))
    assert "Asleep since " in page
    assert "next contact expected by " in page
    assert "3 commands waiting" in page


def test_a_number_has_a_course(desk, meter):
    for minutes in range(1, 6):
        tell(meter, ("/3/0/9", 80 + minutes), ago=60 * minutes)
    page = text(desk.get(address(meter, "?node=/3/0/9")))
    assert 'class="chart-line"' in page
    assert "6 values between 81 and 85." in page
    assert "chart-line" not in text(desk.get(address(meter, "?node=/3/0/0")))


def test_the_answer_of_a_command_is_told_by_name_and_a_failure_with_its_way_out(desk, meter):
    now = timezone.now()
    common = {
        "device": meter,
        "requested_by": "system",
        "expires_at": now + timedelta(hours=1),
        "ended_at": now,
    }
    Command.objects.create(
        operation="read",
        path="/3/0",
        state=CommandState.DONE,
        response_code="2.05",
        answer={"nodes": [{"path": "/3/0/0", "value": "Acme"}, {"path": "/3/0/9", "value": 82}]},
        **common,
    )
    Command.objects.create(
        operation="execute",
        path="/3/0/4",
        state=CommandState.SILENT,
        cause="RESPONSE_TIMEOUT",
        **common,
    )
    page = text(desk.get(address(meter)))
    assert "2 values" in page
    assert 'class="manage-cause"' in page


def test_a_secret_is_never_shown(desk, meter):
    tell(meter, ("/0/0/5", b"secret key bytes"))
    Command.objects.create(
        device=meter,
        operation="write",
        path="/0/0/5",
        arguments={"value": {"base64": "c2VjcmV0"}},
        requested_by="system",
        expires_at=timezone.now() + timedelta(hours=1),
    )
    page = text(desk.get(address(meter, "?node=/0/0/5")))
    assert "hidden: a secret" in page
    assert b"secret key bytes".hex(" ") not in page
    assert "73 65 63" not in page


# -- who may -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("rest", ["", "?node=/3/0/9"])
def test_a_foreign_device_is_not_there(desk, device, south, rest):
    theirs = device("urn:dev:theirs", operator=south)
    assert desk.get(address(theirs, rest)).status_code == 404
    assert ask(desk, theirs, row="read /3/0").status_code == 404
    assert desk.post(address(theirs, "cancel/"), {"command": "1"}).status_code == 404
    assert not Command.objects.exists()


@pytest.mark.parametrize("role", [Role.READ_ONLY, Role.AUDITOR])
def test_who_only_looks_finds_no_control_and_is_refused(signed_in, meter, role):
    client = signed_in(role)
    page = text(client.get(address(meter, "?node=/3/0/14")))
    assert "Your role lets you look." in page
    assert 'name="ask"' not in page
    assert 'name="row"' not in page
    assert ask(client, meter, row="read /3/0").status_code == 403
    assert ask(client, meter, ask="write", path="/3/0/14", value="x").status_code == 403
    assert client.post(address(meter, "cancel/"), {"command": "1"}).status_code == 403
    assert not Command.objects.exists()


def test_subscribers_and_strangers_are_sent_to_sign_in(client, meter, subscriber):
    assert client.get(address(meter)).status_code == 302
    client.force_login(subscriber.user)
    assert client.get(address(meter)).status_code == 302


@pytest.mark.parametrize("access", [Access.SUSPENDED, Access.BARRED, Access.RETIRED])
def test_a_device_that_was_shut_out_says_so_first_and_is_not_asked(desk, meter, access):
    deed = {"suspended": lifecycle.suspend, "barred": lifecycle.bar, "retired": lifecycle.release}[access]
    deed(device=meter, reason="Bill of May")
    page = text(desk.get(address(meter, "?node=/3/0/14")))
    state = page[page.index('id="manage-state"') :]
    said = [f"is-{access}", str(CAUSES[f"DEVICE_{access.upper()}"].support), f"{access.label}."]
    places = [state.index(words) for words in said]
    assert places == sorted(places)
    assert "at once" not in state
    assert ("Bill of May" in state) == (access != Access.RETIRED)
    assert 'name="ask"' not in page
    assert ask(desk, meter, row="read /3/0").status_code == 302
    assert not Command.objects.exists()


def test_a_device_of_an_operator_that_is_switched_off_is_not_asked(client, person, meter):
    client.force_login(person("root@example.com", is_staff=True, is_superuser=True))
    form = text(client.get(address(meter, "?node=/3/0/14")))
    assert 'name="ask"' in form
    Operator.objects.filter(pk=meter.operator_id).update(is_active=False)
    page = text(client.get(address(meter, "?node=/3/0/14")))
    assert str(CAUSES["OPERATOR_INACTIVE"].support) in page
    assert "Operator switched off. Nothing is sent to it" in page
    assert 'name="ask"' not in page
    answer = text(client.post(address(meter, "ask/"), {"row": "read /3/0"}, follow=True))
    assert str(CAUSES["OPERATOR_INACTIVE"].support) in answer
    assert not Command.objects.exists()


def test_a_device_behind_a_gateway_that_was_shut_out_is_not_asked(desk, meter, device):
    child = device("urn:dev:child", reach="gateway", security="none")
    behind(meter, child)
    lifecycle.suspend(device=meter, reason="Bill")
    page = text(desk.get(address(child)))
    assert "Its gateway urn:dev:meter" in page or "Its gateway Meter" in page
    assert "Nothing is sent to it" in page
    desk.post(address(child, "ask/"), {"row": "read /3/0"})
    assert not Command.objects.exists()


def test_a_lost_device_says_so_in_the_words_of_every_page(desk, device, registered):
    gone = device("urn:dev:gone")
    registered(gone, seen_ago=4000, ended="LIFETIME_EXPIRED")
    page = text(desk.get(address(gone)))
    standing = present.of(ways_of(gone), timezone.now())
    told = verdict.of(ways_of(gone), standing, timezone.now())
    state = page[page.index('id="manage-state"') :]
    assert state.index(told.words) < state.index("Lost, last heard")
    assert "is kept until it registers" in state


def test_a_device_that_is_set_up_anew_is_not_told_as_listening(desk, meter, device, registered):
    reset = device("urn:dev:reset", provisioning="bootstrapping", first_online_at=timezone.now())
    registered(reset, ended="DEREGISTERED")
    page = text(desk.get(address(reset)))
    assert "Being set up anew. What you ask is kept until it registers" in page
    answer = text(desk.post(address(reset, "ask/"), {"row": "read /3/0"}, follow=True))
    assert "is kept until the device listens." in answer


def ways_of(device):
    return facts.rows(Device.objects.filter(pk=device.pk)).get()


# -- live and cheap ------------------------------------------------------------------------------------------


def listening(consumer, user, device, query: bytes = b""):
    page = consumer()
    page.user, page.kwargs, page.scope = user, {"device_id": device.pk}, {"query_string": query}
    return page


def test_only_who_sees_the_device_may_listen(member, north, south, meter, subscriber):
    ours, theirs = member(Role.READ_ONLY, north), member(Role.ADMINISTRATOR, south)
    kwargs = {"device_id": meter.pk}
    for page in (ManageConsumer(), NodeConsumer()):
        assert page.allowed(ours, kwargs)
        assert not page.allowed(theirs, kwargs)
        assert not page.allowed(subscriber.user, kwargs)


def test_a_change_sends_only_what_became_different(member, north, meter):
    page = listening(ManageConsumer, member(Role.SUPPORT, north), meter)
    page.parts = Parts()
    first = [fragment["target"] for fragment in page.render(None)]
    assert set(first) == {"manage-state", "manage-queue", "manage-trace", "manage-tree"}
    assert page.render(frozenset()) == []
    tell(meter, ("/3/0/9", 83), ago=0)
    assert [fragment["target"] for fragment in page.render(frozenset())] == ["instance-3-0"]


def test_the_chosen_node_is_live(member, north, meter):
    page = listening(NodeConsumer, member(Role.READ_ONLY, north), meter, b"path=/3/0/9")
    (fragment,) = page.render(None)
    assert fragment["target"] == "node-live"
    assert "<b>82</b>" in fragment["html"]
    assert 'name="row"' not in fragment["html"]


def test_the_page_costs_the_same_for_few_and_for_many(desk, meter, django_assert_max_num_queries):
    tell(meter, *[(f"/3/0/7/{number}", number) for number in range(200)])
    for _ in range(30):
        mailbox.enqueue(device=meter, operation="read", path="/3/0", requested_by="user:1")
    with django_assert_max_num_queries(20):
        text(desk.get(address(meter, "?node=/3/0/9")))


def test_the_device_page_leads_here(desk, meter):
    assert address(meter) in text(desk.get(f"/admin/inventory/device/{meter.pk}/change/"))
    assert meter.access == Access.ACTIVE


def test_the_last_messages_are_told_with_their_payload(desk, meter):
    now = timezone.now()
    assert 'id="manage-trace"' in text(desk.get(address(meter)))
    assert "newest first" not in text(desk.get(address(meter)))
    common = {"device_id": meter.pk, "at": now, "method": "GET", "path": "/3/0/9"}
    said = {
        "nodes": [{"path": "/3/0/9", "value": 82}, {"path": "/3/0/10", "value": {"bytes": 2, "hex": "0aff"}}]
    }
    traces.record(
        messages=[
            traces.Message(direction="out", **common),
            traces.Message(
                direction="in",
                code="2.05",
                content_format=112,
                payload=said,
                payload_bytes=9,
                duration_ms=12.4,
                **common,
            ),
            traces.Message(direction="in", code="4.04", payload={"links": "</3>"}, payload_bytes=4, **common),
        ]
    )
    page = text(desk.get(address(meter)))
    assert "3, newest first" in page
    assert "SENML CBOR" in page
    assert "12 ms" in page
    assert "0a ff (2 bytes)" in page


def test_how_long_it_listens_is_set_on_its_page(desk, device, registered):
    sleeper = device("urn:dev:naps")
    registered(sleeper, seen_ago=60, queue=True)
    assert 'placeholder="93"' in text(desk.get(address(sleeper)))
    setting = f"{address(sleeper)}awake/"
    assert desk.post(setting, {"seconds": "30"}).status_code == 302
    page = text(desk.get(address(sleeper)))
    assert 'value="30"' in page
    assert "Asleep since" in page
    for wrong in ("0", "soon", "99999999999"):
        said = text(desk.post(setting, {"seconds": wrong}, follow=True))
        assert "seconds" in said
        sleeper.refresh_from_db()
        assert sleeper.awake_seconds == 30
    desk.post(setting, {"seconds": ""})
    sleeper.refresh_from_db()
    assert sleeper.awake_seconds is None
