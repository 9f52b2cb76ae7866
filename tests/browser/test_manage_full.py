"""The page of a device after a busy month: a long course, a long queue, two hundred messages; on a desk and a phone."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from playwright.sync_api import expect

from tests.browser.conftest import DESK
from tests.browser.filling import HISTORY
from tests.browser.looking import problems
from tests.browser.test_manage import managed
from tests.running_portal import RunningPortal

PHONE = (390, 844)
LOOKS = [(DESK, "light"), (DESK, "dark"), (PHONE, "light"), (PHONE, "dark")]
IDS = ["desk-light", "desk-dark", "phone-light", "phone-dark"]


@pytest.mark.parametrize(("size", "scheme"), LOOKS, ids=IDS)
def test_a_busy_device_stays_readable(
    eyes: Callable[..., object],
    portal: RunningPortal,
    size: tuple[int, int],
    scheme: str,
    request: pytest.FixtureRequest,
) -> None:
    name = request.node.callspec.id
    staff, _ = managed(eyes, f"full-{name}@home.example", f"urn:dev:full-{name}", size, scheme)
    page = staff.page
    number = page.url.split("/device/")[1].split("/")[0]
    done = portal.manage("shell", "-c", f"from tests.browser.filling import fill; fill({number})")
    assert done.returncode == 0, done.stderr
    found = []
    for span in ("1d", "30d"):
        page = staff.open(f"/admin/inventory/device/{number}/manage/?node=/3/0/9&span={span}")
        expect(page.locator(".manage-chart .chart-line")).to_have_count(1)
        found += problems(page)
        staff.picture(f"full-{name}-{span}", full=True)  # after looking: a picture leaves a style in the page
    page.reload()
    expect(page.locator(".manage-course")).to_contain_text(f"{HISTORY:,} values")
    if size == DESK:  # what is hidden in the list of messages must not lengthen the page
        below = (
            "() => document.documentElement.scrollHeight - document.querySelector('#manage-trace').offsetTop"
        )
        assert page.evaluate(below) < size[1] * 1.5
    expect(page.locator("#manage-queue .manage-command-head:visible")).to_have_count(5 + 7)
    page.locator("#manage-queue-rest > summary").click()
    expect(page.locator("#manage-queue .manage-command-head:visible")).to_have_count(41 + 7)
    page.locator("#manage-trace summary").first.click()
    found += problems(page)
    staff.picture(f"full-{name}-trace")
    assert not found, "\n".join(found)
