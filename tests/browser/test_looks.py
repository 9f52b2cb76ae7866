"""Every page in light and dark, on a desk and on a phone: named controls, contrast, no sideways scrolling."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from tests.browser.conftest import DESK, PHONE, Eye, add_device, sign_up
from tests.browser.looking import problems

LOOKS = [(DESK, "light"), (DESK, "dark"), (PHONE, "light"), (PHONE, "dark")]
IDS = ["desk-light", "desk-dark", "phone-light", "phone-dark"]
SIGNED_OUT = ("/", "/accounts/login/", "/accounts/signup/", "/accounts/password/reset/", "/local-mail/")
SUBSCRIBER = ("/devices/", "/devices/add/", "/profile/", "/accounts/email/", "/accounts/password/change/")
SUPPORT = ("/", "/support/", "/support/?q=nothing-like-this", "/support/waiting-room/")


def look(eye: Eye, name: str, paths: tuple[str, ...]) -> list[str]:
    found = []
    for number, path in enumerate(paths):
        found += problems(eye.open(path))
        eye.picture(f"{name}-{number}", full=True)
    return found


@pytest.mark.parametrize(("size", "scheme"), LOOKS, ids=IDS)
def test_every_page_looks_after_its_reader(
    eyes: Callable[..., Eye], size: tuple[int, int], scheme: str, request: pytest.FixtureRequest
) -> None:
    name = request.node.callspec.id
    stranger, ann, desk = eyes(size, scheme), eyes(size, scheme), eyes(size, scheme)
    found = look(stranger, f"{name}-out", SIGNED_OUT)
    sign_up(ann, f"{name}@home.example")
    add_device(ann, f"urn:dev:look-{name}")
    found += problems(ann.page)
    ann.page.get_by_role("button", name="I have noted it").click()
    device = ann.page.url.removeprefix(ann.url)
    found += look(ann, f"{name}-in", (*SUBSCRIBER, device, f"{device}release/"))
    desk.sign_in("support@northwind.example")
    found += look(desk, f"{name}-desk", (*SUPPORT, f"/support{device}"))
    assert not found, "\n".join(found)


def test_error_pages_help(eyes: Callable[..., Eye]) -> None:
    stranger = eyes(PHONE, "dark")
    page = stranger.open("/nowhere/")
    assert not problems(page)
    assert page.get_by_role("link", name="Sign in and try again").is_visible()
    stranger.picture("not-found")
    stranger.complaints.clear()  # 404 is what was asked for
