"""Managing one device over REST: staff by role, subscribers their values, strangers nothing."""

from __future__ import annotations

from typing import Any
from urllib.parse import quote

import pytest
from django.utils import timezone
from rest_framework.test import APIClient

from devices.commands.models import Command
from devices.observations.models import Observation
from devices.telemetry.services import traces, values
from devices.telemetry.services.traces import Message
from devices.telemetry.services.values import Sample
from tests.devices.answering import answer
from tests.devices.conftest import device, make

__all__ = ["device", "make"]
pytestmark = pytest.mark.django_db


@pytest.fixture
def support(api, member, north) -> APIClient:
    return api(member("support", north))


@pytest.fixture
def reader(api, member, north) -> APIClient:
    return api(member("read_only", north))


@pytest.fixture
def owner(api, subscriber) -> APIClient:
    return api(subscriber.user)


def at(device: Any, rest: str) -> str:
    return f"/api/v1/devices/{quote(device.endpoint, safe='')}/{rest}"


def post(client: APIClient, device: Any, **body: Any) -> Any:
    return client.post(at(device, "commands/"), body)


@pytest.mark.parametrize("endpoint", ["urn:dev:1", "a/b", "x/commands", "ü %&?#", "a/commands/1"])
def test_a_command_is_asked_for_watched_and_answered(make, support, endpoint):
    device = make(endpoint)
    made = post(support, device, operation="read", path="/3/0/9", reason="ticket 12", priority=5)
    assert made.status_code == 201, made.content
    assert made.json()["state"] == "queued"
    assert made.json()["requested_by"].startswith("user:")
    answer(device, nodes={"/3/0/9": 80})
    seen = support.get(at(device, f"commands/{made.json()['id']}/")).json()
    assert (seen["state"], seen["response_code"]) == ("done", "2.05")
    assert seen["answer"]["nodes"] == [{"path": "/3/0/9", "value": 80}]
    latest = support.get(at(device, "resources/")).json()["results"]
    assert [(one["path"], one["value"]) for one in latest] == [("/3/0/9", 80)]


def test_the_list_is_filtered_and_paged(device, support, django_assert_max_num_queries):
    for path in ("/3/0", "/3/0/9", "/1/0"):
        post(support, device, operation="read", path=path)
    post(support, device, operation="execute", path="/3/0/12")
    answer(device)
    found = lambda query: support.get(at(device, f"commands/?{query}")).json()["count"]  # noqa: E731
    assert found("") == 4
    assert found("path=/3/0") == 3
    assert found("operation=execute") == 1
    assert found("state=done") == 1
    assert found("state=done&state=queued") == 4
    assert support.get(at(device, "commands/?state=lost")).status_code == 400
    with django_assert_max_num_queries(6):
        assert len(support.get(at(device, "commands/?page_size=2")).json()["results"]) == 2


def test_cancel(device, support):
    made = post(support, device, operation="read", path="/3/0").json()
    assert support.post(at(device, f"commands/{made['id']}/cancel/")).json()["state"] == "cancelled"
    again = support.post(at(device, f"commands/{made['id']}/cancel/"))
    assert (again.status_code, again.json()["code"]) == (409, "CONFLICT")


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"operation": "fly", "path": "/3"}, "operation"),
        ({"path": "/3"}, "operation"),
        ({"operation": "write", "path": "/3/0/9", "value": 1}, "path"),
        ({"operation": "write", "path": "/1/0/1", "value": "1"}, "value"),
        ({"operation": "read", "path": "/3", "vlaue": 1}, "vlaue"),
        ({"operation": "write-attributes", "path": "/3", "attributes": {"pmin": 9, "pmax": 1}}, "attributes"),
    ],
)
def test_a_refusal_names_the_field(device, support, body, field):
    refused = support.post(at(device, "commands/"), body)
    assert refused.status_code == 400
    assert {"code", "detail"} <= set(refused.json())
    assert field in refused.json()["fields"]


def test_int_307_send_is_muted_by_name(device, support):
    made = post(support, device, operation="unmute-send").json()
    assert (made["operation"], made["path"], made["arguments"]["value"]) == ("write", "/1/0/23", False)


def test_secrets_are_hidden(device, support):
    made = post(support, device, operation="write", path="/11/0/6", value="hunter2")
    assert made.json()["arguments"]["value"] == "(hidden)"
    assert "hunter2" not in support.get(at(device, "commands/")).content.decode()


def test_roles(device, reader, owner, api, member, south):
    stranger = api(member("administrator", south))
    for rest in ("commands/", "observations/", "trace/"):
        assert reader.get(at(device, rest)).status_code == 200
        refused = owner.get(at(device, rest))
        assert refused.status_code == 403
        assert "operator's staff" in refused.json()["detail"]
        assert stranger.get(at(device, rest)).status_code == 404
    for client, status in ((reader, 403), (owner, 403), (stranger, 404)):
        assert post(client, device, operation="read", path="/3").status_code == status
        assert client.post(at(device, "observations/"), {"path": "/3/0"}).status_code == status
    assert not Command.objects.exists()
    assert not Observation.objects.exists()


def test_subscribers_read_the_values_of_their_own(device, owner, make, north):
    now = timezone.now()
    samples = [Sample(device.pk, "/3303/0/5700", float(n), now.timestamp() - n) for n in range(5)]
    values.store(samples=samples, now=now)
    latest = owner.get(at(device, "resources/?path=3303/0")).json()["results"]
    assert latest == [
        {
            "path": "/3303/0/5700",
            "name": "Temperature / Sensor value",
            "units": latest[0]["units"],
            "type": "float",
            "value": 0.0,
            "at": latest[0]["at"],
            "received_at": latest[0]["received_at"],
        }
    ]
    history = owner.get(at(device, "resources/3303/0/5700/history/?page_size=2")).json()
    assert (history["count"], [one["value"] for one in history["results"]]) == (5, [0.0, 1.0])
    series = owner.get(at(device, "resources/3303/0/5700/series/?max_points=10")).json()
    assert [point["value"] for point in series["points"]] == [4.0, 3.0, 2.0, 1.0, 0.0]
    tree = {one["path"]: one for one in owner.get(at(device, "resources/tree/")).json()}
    resources = {one["path"]: one for one in tree["/3303"]["instances"][0]["resources"]}
    assert resources["/3303/0/5700"]["latest"]["value"] == 0.0
    assert resources["/3303/0/5601"]["is_absent"] is True
    foreign = make("urn:dev:foreign", subscriber=None)
    assert owner.get(at(foreign, "resources/")).status_code == 404
    bad = owner.get(at(device, "resources/3303/0/5700/history/?since=yesterday"))
    assert (bad.status_code, bad.json()["code"]) == (400, "VALIDATION_FAILED")


def test_the_latest_values_cost_the_same_however_many(device, reader, django_assert_max_num_queries):
    now = timezone.now()
    samples = [Sample(device.pk, f"/32999/0/{n}", n, now.timestamp()) for n in range(60)]
    values.store(samples=samples, now=now)
    with django_assert_max_num_queries(6):
        assert len(reader.get(at(device, "resources/")).json()["results"]) == 50
    with django_assert_max_num_queries(5):
        reader.get(at(device, "resources/tree/"))


def test_observations_are_wanted_and_ended(device, support):
    made = support.post(at(device, "observations/"), {"path": "/3/0/9", "reason": "battery"})
    assert made.status_code == 201, made.content
    assert (made.json()["state"], made.json()["paths"]) == ("wanted", ["/3/0/9"])
    answer(device, token="0a")
    one = at(device, f"observations/{made.json()['id']}/")
    assert support.get(one).json()["state"] == "active"
    assert "token" not in support.get(one).json()
    assert support.get(at(device, "observations/")).json()["count"] == 1
    assert support.delete(one).status_code == 204
    assert support.delete(one).status_code == 409
    assert support.get(at(device, "observations/")).json()["count"] == 0
    assert support.get(at(device, "observations/?state=ended")).json()["count"] == 1
    both = support.post(at(device, "observations/"), {"path": "/3/0/9", "paths": ["/3/0/9"]})
    assert both.status_code == 400
    composite = support.post(at(device, "observations/"), {"paths": ["/3/0/9", "/1/0/1"]})
    assert composite.json()["is_composite"] is True


def test_the_trace_newest_first(device, reader):
    now = timezone.now()
    traces.record(messages=[Message(device.pk, now, "out", "GET", f"/3/0/{n}") for n in range(3)])
    found = reader.get(at(device, "trace/")).json()["results"]
    assert [one["path"] for one in found] == ["/3/0/2", "/3/0/1", "/3/0/0"]
    assert reader.get(at(device, "trace/?after=2")).json()["count"] == 1
    assert reader.get(at(device, "trace/?direction=in")).json()["count"] == 0


def test_a_device_of_such_a_name_is_still_found(make, support):
    """The routes end where the endpoint name ends."""
    device = make("a/b")
    assert support.get(at(device, "")).json()["endpoint"] == "a/b"
