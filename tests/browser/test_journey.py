"""The whole way in a browser: sign up, add a device, switch it on, and three faces see it without reloading."""

from __future__ import annotations

import re
from collections.abc import Callable

import pytest
from playwright.sync_api import Page, expect

from tests.browser.conftest import DESK, PATIENCE_MS, PHONE, Eye, add_device, sign_up

STEPS = ("ordered", "prepared", "first_contact", "configured", "registered", "online")


def mark(page: Page) -> None:
    page.evaluate("window.sameDocument = true")


def assert_not_reloaded(page: Page) -> None:
    assert page.evaluate("window.sameDocument === true")


def live(page: Page) -> None:
    expect(page.locator("[data-live-status]")).to_have_text("Live")


@pytest.mark.parametrize(
    ("size", "scheme"), [(PHONE, "dark"), (DESK, "light")], ids=["phone-dark", "desk-light"]
)
def test_a_subscriber_brings_a_device_online(
    eyes: Callable[..., Eye], switch_on: Callable[..., None], size: tuple[int, int], scheme: str
) -> None:
    ann = eyes(size, scheme)
    sign_up(ann, f"ann-{scheme}@home.example")
    page = ann.page
    expect(page.get_by_role("heading", name="No device yet")).to_be_visible()
    page.get_by_role("link", name="Add your first device").click()
    label = add_device(ann, f"urn:dev:browser-{scheme}", "Water meter")
    assert re.fullmatch(r"[0-9a-f]{32}", label["key_hex"])
    assert page.locator(".qr svg").is_visible()
    page.locator("[data-copy=key-hex]").click()
    expect(page.locator("#toasts")).not_to_be_empty()
    with page.expect_download() as download:
        page.get_by_role("button", name="Download as text").click()
    assert label["key_hex"] in download.value.path().read_text()
    ann.picture(f"key-{scheme}", full=True)
    page.get_by_role("button", name="I have noted it").click()
    expect(page.locator("#key-sheet")).to_have_count(0)

    live(page)
    mark(page)
    expect(page.locator("[data-step=first_contact]")).to_have_attribute("data-state", "waiting")
    ann.picture(f"waiting-{scheme}")
    switch_on(**label)
    for step in STEPS:
        expect(page.locator(f"[data-step={step}]")).to_have_attribute(
            "data-state", "done", timeout=PATIENCE_MS
        )
    expect(page.locator("#device-state")).to_contain_text("Online")
    expect(page.locator("#device-facts")).to_contain_text("Maker")
    assert_not_reloaded(page)
    ann.picture(f"online-{scheme}")

    page.reload()
    expect(page.locator("#key-sheet")).to_have_count(0)
    assert label["key_hex"] not in page.content().replace(" ", "")
    ann.open("/devices/")
    expect(page.get_by_role("row", name=re.compile("Water meter"))).to_contain_text("Online")


def test_three_faces_see_it_happen(eyes: Callable[..., Eye], switch_on: Callable[..., None]) -> None:
    ann, staff, desk = eyes(), eyes(), eyes()
    sign_up(ann, "three@home.example")
    label = add_device(ann, "urn:dev:three-faces", "Trailer tracker")
    ann.page.get_by_role("button", name="I have noted it").click()
    staff.sign_in("administrator@northwind.example")
    staff.open("/admin/inventory/device/board/")
    desk.sign_in("support@northwind.example")
    desk.open("/support/?q=urn:dev:three-faces")
    for eye in (ann, staff, desk):
        live(eye.page)
        mark(eye.page)
    row = staff.page.locator("tr", has_text="urn:dev:three-faces")
    expect(row).to_contain_text("never seen")
    expect(desk.page.locator("#timeline")).to_contain_text("Device added")

    switch_on(**label)
    expect(row).to_contain_text("registered", timeout=PATIENCE_MS)
    expect(row).to_contain_text("Applied")
    expect(desk.page.locator("#timeline")).to_contain_text("Device registered")
    expect(desk.page.locator("#bootstraps")).to_contain_text("2.04")
    expect(desk.page.locator("#device-state")).to_contain_text("Registered")
    expect(ann.page.locator("[data-step=online]")).to_have_attribute("data-state", "done")
    for eye in (ann, staff, desk):
        assert_not_reloaded(eye.page)
    ann.picture("subscriber")
    staff.picture("board")
    desk.picture("support")


def test_the_desk_keeps_its_place_while_the_timeline_grows(
    eyes: Callable[..., Eye], switch_on: Callable[..., None]
) -> None:
    """An opened detail stays open, what was typed stays typed, and the focus stays where it was."""
    ann, desk = eyes(), eyes(PHONE, "dark")
    sign_up(ann, "place@home.example")
    label = add_device(ann, "urn:dev:keeps-place")
    ann.page.get_by_role("button", name="I have noted it").click()
    desk.sign_in("support@northwind.example")
    page = desk.open("/support/?q=urn:dev:keeps-place")
    live(page)
    details = page.locator("#timeline li", has_text="Device added").locator("details").last
    details.locator("summary").click()
    opened = details.get_attribute("id")
    page.locator("#q").fill("half typed")
    switch_on(**label)
    expect(page.locator("#timeline")).to_contain_text("Device registered", timeout=PATIENCE_MS)
    assert page.locator(f"#{opened}").evaluate("element => element.open")
    assert page.locator("#q").input_value() == "half typed"
    assert page.evaluate("document.activeElement.id") == "q"


def test_a_page_without_websocket_asks_every_few_seconds(
    eyes: Callable[..., Eye], switch_on: Callable[..., None]
) -> None:
    ann = eyes()
    ann.page.add_init_script("delete window.WebSocket")
    sign_up(ann, "polling@home.example")
    label = add_device(ann, "urn:dev:polling")
    ann.page.get_by_role("button", name="I have noted it").click()
    expect(ann.page.locator("[data-live-status]")).to_contain_text("every 5 s")
    mark(ann.page)
    switch_on(**label)
    expect(ann.page.locator("[data-step=online]")).to_have_attribute(
        "data-state", "done", timeout=PATIENCE_MS
    )
    assert_not_reloaded(ann.page)


def test_a_mistake_on_the_form_is_said_while_typing_and_after(eyes: Callable[..., Eye]) -> None:
    ann = eyes(PHONE, "light")
    sign_up(ann, "mistakes@home.example")
    page = ann.open("/devices/add/")
    assert not page.get_by_label("Key on the device").is_visible()
    page.get_by_text("It is printed on the device").click()
    page.get_by_label("Endpoint name").fill("urn:dev:typed")
    page.get_by_label("Key on the device").fill("00 11 22 zz")
    expect(page.locator("#hint_psk_key")).to_contain_text("0–9")
    page.get_by_role("button", name="Add the device").click()
    expect(page.locator("#id_psk_key_error")).to_be_visible()
    assert page.get_by_label("Endpoint name").input_value() == "urn:dev:typed"
    assert page.get_by_label("Key on the device").input_value() == "00 11 22 zz"
    assert page.evaluate("document.activeElement.id") == "id_psk_key"
    ann.picture("add-errors", full=True)
    page.get_by_label("Key on the device").fill("00112233445566778899aabbccddeeff")
    expect(page.locator("#hint_psk_key")).to_contain_text("looks complete")
    page.get_by_role("button", name="Add the device").click()
    expect(page.locator(".line")).to_be_visible()
    expect(page.locator("#key-sheet")).to_have_count(0)
