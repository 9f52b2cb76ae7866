"""A running portal with the demo's people, Leshan's client library, and an SMSC made of npm's smpp."""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.fakes.coroutines import pytest_pyfunc_call
from tests.interop.foreign_smsc import ForeignSmsc, running_smsc
from tests.rest import Rest
from tests.running_portal import RunningPortal, running_portal

__all__ = ["pytest_pyfunc_call"]

HERE = Path(__file__).resolve().parent
SUBSCRIBER = "subscriber@demo.example"
PROVISIONER = "provisioning@northwind.example"
AWAKE_SECONDS = "2"
"""A device in queue mode is taken for asleep after so long, so that a test need not wait for 93 seconds."""


@pytest.fixture(scope="session")
def portal(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningPortal]:
    with running_portal(tmp_path_factory.mktemp("portal"), "--demo", AWAKE_SECONDS=AWAKE_SECONDS) as running:
        allowed = running.manage(
            "shell", "-c", "from accounts.models import Operator; Operator.objects.update(allows_nosec=True)"
        )
        assert allowed.returncode == 0, allowed.stderr
        yield running


def _signed_in(portal: RunningPortal, email: str) -> Rest:
    for line in (portal.data_dir / "demo-passwords.txt").read_text().splitlines():
        if line.startswith(f"{email} "):
            rest = Rest(portal.url)
            rest.login(email, line.split()[1])
            return rest
    raise AssertionError(f"no demo password for {email}")


@pytest.fixture(scope="session")
def subscriber(portal: RunningPortal) -> Rest:
    return _signed_in(portal, SUBSCRIBER)


@pytest.fixture(scope="session")
def staff(portal: RunningPortal) -> Rest:
    return _signed_in(portal, PROVISIONER)


@pytest.fixture
def foreign_smsc() -> Iterator[ForeignSmsc]:
    """npm's `smpp` as SMSC; see `tests.interop.foreign_smsc`."""
    with running_smsc() as smsc:
        yield smsc


@pytest.fixture(scope="session")
def leshan(tmp_path_factory: pytest.TempPathFactory) -> list[str]:
    """The command line that starts a device made of Eclipse Leshan's client library."""
    for tool in ("mvn", "javac", "java"):
        if shutil.which(tool) is None:
            pytest.skip(f"{tool} is not installed, so Leshan's client cannot be built")
    home = Path(__file__).resolve().parents[2] / "var" / "interop-leshan"
    jars = home / "jars"
    if not list(jars.glob("leshan-lwm2m-client-*.jar")):
        brought = subprocess.run(
            ["mvn", "-q", "-B", "-U", "-f", str(HERE / "leshan" / "pom.xml"), "dependency:copy-dependencies",
             f"-DoutputDirectory={jars}"],
            capture_output=True,
            text=True,
            timeout=600,
            check=False,
        )  # fmt: skip
        if brought.returncode:
            pytest.skip(f"Maven Central is not reachable: {brought.stdout.strip().splitlines()[-1:]}")
    classes = tmp_path_factory.mktemp("leshan-classes")
    source = HERE / "leshan" / "InteropClient.java"
    subprocess.run(["javac", "-cp", f"{jars}/*", "-d", str(classes), str(source)], check=True, timeout=120)
    return ["java", "-cp", f"{jars}/*:{classes}:{HERE / 'leshan'}", "InteropClient"]
