"""The admin of provisioning: profiles checked before they are saved, jobs and sessions to be read."""

from __future__ import annotations

import pytest
from django.test import Client
from django.urls import reverse

from devices.inventory.models import Device
from devices.inventory.states import Access
from provisioning.models import BootstrapProfile, JobState
from provisioning.profiles import profiles
from provisioning.services import jobs
from tests.devices import making
from tests.provisioning import walking

pytestmark = pytest.mark.django_db


@pytest.fixture
def staff(ordered: Device) -> Client:
    client = Client()
    client.force_login(making.member(ordered.operator, "administrator"))
    return client


def _profile_form(operator, **changes) -> dict:
    return {
        "operator": operator.pk,
        "name": "Second",
        "server_uri": "",
        "security": "psk",
        "short_server_id": "1",
        "lifetime_seconds": "3600",
        "binding": "U",
        "notification_storing": "on",
        "deletes": '["/0", "/1"]',
        **changes,
    }


def test_sound_profile_is_saved(staff: Client, ordered: Device) -> None:
    answer = staff.post(reverse("admin:provisioning_bootstrapprofile_add"), _profile_form(ordered.operator))
    assert answer.status_code == 302, answer.content
    assert BootstrapProfile.objects.get(name="Second").lifetime_seconds == 3600


def test_unsound_profile_comes_back_with_what_to_mend(staff: Client, ordered: Device) -> None:
    form = _profile_form(ordered.operator, server_uri="coap://m2m.example", binding="T")
    answer = staff.post(reverse("admin:provisioning_bootstrapprofile_add"), form)
    assert answer.status_code == 200
    assert "Use coaps or coaps+tcp" in answer.content.decode()
    assert not BootstrapProfile.objects.filter(name="Second").exists()


def test_change_is_checked_too_and_default_cannot_be_deleted(staff: Client, ordered: Device) -> None:
    profile = profiles.default_of(ordered.operator_id)
    address = reverse("admin:provisioning_bootstrapprofile_change", args=[profile.pk])
    assert staff.get(address).status_code == 200
    form = _profile_form(ordered.operator, name="Standard", is_default="on", short_server_id="65535")
    assert staff.post(address, form).status_code == 200
    assert staff.post(address, form | {"short_server_id": "7"}).status_code == 302
    profile.refresh_from_db()
    assert profile.short_server_id == 7
    gone = reverse("admin:provisioning_bootstrapprofile_delete", args=[profile.pk])
    staff.post(gone, {"post": "yes"})
    assert BootstrapProfile.objects.filter(pk=profile.pk).exists()


def test_jobs_and_sessions_are_pages_to_read(staff: Client, ordered: Device, worker) -> None:
    worker.work()
    begun = walking.bootstrap(ordered)
    pages = [
        reverse("admin:provisioning_job_changelist"),
        reverse("admin:provisioning_job_change", args=[walking.job(ordered).pk]),
        reverse("admin:provisioning_bootstrapsession_changelist"),
        reverse("admin:provisioning_bootstrapsession_change", args=[begun.session_id]),
    ]
    for page in pages:
        answer = staff.get(page)
        assert answer.status_code == 200
        assert begun.plan.accounts[0].key.hex() not in answer.content.decode()
    assert "Make management credentials" in staff.get(pages[1]).content.decode()
    assert staff.post(pages[1], {"state": "done"}).status_code == 403
    assert walking.job(ordered).state == JobState.WAITING


def test_failed_job_is_started_again_from_the_list(staff: Client, ordered: Device, worker) -> None:
    job = walking.job(ordered)
    jobs.cancel(job_id=job.pk)
    body = {"action": "retry", "_selected_action": [job.pk], "reason": "mended"}
    assert staff.post(reverse("admin:provisioning_job_changelist"), body).status_code == 302
    assert walking.job(ordered).pk != job.pk
    assert walking.job(ordered).reason == "mended"


def test_foreign_staff_see_nothing(ordered: Device, worker) -> None:
    worker.work()
    begun = walking.begin(ordered)
    client = Client()
    client.force_login(making.member(making.operator(), "administrator"))
    for model in ("job", "bootstrapsession"):
        page = client.get(reverse(f"admin:provisioning_{model}_changelist"))
        assert ordered.endpoint not in page.content.decode()
    for model, pk in (
        ("job", walking.job(ordered).pk),
        ("bootstrapsession", begun.session_id),
        ("bootstrapprofile", profiles.default_of(ordered.operator_id).pk),
    ):
        answer = client.get(reverse(f"admin:provisioning_{model}_change", args=[pk]))
        assert answer.status_code == 302  # to the index, as for a row that does not exist


def test_device_retired_in_the_admin_takes_its_jobs_with_it(staff: Client, ordered: Device) -> None:
    body = {"action": "retire", "_selected_action": [ordered.pk], "reason": "sold"}
    assert staff.post(reverse("admin:inventory_device_changelist"), body).status_code == 302
    assert Device.objects.get(pk=ordered.pk).access == Access.RETIRED
    assert walking.job(ordered).state == JobState.CANCELLED


def test_operator_made_in_the_admin_has_a_profile(worker) -> None:
    client = Client()
    client.force_login(making.person(is_staff=True, is_superuser=True))
    body = {"slug": "westwind", "name": "Westwind", "description": "", "support_email": ""}
    answer = client.post(reverse("admin:accounts_operator_add"), body)
    assert answer.status_code == 302, answer.content
    assert BootstrapProfile.objects.filter(operator__slug="westwind", is_default=True).exists()


@pytest.mark.parametrize("model", ["job", "bootstrapsession", "bootstrapprofile"])
def test_lists_cost_the_same_however_long(
    staff: Client, ordered: Device, worker, model: str, django_assert_max_num_queries
) -> None:
    worker.work()
    for _ in range(10):
        device = walking.ordered(operator=ordered.operator)
        worker.work()
        walking.begin(device)
    with django_assert_max_num_queries(12):
        staff.get(reverse(f"admin:provisioning_{model}_changelist"))
