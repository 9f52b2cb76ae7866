"""The browser tells its time zone by itself, and from the next page on all times are in it; a choice goes before it."""

from __future__ import annotations

from collections.abc import Callable

from playwright.sync_api import expect

from tests.browser.conftest import Eye, sign_up
from tests.browser.looking import problems

TOLD = "**/profile/time-zone/browser/"


def test_times_are_those_of_whoever_reads(eyes: Callable[..., Eye]) -> None:
    reader = eyes(zone="Asia/Kolkata")
    page = reader.page
    with page.expect_response(TOLD) as told:
        sign_up(reader, "kolkata@example.com")
    assert told.value.status == 204
    reader.open("/profile/")
    expect(page.locator("footer")).to_contain_text("Times are IST.")
    assert page.locator("script[src*='time-zone']").count() == 0
    assert not problems(page)

    page.get_by_label("Your time zone").select_option("Asia/Tokyo")
    page.get_by_role("button", name="Save the time zone").click()
    expect(page.get_by_text("Your time zone is saved.")).to_be_visible()
    expect(page.locator("footer")).to_contain_text("Times are JST.")
