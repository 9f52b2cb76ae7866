"""A real portal in a process of its own and Debian's Chromium; `pytest tests/browser` runs it.

With SCREENSHOTS=DIR in the environment the tests leave pictures of what they saw there.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from tests.running_portal import ROOT, RunningPortal, running_portal

sync_api = pytest.importorskip(
    "playwright.sync_api", reason="playwright is not installed: make browser installs it"
)

CHROMIUM = Path(os.environ.get("CHROMIUM", "/usr/bin/chromium"))
ARGUMENTS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
PASSWORD = "correct horse battery 7"
PHONE, DESK = (360, 740), (1240, 800)
PATIENCE_MS = 30_000


@dataclass
class Eye:
    """One person's browser window; `complaints` are console errors and failed requests, which must stay empty."""

    page: sync_api.Page
    url: str
    complaints: list[str] = field(default_factory=list)

    def watch(self) -> None:
        self.page.on(
            "console", lambda one: self._complain(one.type in ("error", "warning"), f"console: {one.text}")
        )
        self.page.on("pageerror", lambda error: self.complaints.append(f"script: {error}"))
        self.page.on("response", lambda one: self._complain(one.status >= 400, f"{one.status}: {one.url}"))
        self.page.on("requestfailed", self._failed)

    def _complain(self, really: bool, words: str) -> None:
        if really:
            self.complaints.append(words)

    def _failed(self, request: sync_api.Request) -> None:
        if request.failure != "net::ERR_ABORTED":  # the page was left while it was loading
            self.complaints.append(f"failed: {request.url} {request.failure}")

    def open(self, path: str) -> sync_api.Page:
        self.page.goto(self.url + path)
        return self.page

    def sign_in(self, email: str) -> None:
        page = self.open("/accounts/login/")
        page.get_by_label("E-mail").fill(email)
        page.get_by_label("Password").fill(PASSWORD)
        page.get_by_role("button", name="Sign in").click()
        page.wait_for_url(lambda url: "/accounts/" not in url)

    def picture(self, name: str, *, full: bool = False) -> None:
        folder = os.environ.get("SCREENSHOTS")
        if folder:
            Path(folder).mkdir(parents=True, exist_ok=True)
            self.page.wait_for_timeout(150)
            self.page.screenshot(path=f"{folder}/{name}.png", full_page=full, animations="disabled")


@pytest.fixture(scope="session")
def portal(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningPortal]:
    if not CHROMIUM.exists():
        pytest.skip(f"Chromium is not installed at {CHROMIUM}: apt-get install chromium, or set CHROMIUM.")
    with running_portal(tmp_path_factory.mktemp("browser")) as running:
        for slug, name, said in (
            ("northwind", "Northwind Telecom", "Meters, trackers and alarms across the north."),
            ("southsea", "Southsea Mobile", "Coverage along the coast, from harbour to island."),
        ):
            _manage(running, "create_operator", slug, name, "--open", "--description", said)
        for role in ("administrator", "support"):
            _manage(
                running, "create_staff", f"{role}@northwind.example", "northwind", role, "--password-stdin"
            )
        yield running
        assert "Traceback" not in running.text(), running.text()[-6000:]
    running.process.stdout.close()


def _manage(portal: RunningPortal, *arguments: str) -> None:
    done = portal.manage(*arguments, input=f"{PASSWORD}\n")
    assert done.returncode == 0, done.stderr


@pytest.fixture(scope="session")
def chromium(portal: RunningPortal) -> Iterator[sync_api.Browser]:
    with sync_api.sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=str(CHROMIUM), args=ARGUMENTS)
        yield browser
        browser.close()


@pytest.fixture
def eyes(chromium: sync_api.Browser, portal: RunningPortal) -> Iterator[Callable[..., Eye]]:
    """Opens windows, each with cookies of its own; at the end none of them may have had a reason to complain."""
    opened: list[Eye] = []

    def open_window(size: tuple[int, int] = DESK, scheme: str = "light", zone: str | None = None) -> Eye:
        context = chromium.new_context(
            viewport={"width": size[0], "height": size[1]},
            color_scheme=scheme,
            reduced_motion="reduce",
            timezone_id=zone,
        )
        context.set_default_timeout(PATIENCE_MS)
        eye = Eye(context.new_page(), portal.url)
        eye.watch()
        opened.append(eye)
        return eye

    yield open_window
    complaints = [words for eye in opened for words in eye.complaints]
    for eye in opened:
        eye.page.context.close()
    assert not complaints, complaints


@pytest.fixture
def switch_on(portal: RunningPortal, tmp_path: Path) -> Iterator[Callable[..., None]]:
    """Runs a virtual device until the test ends."""
    running: list[subprocess.Popen[bytes]] = []

    def start(**device: object) -> None:
        file = tmp_path / f"device-{len(running)}.json"
        bootstrap = f"coaps://127.0.0.1:{portal.ports['BOOTSTRAP_COAPS_PORT']}"
        file.write_text(json.dumps([{"bootstrap": bootstrap, **device}]))
        command = [sys.executable, "manage.py", "simulate", "--devices", str(file), "--quiet"]
        running.append(subprocess.Popen(command, cwd=ROOT, env=portal.environment))

    yield start
    for process in running:
        process.terminate()
    for process in running:
        process.wait(timeout=10)


def sign_up(eye: Eye, email: str, operator: str = "Northwind Telecom") -> None:
    """From the landing page to being signed in, through the mail in the local mailbox."""
    page = eye.open("/")
    page.get_by_role("link", name=f"Sign up with {operator}").click()
    assert page.get_by_role("radio", name=operator).is_checked()
    page.get_by_label("Your name").fill("Ann")
    page.get_by_label("Email", exact=False).first.fill(email)
    page.get_by_label("Password", exact=True).fill(PASSWORD)
    page.get_by_label("Password (again)").fill(PASSWORD)
    page.get_by_role("button", name="Sign up").click()
    page.get_by_role("link", name="Open the local mailbox").click()
    page.locator("li", has_text=email).first.get_by_role("link").click()
    page.get_by_role("link", name="/accounts/confirm-email/").click()
    page.wait_for_url("**/devices/")


def add_device(eye: Eye, endpoint: str, name: str = "") -> dict[str, str]:
    """Adds a device with a made key and reads what stands on the key sheet."""
    page = eye.open("/devices/add/")
    page.get_by_label("Endpoint name").fill(endpoint)
    page.get_by_label("What you call it").fill(name)
    page.get_by_role("button", name="Add the device").click()
    key = page.locator("#key-hex").inner_text().replace(" ", "")
    return {"endpoint": endpoint, "identity": page.locator("#key-identity").inner_text(), "key_hex": key}
