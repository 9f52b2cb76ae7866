"""The policy in Chromium: the pages with most code in them, ours and foreign, work and break no rule of it."""

from __future__ import annotations

from collections.abc import Callable

from playwright.sync_api import expect

from tests.browser.conftest import Eye

LISTS = (
    "/admin/",
    "/admin/inventory/device/",
    "/admin/commands/command/",
    "/admin/inventory/objectdefinition/",
    "/admin/inventory/objectdefinition/add/",
    "/admin/inventory/device/board/",
    "/admin/accounts/operator/",
    "/admin/accounts/staffmembership/add/",
    "/admin/provisioning/bootstrapprofile/",
    "/admin/provisioning/bootstrapprofile/add/",
    "/admin/provisioning/job/",
    "/admin/audit/ledgerevent/",
)


def test_the_admin_breaks_no_rule(eyes: Callable[..., Eye]) -> None:
    """`eyes` holds what the console says against every page, violations among it."""
    staff = eyes(scheme="dark")
    staff.sign_in("administrator@northwind.example")
    for path in LISTS:
        page = staff.open(path)
        expect(page.locator("#content h1").first).to_be_visible()
    page = staff.open("/admin/accounts/operator/")
    page.locator("#result_list tbody th a").first.click()
    expect(page.locator("#id_history_retention-0-days")).to_have_value("30")
    page.get_by_role("button", name="Toggle theme").first.click()  # the admin's own script


def test_the_documentation_of_the_api_works(eyes: Callable[..., Eye]) -> None:
    staff = eyes()
    staff.sign_in("administrator@northwind.example")
    page = staff.open("/api/docs/")
    expect(page.locator("#operations-object-definitions-object_definitions_list")).to_be_visible()
    page.locator("#operations-object-definitions-object_definitions_list button").first.click()
    page.get_by_role("button", name="Try it out").click()
    page.get_by_role("button", name="Execute").click()
    expect(page.locator(".live-responses-table tbody .response-col_status").first).to_contain_text("200")


def test_redoc_works_and_fetches_nothing_from_elsewhere(eyes: Callable[..., Eye]) -> None:
    stranger = eyes()
    page = stranger.open("/api/redoc/")
    expect(page.get_by_role("heading", name="M2M portal").first).to_be_visible()
    expect(page.locator("[data-section-id*='object-definitions']").first).to_be_attached()
    # Its maker's logo would be fetched from the maker; that alone is stopped.
    stranger.complaints = [words for words in stranger.complaints if "cdn.redoc.ly" not in words]


def test_inline_code_would_be_stopped(eyes: Callable[..., Eye]) -> None:
    stranger = eyes()
    page = stranger.open("/accounts/login/")
    page.evaluate(
        """() => {
          const script = document.createElement("script");
          script.textContent = "window.wasRun = true";
          document.body.append(script);
        }"""
    )
    assert page.evaluate("window.wasRun") is None
    assert any("Content Security Policy" in words for words in stranger.complaints)
    stranger.complaints.clear()
