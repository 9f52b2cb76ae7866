"""Bootstrap sessions: who gets one, with what plan, and how each end leaves device and job (reference 4.5)."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from threading import Barrier

import pytest
from django.db import connection

from audit.models import LedgerEvent
from devices.inventory.models import Credential, Device, Plane
from devices.inventory.states import Provisioning
from lwm2m.bootstrap import Finished
from lwm2m.errors import Lwm2mError
from lwm2m.messages import BootstrapRequest
from lwm2m.registration import Origin
from provisioning.models import BootstrapProfile, BootstrapSession
from provisioning.services import jobs, lifecycle, sessions
from provisioning.services.sessions import Exchange
from tests.devices import making
from tests.devices.making import NOW
from tests.provisioning import walking

pytestmark = pytest.mark.django_db


def _refused(call, code: str, cause: str) -> None:
    with pytest.raises(Lwm2mError) as refused:
        call()
    assert (refused.value.code.dotted, refused.value.cause) == (code, cause)
    assert not BootstrapSession.objects.exists()


@pytest.mark.parametrize(
    ("pct", "written"), [(112, 112), (110, 110), (11544, 11544), (11542, 11542), (None, 11542)]
)
def test_4_5_1_and_2_format_is_the_preferred_one_or_tlv(ordered: Device, worker, pct, written: int) -> None:
    worker.work()
    begun = walking.begin(ordered, pct=pct)
    assert begun.content_format == written
    assert BootstrapSession.objects.get().content_format == written


def test_4_5_3_unsupported_format_is_4_15(ordered: Device, worker) -> None:
    worker.work()
    _refused(lambda: walking.begin(ordered, pct=9999), "4.15", "BOOTSTRAP_CONTENT_FORMAT_UNSUPPORTED")


@pytest.mark.parametrize("endpoint", ["nobody", None])
def test_4_5_4_unknown_endpoint_is_4_00_without_a_session(db, endpoint: str | None) -> None:
    request, origin = BootstrapRequest(endpoint), Origin("192.0.2.1", 5000)
    cause = "ENDPOINT_INVALID" if endpoint is None else "ENDPOINT_UNKNOWN"
    _refused(
        lambda: sessions.begin(request=request, origin=origin, credential_id=None, now=NOW), "4.00", cause
    )


def test_4_5_5_identity_of_another_endpoint_is_4_00(ordered: Device, worker) -> None:
    other = walking.ordered(operator=ordered.operator)
    worker.work()
    _refused(lambda: walking.begin(ordered, endpoint=other.endpoint), "4.00", "ENDPOINT_IDENTITY_MISMATCH")


def test_endpoint_may_be_left_to_the_identity(ordered: Device, worker) -> None:
    worker.work()
    assert walking.begin(ordered, endpoint=None).device_id == ordered.pk


def test_plan_writes_this_portal_with_fresh_credentials(ordered: Device, worker, settings) -> None:
    settings.PUBLIC_HOST, settings.COAPS_PORT = "m2m.example", 5684
    worker.work()
    begun = walking.begin(ordered)
    (account,) = begun.plan.accounts
    assert account.uri == "coaps://m2m.example:5684"
    written = Credential.objects.get(pk=BootstrapSession.objects.get().credential_id_written)
    assert (written.plane, written.state, account.identity) == (
        "management",
        "pending",
        written.identity.encode(),
    )
    own = Credential.objects.get(device=ordered, plane=Plane.BOOTSTRAP)
    assert account.identity != own.identity.encode()
    assert len(account.key) == 16
    assert account.key.hex() not in repr(begun)
    assert [str(path) for path in begun.plan.deletes] == ["/0", "/1"]


def test_ipv6_host_stands_in_brackets(ordered: Device, worker, settings) -> None:
    settings.PUBLIC_HOST = "2001:db8::7"
    worker.work()
    assert walking.begin(ordered).plan.accounts[0].uri == f"coaps://[2001:db8::7]:{settings.COAPS_PORT}"


def test_4_5_8_refused_finish_is_kept_with_its_reason(ordered: Device, worker) -> None:
    worker.work()
    begun = walking.begin(ordered)
    exchange = Exchange("finish", "/bs", NOW, NOW, "4.06", "BOOTSTRAP_INCONSISTENT", "no /1 instance")
    assert sessions.record(session_id=begun.session_id, exchange=exchange)
    ended = Finished("finish_failed", "BOOTSTRAP_INCONSISTENT", "no /1 instance")
    assert sessions.finish(session_id=begun.session_id, finished=ended, now=walking.after(ordered, 2))
    session = BootstrapSession.objects.get()
    assert (session.state, session.detail) == ("finish_refused", "no /1 instance")
    event = LedgerEvent.objects.get(action="bootstrap.ended")
    assert (event.result, event.cause, event.actor_kind) == ("refused", "BOOTSTRAP_INCONSISTENT", "device")


def test_4_5_9_second_request_supersedes_the_first(ordered: Device, worker) -> None:
    worker.work()
    first = walking.begin(ordered)
    second = walking.begin(ordered, now=walking.after(ordered, 5))
    assert second.superseded_id == first.session_id
    old = BootstrapSession.objects.get(pk=first.session_id)
    assert (old.state, old.cause) == ("superseded", "BOOTSTRAP_SUPERSEDED")
    late = Exchange("write", "/0/1", NOW, NOW, "2.04")
    assert not sessions.record(session_id=first.session_id, exchange=late)
    assert not sessions.finish(session_id=first.session_id, finished=Finished("done"), now=NOW)
    assert sessions.record(session_id=second.session_id, exchange=late)
    assert second.plan.accounts[0].identity == first.plan.accounts[0].identity  # still unused: not made anew


def test_4_5_10_silent_client_ends_the_session(ordered: Device, worker) -> None:
    worker.work()
    begun = walking.begin(ordered)
    at = walking.after(ordered)
    progress = at + timedelta(seconds=200)
    sessions.record(
        session_id=begun.session_id, exchange=Exchange("delete", "/0", progress, progress, "2.02")
    )
    assert sessions.expire_stuck(now=at + timedelta(seconds=300)) == 0  # it made progress since
    assert sessions.expire_stuck(now=progress + timedelta(seconds=248)) == 1
    assert BootstrapSession.objects.get().cause == "BOOTSTRAP_TIMEOUT"


@pytest.mark.parametrize(
    ("result", "state", "cause", "provisioning"),
    [
        ("done", "done", "", Provisioning.BOOTSTRAPPING),
        ("finished_with_errors", "done_with_errors", "BOOTSTRAP_WRITE_REFUSED", Provisioning.BOOTSTRAPPING),
        ("write_refused", "failed", "BOOTSTRAP_WRITE_REFUSED", Provisioning.READY),
        ("finish_failed", "finish_refused", "BOOTSTRAP_FINISH_REFUSED", Provisioning.FAILED),
        ("transport_failed", "failed", "BOOTSTRAP_TIMEOUT", Provisioning.READY),
    ],
)
def test_every_end_leaves_a_state_and_a_cause(
    ordered: Device, worker, result: str, state: str, cause: str, provisioning: str
) -> None:
    worker.work()
    begun = walking.begin(ordered)
    sessions.finish(session_id=begun.session_id, finished=Finished(result), now=walking.after(ordered, 2))
    session = BootstrapSession.objects.get()
    assert (session.state, session.cause) == (state, cause)
    assert Device.objects.get(pk=ordered.pk).provisioning == provisioning


def test_unknown_cause_of_the_air_becomes_one_of_the_catalogue(ordered: Device, worker) -> None:
    worker.work()
    begun = walking.begin(ordered)
    sessions.finish(
        session_id=begun.session_id,
        finished=Finished("transport_failed", "SOMETHING_NEW", "x" * 5000),
        now=walking.after(ordered, 2),
    )
    assert BootstrapSession.objects.get().cause == "BOOTSTRAP_TIMEOUT"


def test_device_that_knocks_before_its_job_ran_is_prepared_on_the_spot(ordered: Device, worker) -> None:
    assert Device.objects.get(pk=ordered.pk).provisioning == Provisioning.DRAFT
    assert walking.begin(ordered).device_id == ordered.pk
    assert walking.states(ordered)["render_profile"] == "done"


def test_device_whose_job_was_cancelled_is_not_ready(ordered: Device, worker) -> None:
    jobs.cancel(job_id=walking.job(ordered).pk, reason="mistake")
    _refused(lambda: walking.begin(ordered), "4.00", "BOOTSTRAP_NOT_READY")


def test_operator_without_a_default_profile_is_said_so(ordered: Device, worker) -> None:
    BootstrapProfile.objects.update(is_default=False)
    _refused(lambda: walking.begin(ordered), "4.00", "NO_BOOTSTRAP_PROFILE")
    step = walking.job(ordered).steps.get(kind="render_profile")
    assert (step.state, step.cause) == ("waiting", "NO_BOOTSTRAP_PROFILE")


@pytest.mark.parametrize(("act", "cause"), [("suspend", "DEVICE_SUSPENDED"), ("bar", "DEVICE_BARRED")])
def test_device_that_may_not_connect_gets_no_session(ordered: Device, worker, act: str, cause: str) -> None:
    worker.work()
    getattr(lifecycle, act)(device=ordered, reason="")
    _refused(lambda: walking.begin(ordered), "4.00", cause)


def test_inactive_operator_serves_nobody(ordered: Device, worker) -> None:
    worker.work()
    type(ordered.operator).objects.update(is_active=False)
    _refused(lambda: walking.begin(ordered), "4.00", "OPERATOR_INACTIVE")


def test_device_with_a_key_is_not_served_over_plain_coap(ordered: Device, worker) -> None:
    worker.work()
    request, origin = BootstrapRequest(ordered.endpoint), Origin("192.0.2.1", 5000)
    _refused(
        lambda: sessions.begin(request=request, origin=origin, credential_id=None, now=NOW),
        "4.00",
        "WRONG_SECURITY",
    )


def test_operator_that_no_longer_allows_plain_coap(worker) -> None:
    operator = making.operator(allows_nosec=True)
    device = walking.ordered(operator=operator, security="none")
    worker.work()
    type(operator).objects.update(allows_nosec=False)
    _refused(lambda: walking.begin(device), "4.00", "NOSEC_NOT_ALLOWED")


def test_retired_credential_of_a_living_dtls_session_is_4_00(ordered: Device, worker) -> None:
    worker.work()
    credential = Credential.objects.get(device=ordered, plane=Plane.BOOTSTRAP)
    lifecycle.release(device=ordered)
    request = BootstrapRequest(ordered.endpoint)
    origin = Origin("192.0.2.1", 5000, "dtls", credential.identity)
    _refused(
        lambda: sessions.begin(request=request, origin=origin, credential_id=credential.pk, now=NOW),
        "4.00",
        "PSK_IDENTITY_UNKNOWN",
    )


def test_no_event_and_no_exchange_holds_the_written_key(ordered: Device, worker) -> None:
    worker.work()
    begun = walking.bootstrap(ordered)
    key = begun.plan.accounts[0].key.hex()
    for event in LedgerEvent.objects.filter(device_id=ordered.pk):
        assert key not in f"{event.before} {event.after} {event.detail}"
    assert LedgerEvent.objects.filter(action="credential.read").count() == 1


@pytest.mark.django_db(transaction=True)
def test_two_requests_at_once_leave_one_running_session() -> None:
    device = walking.ordered()
    jobs.advance(job_id=walking.job(device).pk)
    barrier = Barrier(4)

    def run(number: int) -> int:
        try:
            barrier.wait(10)
            return walking.begin(device, now=walking.after(device, number)).session_id
        finally:
            connection.close()

    with ThreadPoolExecutor(4) as pool:
        begun = list(pool.map(run, range(4)))
    assert len(set(begun)) == 4
    assert BootstrapSession.objects.filter(state="running").count() == 1
    assert BootstrapSession.objects.filter(state="superseded").count() == 3
    assert Credential.objects.filter(device=device, plane=Plane.MANAGEMENT, state="pending").count() == 1


@pytest.mark.parametrize(
    ("transport", "uri", "profile", "account"),
    [
        ("udp", "", "U", ("coap://m2m.example:5683", "U")),
        ("udp", "", "UTQ", ("coap://m2m.example:5683", "UTQ")),
        ("tcp", "", "U", ("coap+tcp://m2m.example:5699", "T")),
        ("tcp", "", "UQ", ("coap+tcp://m2m.example:5699", "TQ")),
        ("tcp", "", "UT", ("coap+tcp://m2m.example:5699", "UT")),
        ("tcp", "coap://other.example", "U", ("coap://other.example", "U")),  # the profile says otherwise
        ("udp", "coap+tcp://other.example", "T", ("coap+tcp://other.example", "T")),
    ],
)
def test_the_account_fits_the_transport_that_the_device_came_by(
    worker, settings, transport: str, uri: str, profile: str, account: tuple[str, str]
) -> None:
    settings.PUBLIC_HOST, settings.COAP_PORT, settings.COAP_TCP_PORT = "m2m.example", 5683, 5699
    operator = making.operator(allows_nosec=True)
    BootstrapProfile.objects.update(server_uri=uri, binding=profile, security="none")
    device = walking.ordered(operator=operator, security="none")
    worker.work()
    begun = walking.begin(device, transport=transport)
    (written,) = begun.plan.accounts
    assert (written.uri, written.binding) == account


def test_no_account_that_the_device_cannot_reach_is_written(worker, settings) -> None:
    settings.COAP_TCP_PORT = None
    device = walking.ordered(operator=making.operator(allows_nosec=True), security="none")
    worker.work()
    _refused(lambda: walking.begin(device, transport="tcp"), "4.00", "NO_ACCOUNT_FOR_TRANSPORT")
    assert walking.begin(device).plan.accounts[0].uri.startswith("coap://")
