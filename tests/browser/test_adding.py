"""Adding a device in the admin with a browser: what is refused, the key that is shown once, and how it looks."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from playwright.sync_api import expect

from tests.browser.conftest import DESK, PHONE, Eye
from tests.browser.looking import problems

ADD = "/admin/inventory/device/add/"
LOOKS = [(DESK, "light"), (DESK, "dark"), (PHONE, "light"), (PHONE, "dark")]


@pytest.mark.parametrize(
    ("size", "scheme"), LOOKS, ids=["desk-light", "desk-dark", "phone-light", "phone-dark"]
)
def test_staff_add_a_device_and_note_its_key(
    eyes: Callable[..., Eye], size: tuple[int, int], scheme: str
) -> None:
    look = f"{'desk' if size == DESK else 'phone'}-{scheme}"
    staff = eyes(size, scheme)
    staff.sign_in("administrator@northwind.example")
    page = staff.open("/admin/")
    found = problems(page)
    staff.picture(f"index-{look}", full=True)
    staff.open("/admin/inventory/device/")
    page.get_by_role("link", name="Add a device").click()
    found += problems(page)
    staff.picture(f"adding-{look}", full=True)

    page.get_by_label("Endpoint name").fill("urn:dev:ops:32473-" + "W" * 250)
    page.get_by_label("Key on the device").fill("0011")
    page.get_by_role("button", name="Add", exact=True).click()
    expect(page.get_by_role("alert")).to_contain_text("Not added yet")
    found += problems(page)
    staff.picture(f"adding-refused-{look}", full=True)

    name = f"urn:dev:ops:32473-{look}-"
    page.get_by_label("Endpoint name").fill(name + "x" * (252 - len(name)))
    page.get_by_label("Key on the device").fill("")
    page.get_by_role("button", name="Add", exact=True).click()
    expect(page.get_by_role("heading", name="What goes into the device")).to_be_visible()
    assert len(page.locator("#key-hex").inner_text().replace(" ", "")) == 32
    found += problems(page)
    staff.picture(f"adding-key-{look}", full=True)
    page.on("dialog", lambda dialog: dialog.accept())
    page.get_by_role("button", name="I have noted it").click()
    page.wait_for_url("**/change/")
    expect(page.get_by_role("link", name="The key to note")).to_have_count(0)
    found += problems(page)
    assert not found, "\n".join(found)
