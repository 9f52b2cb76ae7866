"""REST: adding and removing devices, jobs and sessions, by whom and for whom."""

from __future__ import annotations

from urllib.parse import quote

import pytest
from rest_framework.test import APIClient

from audit.models import LedgerEvent
from devices.inventory.models import Credential, Device
from devices.inventory.states import Access
from lwm2m.bootstrap import Finished
from provisioning.models import Job, JobState
from provisioning.services import jobs
from tests.devices import making
from tests.provisioning import walking

pytestmark = pytest.mark.django_db


def _as(user) -> APIClient:
    client = APIClient()
    client.force_authenticate(user)
    return client


@pytest.fixture
def sam(worker):
    return making.subscriber(making.operator("northwind"))


def _add(user, **body):
    return _as(user).post("/api/v1/devices/", {"endpoint": "urn:dev:1", **body}, format="json")


def test_subscriber_adds_a_device_and_sees_the_key_once(sam, worker) -> None:
    answer = _add(sam.user, name="Meter")
    assert answer.status_code == 201, answer.data
    assert len(bytes.fromhex(answer.data["key"])) == 16
    assert answer.data["identity"] == "urn:dev:1"
    assert answer.data["server"].startswith("coaps://")
    assert (answer.data["operator"], answer.data["subscriber"]) == ("northwind", sam.number)
    assert Job.objects.get().requested_by == f"user:{sam.user.pk}"
    again = _as(sam.user).get("/api/v1/devices/urn:dev:1/")
    assert again.status_code == 200
    assert not {"key", "psk_key", "identity"} & again.data.keys()


def test_given_key_is_taken_and_not_told(sam) -> None:
    answer = _add(sam.user, psk_identity="label", psk_key="00:11:22:33:44:55:66:77:88:99:aa:bb:cc:dd:ee:ff")
    assert answer.status_code == 201, answer.data
    assert (answer.data["identity"], answer.data["key"]) == ("label", None)


@pytest.mark.parametrize(
    ("body", "status", "code", "field"),
    [
        ({"endpoint": " x"}, 400, "ENDPOINT_INVALID", "endpoint"),
        ({"endpoint": ""}, 400, "VALIDATION_FAILED", "endpoint"),
        ({"psk_key": "nonsense"}, 400, "PSK_KEY_INVALID", "psk_key"),
        ({"security": "none"}, 400, "NOSEC_NOT_ALLOWED", "security"),
        ({"reach": "sms"}, 400, "SMSC_LINK_MISSING", "reach"),
        ({"msisdn": "12"}, 400, "MSISDN_INVALID", "msisdn"),
        ({"security": "msisdn"}, 400, "VALIDATION_FAILED", "security"),
        ({"reach": "pigeon"}, 400, "VALIDATION_FAILED", "reach"),
        ({"operator": "elsewhere"}, 400, "VALIDATION_FAILED", "operator"),
    ],
)
def test_wrong_input_says_what_to_do(sam, body: dict, status: int, code: str, field: str) -> None:
    answer = _add(sam.user, **body)
    assert (answer.status_code, answer.data["code"]) == (status, code), answer.data
    assert answer.data["detail"]
    assert field in answer.data["fields"]
    assert not Device.objects.exists()


def test_taken_endpoint_is_a_conflict(sam) -> None:
    assert _add(sam.user).status_code == 201
    again = _add(sam.user)
    assert (again.status_code, again.data["code"]) == (409, "ENDPOINT_TAKEN")
    assert "already added" in again.data["detail"]
    stranger = making.subscriber(making.operator())
    other = _add(stranger.user)
    assert (other.status_code, other.data["code"]) == (409, "ENDPOINT_TAKEN")
    assert "northwind" not in str(other.data).lower()


def test_person_with_two_accounts_says_which(sam) -> None:
    second = making.subscriber(making.operator("southsea"), sam.user)
    unclear = _add(sam.user)
    assert (unclear.status_code, list(unclear.data["fields"])) == (400, ["operator"])
    clear = _add(sam.user, operator="southsea")
    assert (clear.status_code, clear.data["subscriber"]) == (201, second.number)


@pytest.mark.parametrize(
    ("role", "status"),
    [("administrator", 201), ("provisioning", 201), ("support", 403), ("read_only", 403), ("auditor", 403)],
)
def test_staff_add_for_their_operator_by_role(sam, role: str, status: int) -> None:
    answer = _add(making.member(sam.operator, role))
    assert answer.status_code == status, answer.data
    if status == 201:
        assert (answer.data["operator"], answer.data["subscriber"]) == ("northwind", None)


def test_nobody_adds_without_signing_in_or_an_account(worker) -> None:
    assert APIClient().post("/api/v1/devices/", {"endpoint": "x"}, format="json").status_code == 401
    assert _add(making.person()).status_code == 403


@pytest.mark.parametrize("endpoint", ["urn:dev:a/b", "a?b#c", "100%", "timeline", "Zähler 7", "x/timeline/y"])
def test_endpoint_may_hold_any_character(sam, endpoint: str) -> None:
    assert _add(sam.user, endpoint=endpoint).status_code == 201
    address = f"/api/v1/devices/{quote(endpoint, safe='')}/"
    assert _as(sam.user).get(address).data["endpoint"] == endpoint
    assert _as(sam.user).delete(address).status_code == 204
    assert Device.objects.get().access == Access.RETIRED
    assert _as(sam.user).get(address).status_code == 404


def test_timeline_is_for_those_who_may_read_the_trail(sam) -> None:
    _add(sam.user)
    support = making.member(sam.operator, "support")
    answer = _as(support).get("/api/v1/devices/urn:dev:1/timeline/")
    assert answer.status_code == 200
    assert "device.added" in {event["action"] for event in answer.data["results"]}
    assert _as(sam.user).get("/api/v1/devices/urn:dev:1/timeline/").status_code == 403


def test_foreign_staff_and_subscribers_see_and_touch_nothing(sam, worker) -> None:
    _add(sam.user)
    device, job = Device.objects.get(), Job.objects.get()
    worker.work()
    session = walking.begin(device)
    other = making.operator()
    for user in (making.member(other, "administrator"), making.subscriber(other).user):
        client = _as(user)
        for path in ("devices/", "jobs/", "bootstrap-sessions/"):
            assert client.get(f"/api/v1/{path}").data["results"] == []
        for path in ("devices/urn:dev:1/", f"jobs/{job.pk}/", f"bootstrap-sessions/{session.session_id}/"):
            assert client.get(f"/api/v1/{path}").status_code == 404
        assert client.delete("/api/v1/devices/urn:dev:1/").status_code == 404
        assert client.post(f"/api/v1/jobs/{job.pk}/cancel/").status_code == 404
    job.refresh_from_db()
    assert job.state == JobState.WAITING


@pytest.mark.parametrize(("role", "status"), [("provisioning", 204), ("support", 403), ("read_only", 403)])
def test_staff_remove_by_role(sam, role: str, status: int) -> None:
    _add(sam.user)
    answer = _as(making.member(sam.operator, role)).delete("/api/v1/devices/urn:dev:1/")
    assert answer.status_code == status
    assert Credential.objects.exclude(state="retired").exists() is (status == 403)


def test_jobs_are_listed_filtered_retried_and_cancelled(sam, worker) -> None:
    _add(sam.user)
    _add(sam.user, endpoint="urn:dev:2")
    worker.work()
    client = _as(sam.user)
    (row,) = client.get("/api/v1/jobs/?endpoint=urn:dev:2&state=waiting").data["results"]
    assert [step["kind"] for step in row["steps"]][:2] == ["check_inventory", "make_credentials"]
    assert client.get("/api/v1/jobs/?state=done").data["results"] == []
    assert client.post(f"/api/v1/jobs/{row['id']}/cancel/").status_code == 403
    support = _as(making.member(sam.operator, "support"))
    cancelled = support.post(f"/api/v1/jobs/{row['id']}/cancel/", {"reason": "asked to"}, format="json")
    assert (cancelled.status_code, cancelled.data["state"]) == (200, "cancelled")
    retried = client.post(f"/api/v1/jobs/{row['id']}/retry/", {}, format="json")
    assert retried.status_code == 201
    assert retried.data["id"] != row["id"]
    again = client.post(f"/api/v1/jobs/{retried.data['id']}/retry/", {}, format="json")
    assert (again.status_code, again.data["code"]) == (409, "CONFLICT")
    reader = _as(making.member(sam.operator, "read_only"))
    assert reader.post(f"/api/v1/jobs/{retried.data['id']}/cancel/").status_code == 403


def test_session_shows_each_exchange(sam, worker) -> None:
    _add(sam.user)
    device = Device.objects.get()
    worker.work()
    begun = walking.bootstrap(device, finished=Finished("finish_failed", "BOOTSTRAP_INCONSISTENT", "no /1"))
    client = _as(sam.user)
    (row,) = client.get("/api/v1/bootstrap-sessions/?endpoint=urn:dev:1").data["results"]
    assert (row["state"], row["cause"], row["detail"]) == (
        "finish_refused",
        "BOOTSTRAP_INCONSISTENT",
        "no /1",
    )
    one = client.get(f"/api/v1/bootstrap-sessions/{begun.session_id}/").data
    assert [exchange["operation"] for exchange in one["exchanges"]] == ["delete", "write", "write", "finish"]
    assert begun.plan.accounts[0].key.hex() not in str(one)


@pytest.mark.parametrize("path", ["devices/", "jobs/", "bootstrap-sessions/"])
def test_lists_cost_the_same_however_long(sam, worker, path: str, django_assert_max_num_queries) -> None:
    for number in range(12):
        _add(sam.user, endpoint=f"urn:dev:{number}")
    worker.work()
    for device in Device.objects.all():
        walking.begin(device)
    client = _as(making.member(sam.operator, "administrator"))
    with django_assert_max_num_queries(5):
        answer = client.get(f"/api/v1/{path}")
    assert answer.data["count"] == 12


def test_ledger_names_the_person_who_removed(sam) -> None:
    _add(sam.user)
    client = APIClient()
    client.force_login(sam.user)
    assert client.delete("/api/v1/devices/urn:dev:1/").status_code == 204
    event = LedgerEvent.objects.get(action="device.retired")
    assert (event.actor_kind, event.actor_id) == ("user", str(sam.user.pk))
    assert jobs.advance(job_id=Job.objects.get().pk) == JobState.CANCELLED


def test_staff_say_how_long_a_device_listens(sam) -> None:
    assert _add(sam.user).status_code == 201
    address = "/api/v1/devices/urn:dev:1/"
    assert _as(sam.user).patch(address, {"awake_seconds": 20}, format="json").status_code == 403
    engineer = making.member(sam.operator, "administrator")
    assert _as(engineer).patch(address, {"awake_seconds": 0}, format="json").status_code == 400
    said = _as(engineer).patch(address, {"awake_seconds": 20}, format="json")
    assert (said.status_code, said.data["awake_seconds"]) == (200, 20)
    said = _as(engineer).patch(address, {"awake_seconds": None}, format="json")
    assert said.data["awake_seconds"] is None
    assert (
        LedgerEvent.objects.filter(action="device.awake_window", device_id=Device.objects.get().pk).count()
        == 2
    )
