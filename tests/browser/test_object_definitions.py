"""Loading object definitions in a browser: what became of each file, the list, and what a definition holds."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from playwright.sync_api import expect

from tests.browser.conftest import DESK, Eye
from tests.browser.looking import problems
from tests.devices.inventory.test_object_models import BOMB, ddf

PHONE = (390, 844)


@pytest.mark.parametrize(
    ("size", "scheme", "number"),
    [(DESK, "light", 30001), (PHONE, "dark", 30002)],
    ids=["desk-light", "phone-dark"],
)
def test_files_are_chosen_loaded_and_looked_at(
    eyes: Callable[..., Eye], size: tuple[int, int], scheme: str, number: int
) -> None:
    staff = eyes(size, scheme)
    staff.sign_in("administrator@northwind.example")
    page = staff.open("/admin/inventory/objectdefinition/")
    page.get_by_role("link", name="Load DDF files").click()
    found = problems(page)
    page.get_by_label("DDF files").set_input_files(
        [
            {"name": "tank.xml", "mimeType": "text/xml", "buffer": ddf(number)},
            {"name": "bomb.xml", "mimeType": "text/xml", "buffer": BOMB},
        ]
    )
    page.get_by_role("button", name="Load").click()
    expect(page.get_by_role("alert")).to_contain_text("1 of 2 files was refused")
    expect(page.get_by_role("row", name="bomb.xml")).to_contain_text("a DOCTYPE is not accepted")
    found += problems(page)
    staff.picture(f"objects-loaded-{scheme}", full=True)
    page.get_by_role("link", name="To the list").first.click()
    page.get_by_role("link", name=f"/{number}").click()
    expect(page.get_by_role("row", name="Level")).to_contain_text("integer")
    staff.picture(f"objects-detail-{scheme}", full=True)
    assert not found, "\n".join(found)
