"""Far pages: the same rows as a plain paginator has, for the same few queries wherever the page is."""

from __future__ import annotations

import pytest
from django.core.paginator import EmptyPage, Paginator
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from accounts.roles import Role
from accounts.scoping.paging import KeyedPaginator
from devices.inventory.models import Device

pytestmark = pytest.mark.django_db


@pytest.fixture
def many(device):
    return [device(f"meter-{number}", own=True) for number in range(23)]


@pytest.mark.parametrize("orphans", [0, 4])
def test_pages_are_those_of_a_plain_paginator(many, orphans):
    rows = Device.objects.select_related("operator").order_by("name", "-id")
    keyed, plain = KeyedPaginator(rows, 5, orphans=orphans), Paginator(rows, 5, orphans=orphans)
    assert keyed.num_pages == plain.num_pages
    for number in plain.page_range:
        page = keyed.page(number)
        assert list(page) == list(plain.page(number))
        assert (page.has_next(), page.start_index()) == (number < plain.num_pages, 5 * number - 4)
    with pytest.raises(EmptyPage):
        keyed.page(99)


def test_a_far_page_joins_nothing_while_it_skips(many):
    pages = KeyedPaginator(Device.objects.select_related("operator", "registration").order_by("-id"), 5)
    with CaptureQueriesContext(connection) as asked:
        assert len(list(pages.page(3))) == 5
    skipping = [query["sql"] for query in asked if "OFFSET" in query["sql"]]
    assert (len(asked), len(skipping)) == (3, 1)
    assert "JOIN" not in skipping[0]


def test_the_admin_list_costs_the_same_on_every_page(member, north, device, registered):
    client = Client()
    client.force_login(member(Role.ADMINISTRATOR, north))
    for number in range(160):
        registered(device(f"meter-{number}", own=True))
    client.get("/admin/inventory/device/")
    costs = []
    for page in (2, 3):
        with CaptureQueriesContext(connection) as asked:
            shown = client.get(f"/admin/inventory/device/?p={page}")
        assert len(shown.context["cl"].result_list) == 50
        costs.append(len(asked))
    assert costs[0] == costs[1] <= 10
