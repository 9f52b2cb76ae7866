"""Mended where it fails: a mistyped key and name, a device that is shut out, a key sheet that survives a reload."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from playwright.sync_api import expect

from tests.browser.conftest import DESK, PATIENCE_MS, PHONE, Eye, sign_up
from tests.browser.looking import problems

KEY, TYPED = "00112233445566778899aabbccddeeff", "00112233445566778899aabbccddee00"


def add_printed(eye: Eye, endpoint: str, key: str) -> None:
    page = eye.open("/devices/add/")
    page.get_by_label("Endpoint name").fill(endpoint)
    page.get_by_text("Printed on the device").click()
    page.get_by_label("Key on the device").fill(key)
    page.get_by_role("button", name="Add the device").click()
    page.wait_for_url("**/devices/*/")


@pytest.mark.parametrize(
    ("size", "scheme"), [(PHONE, "dark"), (DESK, "light")], ids=["phone-dark", "desk-light"]
)
def test_a_wrong_key_and_a_wrong_name_are_mended_in_the_step_that_stands_still(
    eyes: Callable[..., Eye], switch_on: Callable[..., None], size: tuple[int, int], scheme: str
) -> None:
    ann = eyes(size, scheme)
    sign_up(ann, f"mend-{scheme}@home.example")
    page = ann.page
    name = f"typo-{scheme}-device-1"
    add_printed(ann, name.replace("vice", "vcie"), TYPED)
    switch_on(endpoint=name, identity=name, key_hex=KEY)
    near = page.get_by_role("group").filter(has_text="differs from yours by one slip")
    expect(near).to_contain_text(name, timeout=3 * PATIENCE_MS)
    assert problems(page) == []
    ann.picture(f"near-miss-{scheme}", full=True)
    near.get_by_role("button", name="Yes, correct the name").click()
    expect(page.locator("main")).to_contain_text("The endpoint name is corrected")

    field = page.get_by_label("Key on the device, hex")
    expect(field).to_be_visible(timeout=PATIENCE_MS)
    expect(page.locator("[data-step=first_contact]")).to_contain_text("The key in your device is not the one")
    assert problems(page) == []
    ann.picture(f"wrong-key-{scheme}", full=True)
    field.fill("0011")
    # A refused key stands there again with the reason; the answer is 422, which is no complaint.
    page.get_by_role("button", name="Save the key").click()
    expect(page.locator("#mend-psk_key-error")).to_contain_text("it must have 16 to 64 bytes")
    expect(page.get_by_label("Key on the device, hex")).to_have_value("0011")
    ann.picture(f"refused-key-{scheme}", full=True)
    ann.complaints[:] = [one for one in ann.complaints if "422" not in one]
    page.get_by_label("Key on the device, hex").fill(KEY)
    page.get_by_role("button", name="Save the key").click()
    expect(page.locator("#device-state")).to_contain_text("Online", timeout=PATIENCE_MS)
    fold = page.locator("#stepper-fold")
    expect(fold).to_contain_text("All steps done")
    assert fold.get_attribute("open") is None
    assert problems(page) == []
    ann.picture(f"mended-{scheme}", full=True)

    page.get_by_text("Give it a name").click()
    page.get_by_label("What you call it").fill("Pump")
    page.get_by_role("button", name="Save the name").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Pump")


def test_a_suspended_device_says_so_first_on_every_face(
    eyes: Callable[..., Eye], switch_on: Callable[..., None]
) -> None:
    ann, staff, desk = eyes(), eyes(), eyes(PHONE)
    sign_up(ann, "held@home.example")
    add_printed(ann, "held-device-1", KEY)
    switch_on(endpoint="held-device-1", identity="held-device-1", key_hex=KEY)
    expect(ann.page.locator("#device-state")).to_contain_text("Online", timeout=PATIENCE_MS)
    staff.sign_in("administrator@northwind.example")
    page = staff.open("/admin/inventory/device/?q=held-device-1")
    page.locator("input[name=_selected_action]").first.check()
    page.locator("select[name=action]").select_option("suspend")
    page.get_by_role("button", name="Go").click()
    page.locator("[name=reason]").fill("The bill of May is open")
    page.locator("#content input[type=submit], #content button[type=submit]").last.click()
    expect(ann.page.locator("#device-state")).to_have_text("Suspended", timeout=PATIENCE_MS)
    expect(ann.page.locator("#verdict")).to_contain_text("The bill of May is open")
    assert problems(ann.page) == []
    ann.picture("suspended-subscriber", full=True)
    desk.sign_in("support@northwind.example")
    desk.open("/support/?q=held-device-1")
    expect(desk.page.locator("#device-state")).to_have_text("Suspended")
    expect(desk.page.locator("#diagnosis")).to_contain_text("The bill of May is open")
    assert problems(desk.page) == []
    desk.picture("suspended-desk", full=True)
    staff.open("/admin/inventory/device/?q=held-device-1").get_by_role("link", name="held-device-1").click()
    expect(staff.page.locator(".device-verdict")).to_contain_text("The bill of May is open")
    staff.picture("suspended-admin", full=True)
    device_page = staff.page.url
    staff.page.get_by_role("link", name="Manage", exact=True).click()
    expect(staff.page.locator("#manage-state")).to_contain_text("The bill of May is open")
    expect(staff.page.locator("#manage-state")).to_contain_text("Nothing is sent to it")
    staff.picture("suspended-manage")
    staff.page.goto(device_page)
    staff.page.get_by_role("link", name="Correct key or name").click()
    staff.picture("correct-admin", full=True)


def test_a_long_name_pushes_no_column_off(eyes: Callable[..., Eye]) -> None:
    """Lists of staff at the width of a laptop: the last column is there, whatever a subscriber has typed."""
    ann, staff = eyes(), eyes((1360, 800))
    sign_up(ann, "long@home.example")
    page = ann.open("/devices/add/")
    page.get_by_label("Endpoint name").fill("L" * 252)  # the most that a device can send
    page.get_by_label("What you call it").fill("W" * 120)
    page.get_by_role("button", name="Add the device").click()
    page.wait_for_url("**/devices/*/")
    assert problems(ann.open("/devices/")) == []
    shown = ann.page.locator(".table td").first.bounding_box()
    assert shown is not None
    assert shown["height"] < 160
    staff.sign_in("administrator@northwind.example")
    for path, cell in (
        ("/admin/inventory/device/", "#result_list th.field-endpoint"),
        ("/admin/inventory/device/board/", ".board-table tbody th"),
    ):
        page = staff.open(path)
        box = page.locator(cell).filter(has_text="LLLL").first.bounding_box()
        assert box is not None
        assert box["width"] < 520, path
        assert box["height"] < 160, path
        staff.picture(f"long-{path.strip('/').replace('/', '-').split('?')[0]}")
