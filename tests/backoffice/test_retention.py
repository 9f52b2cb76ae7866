"""How long an operator keeps the history of values: on its page in the admin and over REST."""

from __future__ import annotations

import pytest
from django.test import Client

from accounts.models import User
from accounts.roles import Role
from audit.models import LedgerEvent
from devices.telemetry.models import HistoryRetention
from devices.telemetry.services import retention

pytestmark = pytest.mark.django_db
FIELD = "history_retention-0-days"


@pytest.fixture
def signed_in(member, north):
    def sign_in(role: str) -> Client:
        client = Client()
        client.force_login(member(role, north))
        return client

    return sign_in


def page(operator) -> str:
    return f"/admin/accounts/operator/{operator.pk}/change/"


def save(client: Client, operator, days: object):
    """The operator's page as a browser sends it back."""
    form = client.get(page(operator)).context
    data = {name: value or "" for name, value in form["adminform"].form.initial.items()}
    data = {name: value for name, value in data.items() if not isinstance(value, bool) or value}
    (formset,) = form["inline_admin_formsets"]
    data |= {
        f"{formset.formset.prefix}-{name}": value
        for name, value in formset.formset.management_form.initial.items()
    }
    for one in formset.formset.forms:
        for hidden in one.hidden_fields():
            data[hidden.html_name] = hidden.value() or ""
    return client.post(page(operator), {**data, FIELD: days})


def test_the_page_of_an_operator_shows_the_default_and_sets_days(signed_in, north):
    client = signed_in(Role.ADMINISTRATOR)
    html = client.get(page(north)).content.decode()
    assert f'name="{FIELD}" value="30"' in html
    assert "0 keeps none" in html
    assert save(client, north, 30).status_code == 302
    assert not HistoryRetention.objects.exists(), "the default is not written down"
    for days in (7, 0, 30):
        answer = save(client, north, days)
        assert answer.status_code == 302, answer.context["errors"]
        assert retention.days(north) == days
    events = LedgerEvent.objects.filter(action="history.retention").order_by("id")
    assert [(event.before["days"], event.after["days"]) for event in events] == [(30, 7), (7, 0), (0, 30)]
    assert {(event.operator_id, event.actor_kind) for event in events} == {(north.pk, "user")}
    for wrong in ("-1", "3661", "x", ""):
        answer = save(client, north, wrong)
        assert answer.status_code == 200
        assert answer.context["errors"], wrong
    assert retention.days(north) == 30


def test_who_may_not_set_it_reads_it(signed_in, north):
    for role in (Role.PROVISIONING, Role.SUPPORT, Role.READ_ONLY, Role.AUDITOR):
        reader = signed_in(role)
        html = reader.get(page(north)).content.decode()
        assert "30 days where nothing was set" in html
        assert f'name="{FIELD}"' not in html
    retention.set_days(operator=north, days=7)
    assert '<div class="readonly">7</div>' in reader.get(page(north)).content.decode()


def test_a_new_operator_has_no_field_for_it(client):
    client.force_login(User.objects.create_superuser("root@example.com"))
    assert FIELD not in client.get("/admin/accounts/operator/add/").content.decode()


def test_over_rest(api, member, north, south, subscriber):
    path = f"/api/v1/operators/{north.slug}/history-retention/"
    administrator = api(member(Role.ADMINISTRATOR, north))
    assert administrator.get(path).json() == {"operator": north.slug, "days": 30, "default_days": 30}
    answer = administrator.put(path, {"days": 0})
    assert (answer.status_code, answer.json()["days"]) == (200, 0)
    assert LedgerEvent.objects.get(action="history.retention").after == {"days": 0}
    for wrong in ({}, {"days": -1}, {"days": 3661}, {"days": "x"}):
        assert administrator.put(path, wrong).status_code == 400, wrong
    reader = api(member(Role.SUPPORT, north))
    assert reader.get(path).json()["days"] == 0
    assert reader.put(path, {"days": 5}).status_code == 403
    for foreign in (member(Role.ADMINISTRATOR, south), subscriber.user):
        assert api(foreign).get(path).status_code == 404
        assert api(foreign).put(path, {"days": 5}).status_code == 404
    assert retention.days(north) == 0
