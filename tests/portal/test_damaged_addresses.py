"""A character that no text here can hold stands in an address: 400 at every door, whatever the database says of it."""

from __future__ import annotations

import pytest
from django.test import Client

pytestmark = pytest.mark.django_db


@pytest.mark.parametrize(
    "address",
    [
        "/api/v1/jobs/?endpoint=a%00b",
        "/api/v1/packages/1/?device=%00",
        "/api/v1/devices/a%00b/",
        "/api/v1/devices/a%00b%2Fc/timeline/",
    ],
)
def test_programs_are_told_so(address: str) -> None:
    answer = Client().get(address)
    assert (answer.status_code, answer.json()["code"]) == (400, "CLIENT_REQUEST_MALFORMED")


@pytest.mark.parametrize("address", ["/?q=%00", "/admin/commands/command/?state=%00", "/devices/%00/"])
def test_people_are_told_so(address: str) -> None:
    answer = Client().get(address)
    assert answer.status_code == 400
    assert "did not understand this request" in answer.content.decode()


@pytest.mark.parametrize("query", ["q=100%25", "q=%2500"])
def test_what_only_looks_like_it_is_let_through(query: str) -> None:
    assert Client().get(f"/api/v1/operators/?{query}").status_code == 200
