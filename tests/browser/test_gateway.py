"""A gateway with devices behind it, as its owner meets them: claimed, found, taken, online, released."""

from __future__ import annotations

import re
from collections.abc import Callable

import pytest

from tests.browser.conftest import DESK, PHONE, Eye, add_device, sign_up
from tests.browser.looking import problems

LOOKS = [(DESK, "light"), (PHONE, "dark")]


@pytest.mark.parametrize(("size", "scheme"), LOOKS, ids=["desk-light", "phone-dark"])
def test_a_gateway_from_claim_to_release(
    eyes: Callable[..., Eye],
    switch_on: Callable[..., None],
    size: tuple[int, int],
    scheme: str,
    request: pytest.FixtureRequest,
) -> None:
    name = request.node.callspec.id
    ann, found = eyes(size, scheme), []
    sign_up(ann, f"gateway-{name}@home.example")
    label = add_device(ann, f"urn:gw:{name}", "Basement")
    ann.page.get_by_role("button", name="I have noted it").click()
    page = ann.page
    gateway = page.url.removeprefix(ann.url)
    behind = {f"urn:gw:{name}:{number}": "climate" for number in range(3)}
    switch_on(**label, children=behind, version="1.1")

    page.get_by_text("3 devices found behind Basement.").wait_for()  # without loading the page anew
    found += problems(page)
    ann.picture(f"gateway-{name}-found", full=True)
    page.get_by_role("link", name="Choose").click()
    found += problems(page)
    ann.picture(f"gateway-{name}-choose", full=True)
    page.get_by_label(f"urn:gw:{name}:0", exact=True).first.check()
    page.get_by_role("button", name="Leave the chosen out").click()
    page.get_by_text("1 device not offered any more.").wait_for()
    ann.open(gateway)
    page.get_by_role("button", name="Take all").click()
    page.get_by_text("2 devices behind Basement taken.").wait_for()
    found += problems(page)
    ann.picture(f"gateway-{name}-taken", full=True)

    page.get_by_role("link", name=f"urn:gw:{name}:1").click()
    page.get_by_text(re.compile("online through Basement", re.IGNORECASE)).first.wait_for()
    page.locator("#device-facts").get_by_text("Virtual Devices").wait_for()
    found += problems(page)
    ann.picture(f"gateway-{name}-child", full=True)
    child = page.url.removeprefix(ann.url)

    staff = eyes(size, scheme)
    staff.sign_in("administrator@northwind.example")
    device = "inventory/device"
    pages = (f"{device}{gateway[8:]}change/", "gateways/enddevice/", f"{device}{child[8:]}manage/")
    for number, path in enumerate(pages):
        seen = problems(staff.open(f"/admin/{path}"))
        found += [one for one in seen if 'type="submit"' not in one]  # Django's own search button
        staff.picture(f"gateway-{name}-admin-{number}", full=True)
    found += problems(staff.open(f"/support{child}"))
    staff.picture(f"gateway-{name}-support", full=True)

    ann.open(f"{gateway}release/")
    found += problems(page)
    ann.picture(f"gateway-{name}-release", full=True)
    page.get_by_role("button", name="Release the device").click()
    page.wait_for_url("**/devices/")
    ann.open(child)
    page.locator("#device-state").get_by_text(re.compile("Gone from Basement")).wait_for()
    found += problems(page)
    ann.picture(f"gateway-{name}-gone", full=True)
    assert not found, "\n".join(found)
