"""People are named on pages, whoever they are by now; a page of a list asks once for all of them."""

from __future__ import annotations

import pytest
from django.core.management import call_command
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from accounts.models import User
from accounts.roles import Role
from audit import ledger, people
from audit.models import FORMER
from devices.commands.models import Command
from provisioning.models import Job
from tests.backoffice.managing import address, desk, meter, signed_in, text

__all__ = ["desk", "meter", "signed_in"]
pytestmark = pytest.mark.django_db


@pytest.fixture
def root(person) -> Client:
    client = Client()
    client.force_login(person("root@example.com", is_staff=True, is_superuser=True))
    return client


@pytest.fixture
def asked(person, meter) -> list[User]:
    """Somebody with a name, somebody without, and somebody who was forgotten: each asked for something."""
    ann, bob, eve = (person(f"{name}@example.com") for name in ("ann", "bob", "eve"))
    User.objects.filter(pk=ann.pk).update(name="Ann Smith")
    for one in (ann, bob, eve):
        code = f"user:{one.pk}"
        Command.objects.create(
            device=meter, operation="read", path="/3/0", requested_by=code, expires_at=timezone.now()
        )
        Job.objects.create(
            device=meter, operator=meter.operator, kind="provision", state="done", requested_by=code
        )
        with ledger.context(actor=ledger.Actor("user", str(one.pk), one.email)):
            ledger.record(
                action="signin.ok", operator_id=meter.operator_id, target=code, device_id=meter.pk,
                detail={"requested_by": code},
            )  # fmt: skip
    call_command("erase_person", eve.email, reason="asked")
    return [ann, bob, eve]


PAGES = [
    "/admin/commands/command/",
    "/admin/provisioning/job/",
    "/admin/audit/ledgerevent/?action=signin.ok",
]


@pytest.mark.parametrize("page", [*PAGES, "manage", "support"])
def test_people_are_named_and_the_forgotten_are_former_users(root, asked, meter, page):
    at = {"manage": address(meter), "support": f"/support/devices/{meter.pk}/"}.get(page, page)
    said = text(root.get(at))
    assert ("Ann Smith" in said) or page == "support"
    assert "bob@example.com" in said
    assert str(FORMER) in said
    for one in asked:
        assert f"user:{one.pk}" not in said
    assert "eve@" not in said
    assert "erased.invalid" not in said


@pytest.mark.parametrize("page", PAGES)
def test_a_page_asks_once_for_all_people(root, asked, meter, person, page):
    def count() -> int:
        with CaptureQueriesContext(connection) as queries:
            assert root.get(page).status_code == 200
        return len(queries)

    count()
    before = count()
    for number in range(20):
        one = person(f"more-{number}@example.com")
        code = f"user:{one.pk}"
        Command.objects.create(
            device=meter, operation="read", path="/3/0", requested_by=code, expires_at=timezone.now()
        )
        Job.objects.create(
            device=meter, operator=meter.operator, kind="provision", state="done", requested_by=code
        )
        ledger.record(action="signin.ok", operator_id=meter.operator_id, target=code)
    assert count() == before


def test_a_row_alone_names_them_too(root, asked):
    command = Command.objects.get(requested_by=f"user:{asked[0].pk}")
    said = text(root.get(f"/admin/commands/command/{command.pk}/change/"))
    assert "Ann Smith" in said
    assert f"user:{asked[0].pk}" not in said


def test_rest_keeps_the_ids(asked, meter, api, member, north):
    found = api(member(Role.ADMINISTRATOR, north)).get(f"/api/v1/devices/{meter.endpoint}/commands/").json()
    codes = {one["requested_by"] for one in found["results"]}
    assert codes == {f"user:{one.pk}" for one in asked}


@pytest.mark.parametrize(
    "code", ["", "user:", "user:x", "user:٣", "user:-1", "user:" + "9" * 30, "job:3", "User:1"]
)
def test_what_names_nobody_is_not_looked_up(code, django_assert_num_queries):
    with django_assert_num_queries(0):
        assert people.names([code]) == {}
