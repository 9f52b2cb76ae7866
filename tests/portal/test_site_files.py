"""What is asked of every site, though no page of ours names it."""

from __future__ import annotations

import pytest
from django.contrib.staticfiles import finders
from django.test import Client


def test_search_engines_are_asked_to_stay_away(client: Client) -> None:
    answer = client.get("/robots.txt")
    assert answer.status_code == 200
    assert answer["Content-Type"].startswith("text/plain")
    assert answer.content == b"User-agent: *\nDisallow: /\n"


def test_the_icon_is_where_browsers_look_for_it(client: Client) -> None:
    answer = client.get("/favicon.ico")
    assert answer.status_code == 302
    assert answer.url.startswith("/static/portal/icon")
    assert finders.find("portal/icon.svg")


@pytest.mark.parametrize("path", ["/robots.txt", "/favicon.ico"])
def test_they_are_only_read(client: Client, path: str) -> None:
    assert client.head(path).status_code in (200, 302)
    assert client.post(path).status_code == 405
