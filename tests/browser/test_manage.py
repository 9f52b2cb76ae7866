"""Managing a device in a browser: what is asked is answered without reloading, and the page keeps its looks."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from playwright.sync_api import Page, expect

from tests.browser.conftest import DESK, PATIENCE_MS, PHONE, Eye, add_device, sign_up
from tests.browser.looking import problems
from tests.browser.test_journey import assert_not_reloaded, live, mark

LOOKS = [(DESK, "light"), (DESK, "dark"), (PHONE, "light"), (PHONE, "dark")]
IDS = ["desk-light", "desk-dark", "phone-light", "phone-dark"]


def managed(eyes: Callable[..., Eye], owner: str, endpoint: str, *look: object) -> tuple[Eye, dict[str, str]]:
    """A fresh device, and staff at its page."""
    ann, staff = eyes(), eyes(*look)
    sign_up(ann, owner)
    label = add_device(ann, endpoint, "Meter in the cellar")
    number = ann.page.url.rstrip("/").rsplit("/", 1)[-1]
    staff.sign_in("administrator@northwind.example")
    staff.open(f"/admin/inventory/device/{number}/manage/")
    return staff, label


def answered(page: Page, words: str) -> None:
    expect(page.locator(".manage-command").first).to_contain_text(words, timeout=PATIENCE_MS)


def test_staff_read_and_write_a_device_without_leaving_the_page(
    eyes: Callable[..., Eye], switch_on: Callable[..., None]
) -> None:
    staff, label = managed(eyes, "managed@home.example", "urn:dev:managed")
    page = staff.page
    live(page)
    mark(page)
    expect(page.locator("#manage-tree")).to_contain_text("No objects yet.")
    switch_on(**label)
    expect(page.locator("#instance-3-0")).to_contain_text("Battery level", timeout=PATIENCE_MS)
    expect(page.locator("#manage-state")).to_contain_text("Registered")

    row = page.locator("tr", has=page.locator("[data-node='/3/0/14']"))
    page.locator("button[value='read /3/0/9']").click()
    expect(page.locator("#manage-messages")).to_contain_text("Read /3/0/9: done (2.05).", timeout=PATIENCE_MS)
    answered(page, "2.05")
    expect(page.locator("#manage-messages-list")).to_contain_text("GET /3/0/9", timeout=PATIENCE_MS)
    row.get_by_role("link", name="Write").click()
    expect(page.locator("#manage-node-title")).to_have_text("UTC offset")
    assert page.evaluate("document.activeElement.id") == "ask-write-value"
    page.locator("#ask-write-value").fill("+05:30")
    page.locator("#form-write button").click()
    answered(page, "2.04")
    expect(row).to_contain_text("+05:30")
    expect(page.locator("#node-live")).to_contain_text("+05:30")
    assert page.url.endswith("?node=/3/0/14")
    said = page.locator("#manage-messages")
    expect(said).to_contain_text("Write /3/0/14: done (2.04).", timeout=PATIENCE_MS)
    page.go_back()
    expect(page.locator("#manage-node-title")).to_have_text("No resource chosen")
    assert_not_reloaded(page)

    page.locator("button[value='observe /3/0/9']").click()
    expect(page.locator("tr", has=page.locator("[data-node='/3/0/9']"))).to_contain_text(
        "observed", timeout=PATIENCE_MS
    )
    expect(page.locator("button[value='observe /3/0/9']")).to_have_count(0)
    assert_not_reloaded(page)

    page.get_by_placeholder("Filter by name or path").fill("battery")
    expect(page.locator("#manage-tree tr[data-words]:visible")).to_have_count(2)
    staff.picture("manage")

    page.locator("#manage-goto").fill("/3/9")
    page.locator("#manage-goto").press("Enter")
    page.locator("#manage-node .manage-quick button[value=read]").click()
    expect(said).to_contain_text("Read /3/9: refused by the device (4.04).", timeout=PATIENCE_MS)
    expect(said.locator("li.error")).to_be_visible()
    staff.picture("manage-refused")


@pytest.mark.parametrize(("size", "scheme"), LOOKS, ids=IDS)
def test_the_page_looks_after_its_reader(
    eyes: Callable[..., Eye],
    switch_on: Callable[..., None],
    size: tuple[int, int],
    scheme: str,
    request: pytest.FixtureRequest,
) -> None:
    name = request.node.callspec.id
    staff, label = managed(eyes, f"manage-{name}@home.example", f"urn:dev:manage-{name}", size, scheme)
    page = staff.page
    found = problems(page)
    staff.picture(f"manage-{name}-empty", full=True)
    switch_on(**label)
    expect(page.locator("#instance-3-0")).to_contain_text("Battery level", timeout=PATIENCE_MS)
    place = page.url.split("?")[0].removeprefix(staff.url)
    for number, node in enumerate(("/3/0/9", "/3/0/13", "/3/0", "/3", "nothing")):
        found += problems(staff.open(f"{place}?node={node}"))
        staff.picture(f"manage-{name}-{number}", full=True)
    page = staff.open(f"{place}?node=/3/0/13")
    page.locator("#ask-write-value").fill("")
    page.locator("#form-write button").click()
    expect(page.locator("#manage-node .manage-error")).to_be_visible()
    found += problems(page)
    staff.picture(f"manage-{name}-error", full=True)
    assert not found, "\n".join(found)
