"""Devices behind an M2M gateway on real sockets: the acceptance list of the LwM2M Gateway enabler (objects 25, 26)."""

from __future__ import annotations

from datetime import timedelta
from functools import partial

import pytest
from django.utils import timezone

import coap
from audit.models import LedgerEvent
from devices.commands.models import Command
from devices.gateways.models import EndDevice, ParkedReport
from devices.inventory.models import Knock
from devices.observations.models import Observation
from devices.observations.services.observations import Observed
from devices.operations.services import operations
from devices.registry.models import Registration
from devices.registry.selectors import sessions, ways
from devices.telemetry.models import ResourceHistory, ResourceValue, TraceMessage
from lwm2m import formats
from lwm2m.codes import ContentFormat
from lwm2m.links import parse_object_links
from lwm2m.nodes import Node
from lwm2m.paths import ROOT, Path
from lwm2m.registration import Origin
from lwm2m.requests import register_request
from simulator.gateway_children import Child, numbered
from southbound.inbound.report_verdicts import Notified, judge_notification
from southbound.listeners.notifications import Notification
from southbound.peers.senders import Sender
from southbound.peers.targets import Target
from tests.southbound.client import management, until
from tests.southbound.gateways import managed, standing, take, taken, told
from tests.southbound.management import ended, order
from tests.southbound.management import told as values_of

GATEWAY_LINKS = b'</>;rt="oma.lwm2m";ct="60 110 112",</1/0>,</3/0>,</25>;ver=2.0,</25/0>'


def climate(*names: str) -> list[Child]:
    return [Child(name, "climate") for name in names]


def latest(device, path="/3303/0/5700"):
    return ResourceValue.objects.filter(device=device, path=path).first()


def sent_paths(device) -> list[str]:
    rows = TraceMessage.objects.filter(device=device, direction="out").order_by("number")
    return [f"{method} {path}" for method, path in rows.values_list("method", "path")]


def test_two_instances_are_two_children(play, make_device):
    gateway = make_device()

    async def scene(southbound):
        async with managed(southbound, children=climate("urn:dev:a", "urn:dev:b")):
            assert await told(gateway, 2) == {"urn:dev:a": "dev0", "urn:dev:b": "dev1"}
            observed = Observation.objects.filter(device=gateway, state="active")
            row = await until(observed.first)
            assert (row.paths, row.wanted_by) == (["/25"], "system")

    play(scene)
    assert "3303" in EndDevice.objects.get(identifier="urn:dev:a").object_links["objects"]


@pytest.mark.parametrize("root_path", ["", "lwm2m"])
@pytest.mark.parametrize("version", ["1.1", "1.2"])
def test_operations_go_through_the_prefix(play, make_device, root_path, version):
    gateway = make_device()
    before = f"/{root_path}" if root_path else ""

    async def scene(southbound):
        behaviour = {"root_path": root_path, "version": version, "children": climate("urn:dev:a")}
        async with managed(southbound, **behaviour) as client:
            child = await taken(gateway, "urn:dev:a")
            found = values_of(await order(child, "read", "/3303/0/5700"))
            assert list(found) == ["/3303/0/5700"]
            assert (await order(child, "read", "/3303/0")).state == "done"
            assert (await order(child, "write", "/3303/0/5750", value="Cellar")).response_code == "2.04"
            assert values_of(await order(child, "read", "/3303/0/5750")) == {"/3303/0/5750": "Cellar"}
            links = (await order(child, "discover", "/3303")).answer["links"]
            assert "</3303/0/5700>" in links
            attributes = {"pmin": 1, "pmax": 60}
            done = await order(child, "write-attributes", "/3303/0/5700", attributes=attributes)
            assert done.response_code == "2.04"
            assert (await order(child, "execute", "/3/0/4")).response_code == "2.04"
            assert client.gateway.child("dev0").counts["rebooted"] == 1
            composite = await order(child, "read-composite", paths=["/3303/0/5700", "/3/0/2"])
            assert values_of(composite)["/3/0/2"] == "urn:dev:a"
            assert set(values_of(composite)) == {"/3303/0/5700", "/3/0/2"}
            await until(lambda: len(sent_paths(child)) >= 7)
            return child

    child = play(scene)
    assert latest(child).number is not None
    assert not ResourceValue.objects.filter(device=gateway, path__startswith="/3303").exists()
    paths = sent_paths(child)
    assert f"GET {before}/dev0/3303/0/5700" in paths


def test_observe_notify_and_cancel_behind_a_gateway(play, make_device):
    gateway = make_device()

    async def scene(southbound):
        async with managed(southbound, children=climate("urn:dev:a")) as client:
            child = await taken(gateway, "urn:dev:a")
            observed = await order(child, "observe", "/3303/0/5701")
            assert observed.state == "done"
            tree = client.gateway.child("dev0").tree
            tree.set("/3303/0/5701", "K")
            await until(lambda: latest(child, "/3303/0/5701").text == "K")
            row = await until(Observation.objects.filter(device=child, state="active").first)
            live = await until(lambda: Registration.objects.get(device=gateway))
            assert row.registration_id == live.registration_id
            assert (await order(child, "cancel-observe", "/3303/0/5701")).state == "done"
            await client.until(lambda: True)
            return child

    child = play(scene)
    assert not Observation.objects.filter(device=child, state="active").exists()
    assert ResourceHistory.objects.filter(value__device=child).count() >= 2


def test_what_is_observed_behind_it_is_asked_again_after_register(play, make_device):
    gateway = make_device()

    async def scene(southbound):
        children = climate("urn:dev:a")
        async with managed(southbound, children=children):
            child = await taken(gateway, "urn:dev:a")
            await order(child, "observe", "/3303/0/5701")
            first = await until(Observation.objects.filter(device=child, state="active").first)
        kept = Child("urn:dev:a", "climate", "zz")
        async with managed(southbound, children=[kept]) as client:
            standing_now = Observation.objects.filter(device=child, state="active").exclude(token=first.token)
            await until(standing_now.exists)
            kept.tree.set("/3303/0/5701", "K")
            await until(lambda: latest(child, "/3303/0/5701").text == "K")
            assert client.gateway is not None

    play(scene)
    assert EndDevice.objects.get().prefix == "zz"


def test_composite_observation_of_a_child(play, make_device):
    gateway = make_device()

    async def scene(southbound):
        async with managed(southbound, children=climate("urn:dev:a"), version="1.2") as client:
            child = await taken(gateway, "urn:dev:a")
            paths = ["/3303/0/5701", "/3304/0/5701"]
            assert (await order(child, "observe-composite", paths=paths)).state == "done"
            client.gateway.child("dev0").tree.set("/3304/0/5701", "%")
            await until(lambda: latest(child, "/3304/0/5701").text == "%")
            return child

    assert latest(play(scene), "/3303/0/5701").text == "Cel"


def test_a_send_mixes_the_gateway_and_its_children(play, make_device):
    gateway = make_device()

    async def scene(southbound):
        async with managed(southbound, children=climate("urn:dev:a", "urn:dev:b"), version="1.2") as client:
            child = await taken(gateway, "urn:dev:a")
            paths = ["/3/0/2", "/dev0/3303/0/5701", "/dev1/3303/0/5701"]
            await client.send(paths, even_if_muted=True)
            await until(lambda: latest(child, "/3303/0/5701"))
            await until(lambda: latest(gateway, "/3/0/2"))
            return child

    child = play(scene)
    assert latest(child, "/3303/0/5701").text == "Cel"
    assert not ParkedReport.objects.exists()  # nobody took the other one
    assert EndDevice.objects.get(device=child).last_heard_at is not None


def report(*nodes: Node) -> bytes:
    return formats.encode(int(ContentFormat.SENML_CBOR), nodes, ROOT)


def test_a_send_before_the_list_was_read_is_not_lost(play, make_device):
    """The child talks before its gateway tells of it: kept, and stored when it does."""
    gateway = make_device()

    async def scene(southbound):
        async with managed(southbound, children=climate("urn:dev:a")) as client:
            await told(gateway, 1)
            late = Child("urn:dev:b", "climate", "late")
            client.gateway.add(late, is_announced=False)
            await client.send(["/late/3303/0/5701"], even_if_muted=True)
            await until(ParkedReport.objects.exists)
            child = await until(lambda: announced(gateway, "urn:dev:b"))
            client.gateway.announce(late)
            await until(lambda: latest(child, "/3303/0/5701"))
            return child

    assert latest(play(scene), "/3303/0/5701").text == "Cel"
    assert not ParkedReport.objects.exists()


def announced(gateway, identifier):
    facts = {"operator": gateway.operator, "subscriber": gateway.subscriber, "endpoint": identifier}
    return type(gateway).objects.create(**facts, reach="gateway", security="none", provisioning="ready")


def test_an_unknown_prefix_is_taken_counted_and_dropped(play, make_device):
    gateway = make_device()

    async def scene(southbound):
        async with managed(southbound, children=climate("urn:dev:a")) as client:
            await told(gateway, 1)
            ghost = Child("urn:dev:ghost", "climate", "ghost")
            client.gateway.add(ghost, is_announced=False)
            answer = await client.send(["/ghost/3303/0/5701"], even_if_muted=True)
            assert answer.code.dotted == "2.04"
            client.gateway.add(Child("urn:dev:c"))  # whatever happens, the list is read again
            await told(gateway, 2)
            await until(Knock.objects.filter(cause="END_DEVICE_UNKNOWN").exists)

    play(scene)
    knock = Knock.objects.get(cause="END_DEVICE_UNKNOWN")
    assert (knock.device, knock.detail) == (gateway, "Prefixes: ghost")
    assert not ParkedReport.objects.exists()
    assert not ResourceValue.objects.filter(path="/3303/0/5701").exists()


def test_a_child_that_is_deleted_is_gone_and_may_come_back(play, make_device):
    gateway = make_device()

    async def scene(southbound):
        children = climate("urn:dev:a", "urn:dev:b")
        async with managed(southbound, children=children) as client:
            child = await taken(gateway, "urn:dev:b")
            assert (await order(child, "observe", "/3303/0/5701")).state == "done"
            client.gateway.remove(children[1])
            await until(EndDevice.objects.filter(device=child, gone_cause="END_DEVICE_GONE").exists)
            held = await until(lambda: ask(child, "read", "/3303/0/5701"))
            client.gateway.add(children[1])
            assert (await ended(held)).state == "done"
            return child

    child = play(scene)
    actions = ledger_actions(child)
    assert actions.index("end_device.gone") < actions.index("end_device.back")


def ask(device, operation, path):
    return operations.request(device=device, operation=operation, path=path, requested_by="test")


def ledger_actions(device) -> list[str]:
    rows = LedgerEvent.objects.filter(device_id=device.pk).order_by("id")
    return list(rows.values_list("action", flat=True))


def test_another_prefix_is_the_same_device(play, make_device):
    gateway = make_device()

    async def scene(southbound):
        children = climate("urn:dev:a")
        async with managed(southbound, children=children) as client:
            child = await taken(gateway, "urn:dev:a")
            await order(child, "read", "/3303/0/5701")
            client.gateway.rename(children[0], "moved")
            await until(lambda: standing(gateway) == {"urn:dev:a": "moved"})
            assert (await order(child, "read", "/3303/0/5701")).state == "done"
            await until(lambda: "GET /moved/3303/0/5701" in sent_paths(child))
            return child

    child = play(scene)
    assert ResourceValue.objects.filter(device=child, path="/3303/0/5701").count() == 1
    assert "end_device.routed" in ledger_actions(child)


def test_a_prefix_that_is_not_found_lets_the_list_be_read_again(play, make_device):
    """The gateway forgot to say that the prefix changed: 4.04, and the next try finds it."""
    gateway = make_device()

    async def scene(southbound):
        async with managed(southbound, children=climate("urn:dev:a")):
            child = await taken(gateway, "urn:dev:a")
            for rows in (EndDevice.objects.filter(device=child), type(child).objects.filter(pk=child.pk)):
                await until(partial(rows.update, prefix="wrong"))
            # The reading at its Register was just now; one for a doubt has to be a while later.
            await until(lambda: Command.objects.filter(device=gateway).update(ended_at=None) or True)
            refused = await order(child, "read", "/3303/0/5701")
            assert (refused.state, refused.response_code) == ("refused", "4.04")
            await until(lambda: standing(gateway) == {"urn:dev:a": "dev0"})
            assert (await order(child, "read", "/3303/0/5701")).state == "done"

    play(scene)


def test_two_gateways_that_tell_of_one_device_move_it(play, make_device):
    first, second = make_device("gw-1"), make_device("gw-2")

    async def scene(southbound):
        async with managed(southbound, "gw-1", children=climate("urn:dev:a")):
            child = await taken(first, "urn:dev:a")
            await order(child, "read", "/3303/0/5701")
            async with managed(southbound, "gw-2", children=[Child("urn:dev:a", "climate", "x")]):
                await until(EndDevice.objects.filter(device=child, gateway=second).exists)
                assert (await order(child, "read", "/3303/0/5701")).state == "done"
                await until(lambda: "GET /x/3303/0/5701" in sent_paths(child))
                return child

    child = play(scene)
    assert ResourceValue.objects.filter(device=child, path="/3303/0/5701").count() == 1
    assert EndDevice.objects.get(gateway=first).gone_cause == "END_DEVICE_MOVED"
    assert "end_device.moved" in ledger_actions(child)


def test_version_1_0_of_the_object(play, make_device):
    gateway = make_device()

    async def scene(southbound):
        behaviour = {"children": climate("urn:dev:a"), "gateway_version": "1.0", "version": "1.2"}
        async with managed(southbound, **behaviour):
            child = await taken(gateway, "urn:dev:a")
            assert (await order(child, "read", "/3303/0/5701")).state == "done"
            tree = await order(gateway, "read", "/26")
            assert tree.state == "done"

    play(scene)
    assert EndDevice.objects.get().object_links == {}
    assert not [path for path in sent_paths(gateway) if path.startswith("PUT")]


def test_a_gateway_that_ends_leaves_its_children_offline_with_one_cause(play, make_device):
    gateway = make_device()

    async def scene(southbound):
        async with managed(southbound, children=climate("urn:dev:a", "urn:dev:b")) as client:
            child = await taken(gateway, "urn:dev:a")
            assert (await order(child, "observe", "/3303/0/5701")).state == "done"
            await client.stop(deregister=True)
        await until(Registration.objects.filter(device=gateway, is_live=False).exists)
        await until(Observation.objects.filter(device=child, state="wanted").exists)
        return child

    child = play(scene)
    row = type(child).objects.select_related(*ways.PRESENCE).get(pk=child.pk)
    found = sessions.of_device(row, timezone.now())
    assert (found.state, found.cause) == ("gateway_offline", "GATEWAY_OFFLINE")
    assert not [action for action in ledger_actions(child) if action.startswith("end_device.")]
    assert EndDevice.objects.filter(gone_at=None).count() == 2


def test_a_gateway_whose_lifetime_is_over(play, make_device, settings):
    settings.LIFETIME_GRACE_SECONDS = 0
    gateway = make_device()

    async def scene(southbound):
        wire = await management(southbound)
        request = register_request(endpoint="dev-1", lifetime_seconds=1, object_links=GATEWAY_LINKS)
        assert (await wire.ask(request)).code == "2.01"
        await until(lambda: EndDevice.objects.create(gateway=gateway, instance=0, identifier="a", prefix="p"))
        child = await until(lambda: take(gateway, "a"))
        await until(Registration.objects.filter(device=gateway, is_live=False).exists, 5)
        return child

    child = play(scene)
    offline = type(child).objects.filter(sessions.condition("gateway_offline", timezone.now()))
    assert list(offline) == [child]
    assert ledger_actions(gateway).count("registration.expired") == 1
    assert not [
        action for action in ledger_actions(child) if action.startswith(("end_device.", "registration."))
    ]


def test_a_gateway_of_lwm2m_1_0_is_not_asked(play, make_device):
    gateway = make_device()

    async def scene(southbound):
        wire = await management(southbound)
        request = register_request(endpoint="dev-1", version="1.0", object_links=GATEWAY_LINKS)
        assert (await wire.ask(request)).code == "2.01"
        await wire.is_alive()
        other = await management(southbound)
        await other.ask(register_request(endpoint="gw-2", object_links=GATEWAY_LINKS))
        await until(Command.objects.filter(device__endpoint="gw-2").exists)

    make_device("gw-2")
    play(scene)
    assert not Command.objects.filter(device=gateway).exists()


def test_one_request_at_a_time_for_the_gateway_and_all_behind_it(play, make_device):
    """NSTART=1 is towards the gateway: while it answers nothing, nothing else leaves."""
    gateway = make_device()

    async def scene(southbound):
        wire = await management(southbound)
        assert (await wire.ask(register_request(endpoint="dev-1", object_links=GATEWAY_LINKS))).code == "2.01"
        await wire.inbox.get()  # the Observe of /25, never answered
        await until(lambda: EndDevice.objects.create(gateway=gateway, instance=0, identifier="a", prefix="p"))
        child = await until(lambda: take(gateway, "a"))
        await until(lambda: ask(child, "read", "/3303/0/5701"))
        await until(lambda: ask(gateway, "read", "/3/0"))
        assert await until(lambda: Command.objects.filter(state="sent").count()) == 1
        await until(lambda: Command.objects.filter(state="queued").count() == 2)
        return child

    child = play(scene)
    assert Command.objects.filter(device__in=(gateway, child), sent_at__isnull=False).count() == 1


def test_queue_mode_of_the_gateway_holds_the_commands_of_its_children(play, make_device, settings):
    settings.AWAKE_SECONDS = 1.0
    gateway = make_device()

    async def scene(southbound):
        children = climate("urn:dev:a")
        async with managed(southbound, children=children, queue_mode=True) as client:
            child = await taken(gateway, "urn:dev:a")
            asleep = sessions.condition("asleep", timezone.now() + timedelta(seconds=2))
            rows = type(gateway).objects.filter(asleep, pk=child.pk)
            await until(rows.exists)
            await until(lambda: past(gateway))
            held = await until(lambda: ask(child, "read", "/3303/0/5701"))
            await until(lambda: Command.objects.get(pk=held.pk).state == "queued")
            await client.update()
            assert (await ended(held)).state == "done"

    play(scene)


def past(gateway) -> bool:
    """The gateway was last heard longer ago than it stays awake."""
    seen = timezone.now() - timedelta(seconds=5)
    return bool(Registration.objects.filter(device=gateway).update(last_seen_at=seen))


def test_a_gateway_without_object_25_has_nothing_behind_it_any_more(play, make_device):
    gateway = make_device()

    async def scene(southbound):
        async with managed(southbound, children=climate("urn:dev:a")):
            await told(gateway, 1)
        async with managed(southbound):
            await until(lambda: not standing(gateway))

    play(scene)


def test_a_large_gateway_is_listed_and_its_command_stays_small(play, make_device):
    gateway = make_device()

    async def scene(southbound):
        children = list(numbered("urn:many", 800))
        async with managed(southbound, children=children):
            await told(gateway, 800)
            return await until(Command.objects.filter(device=gateway, path="/25", state="done").first)

    command = play(scene)
    assert (len(command.answer["nodes"]), command.answer["more"]) == (2_000, 400)
    assert ResourceValue.objects.filter(device=gateway, path__startswith="/25/").count() == 2_400


def test_a_notification_may_mix_prefixes():
    place = Path(3303, 0, 5700)
    named = (Node(place, 1.0, prefix="dev0"), Node(place, 2.0, prefix="lwm2m/dev1"), Node(place, 3.0))
    said = coap.Response(0x45, report(*named), 112, observe=5)
    notification = Notification(None, coap.Notified(("127.0.0.1", 1), True, 1, b"\x01", said), 5)
    links = parse_object_links(b'</lwm2m>;rt="oma.lwm2m",</lwm2m/1/0>,</lwm2m/25>;ver=2.0')
    sender = Sender(7, 1, "r", False, True, Target("1.2", links))
    observed = {(7, "01"): Observed(3, 7, ("/3303",), True)}
    told_of = judge_notification(
        Notified(notification, Origin("127.0.0.1", 1, "udp", None)), sender, observed, timezone.now()
    )
    assert [(one.device_id, one.value) for one in told_of.samples] == [(7, 3.0)]
    behind = {prefix: [one.value for one in said] for prefix, said in told_of.behind.items()}
    assert behind == {"dev0": [1.0], "dev1": [2.0]}
