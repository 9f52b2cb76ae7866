"""The whole path over real sockets: sign up, confirm by mail, add a device, and it comes online by itself."""

from __future__ import annotations

import email
import email.policy
import json
import re
import subprocess
import sys
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.rest import Rest
from tests.running_portal import ROOT, RunningPortal, running_portal, until

pytestmark = [pytest.mark.slow, pytest.mark.xdist_group("portal")]
PASSWORD = "correct horse battery 7"


@pytest.fixture(scope="module")
def portal(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningPortal]:
    with running_portal(tmp_path_factory.mktemp("journey")) as running:
        for slug, name in (("northwind", "Northwind"), ("southsea", "Southsea")):
            made = running.manage("create_operator", slug, name, "--open")
            assert made.returncode == 0, made.stderr
        yield running


@pytest.fixture(scope="module")
def subscriber(portal: RunningPortal) -> Rest:
    rest = Rest(portal.url)
    listed = rest.call("GET", "operators/")
    assert {row["slug"] for row in listed.body["results"]} == {"northwind", "southsea"}
    signed_up = rest.call(
        "POST",
        "signup/",
        {"email": "ann@home.example", "password": PASSWORD, "operator": "northwind", "name": "Ann"},
    )
    assert signed_up.status == 202, signed_up
    early = rest.call("POST", "auth/login/", {"email": "ann@home.example", "password": PASSWORD})
    assert early.body["code"] == "EMAIL_UNCONFIRMED"
    urllib.request.urlopen(confirmation_link(portal), timeout=60).close()
    rest.login("ann@home.example", PASSWORD)
    return rest


def confirmation_link(portal: RunningPortal) -> str:
    def link() -> str | None:
        for file in sorted((portal.data_dir / "mail").glob("*.eml")):
            body = email.message_from_bytes(file.read_bytes(), policy=email.policy.default).get_body()
            found = re.search(r"https?://\S+confirm\S+", body.get_content() if body else "")
            if found:
                return found.group()
        return None

    return str(until(link, seconds=10, what="the confirmation mail"))


def simulate(portal: RunningPortal, folder: Path, **device: object) -> subprocess.Popen[str]:
    bootstrap = f"coaps://127.0.0.1:{portal.ports['BOOTSTRAP_COAPS_PORT']}"
    file = folder / "devices.json"
    file.write_text(json.dumps([{"bootstrap": bootstrap, **device}]))
    return subprocess.Popen(
        [sys.executable, "manage.py", "simulate", "--devices", str(file), "--quiet"],
        cwd=ROOT,
        env=portal.environment,
        text=True,
    )


@pytest.mark.parametrize("version", ["1.0", "1.1"])
def test_int_1_device_comes_online_without_a_manual_step(
    portal: RunningPortal, subscriber: Rest, tmp_path: Path, version: str
) -> None:
    endpoint = f"urn:dev:journey-{version}"
    added = subscriber.call("POST", "devices/", {"endpoint": endpoint, "name": "First"})
    assert added.status == 201, added
    running = simulate(
        portal, tmp_path, endpoint=endpoint, identity=added.body["identity"], key_hex=added.body["key"],
        version=version,
    )  # fmt: skip
    try:
        until(
            lambda: subscriber.device(endpoint)["provisioning"] == "applied",
            seconds=40,
            what=f"a {version} device is online: {subscriber.device(endpoint)}",
        )
        device = subscriber.device(endpoint)
        assert device["session"]["state"] == "registered"
        assert device["manufacturer"]
        jobs = subscriber.call("GET", f"jobs/?endpoint={endpoint}").body["results"]
        assert [job["state"] for job in jobs] == ["done"]
        assert "key" not in device
    finally:
        running.terminate()
        running.wait(timeout=60)
    assert "Traceback" not in portal.text(), portal.text()


def test_adding_the_same_endpoint_twice_is_a_clear_refusal(subscriber: Rest) -> None:
    body = {"endpoint": "urn:dev:twice", "name": "One"}
    assert subscriber.call("POST", "devices/", body).status == 201
    again = subscriber.call("POST", "devices/", body)
    assert again.status == 409
    assert again.body["code"] == "ENDPOINT_TAKEN"
    assert again.body["detail"]
