"""A new encryption key reaches every sealed value, and one that cannot be opened is nobody else's trouble."""

from __future__ import annotations

import ast
from datetime import timedelta
from io import StringIO
from pathlib import Path

import pytest
from cryptography.fernet import Fernet
from django.contrib.sessions.models import Session
from django.core.management import CommandError, call_command
from django.test import Client
from django.utils import timezone

from accounts.models import Operator
from audit import ledger
from audit.models import LedgerEvent
from devices.commands.models import Command
from devices.commands.services import delivery
from devices.inventory import locks, vault
from devices.inventory.models import Credential, Device
from devices.inventory.security import Material
from devices.inventory.services import credentials
from devices.messaging.models import SmscLink
from devices.messaging.services import smsc_links
from devices.operations.services import operations
from provisioning.services import key_sheet
from southbound.process import session_file
from tests.devices import making

ROOT = Path(__file__).resolve().parents[3]
HIDDEN = {".venv", "tests", ".git", "node_modules"}
NEW = Fernet.generate_key().decode()


def sealing_modules() -> set[str]:
    """Every module in which `vault.seal` is called, by whatever name it was imported."""
    found = set()
    for path in ROOT.rglob("*.py"):
        parts = path.relative_to(ROOT).parts
        if parts[0] not in HIDDEN and _seals(ast.parse(path.read_text())):
            found.add(".".join(path.relative_to(ROOT).with_suffix("").parts))
    return found


def _seals(tree: ast.Module) -> bool:
    vaults, seals = set(), set()
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom) and node.module == "devices.inventory":
            vaults |= {each.asname or each.name for each in node.names if each.name == "vault"}
        elif isinstance(node, ast.ImportFrom) and node.module == "devices.inventory.vault":
            seals |= {each.asname or each.name for each in node.names if each.name == "seal"}
        elif isinstance(node, ast.Import):
            vaults |= {
                each.asname or each.name for each in node.names if each.name == "devices.inventory.vault"
            }
    for node in ast.walk(tree):
        if isinstance(node, ast.Attribute) and node.attr == "seal" and ast.unparse(node.value) in vaults:
            return True
        if isinstance(node, ast.Name) and node.id in seals:
            return True
    return False


def test_every_module_that_seals_has_a_place_and_every_place_a_module():
    named = {module for place in vault.places() for module in place.sealed_by}
    assert sealing_modules() == named


@pytest.mark.parametrize(
    ("source", "seals"),
    [
        ("from devices.inventory import vault\nvault.seal(b'')", True),
        ("from devices.inventory import vault as v\nkeep = v.seal", True),
        ("from devices.inventory.vault import seal as s\ns(b'')", True),
        ("import devices.inventory.vault\ndevices.inventory.vault.seal(b'')", True),
        ("from devices.inventory import vault\nvault.open_sealed('')", False),
        ("import other as vault\nvault.seal(b'')", False),
    ],
)
def test_a_call_is_found_by_whatever_name(source, seals):
    assert _seals(ast.parse(source)) is seals


@pytest.fixture
def data_dir(settings, tmp_path):
    settings.DATA_DIR = tmp_path
    return tmp_path


@pytest.fixture
def operator(db) -> Operator:
    return making.operator()


@pytest.fixture
def device(operator) -> Device:
    made = making.device(operator, endpoint="a")
    making.register(made, now=timezone.now())
    return made


@pytest.fixture
def sealed_everywhere(operator, device, data_dir):
    """One secret in each place; yields how to read them all."""
    credential = credentials.make_management(device=device, kind="psk")
    smsc_links.save(operator=operator, password="hush", host="127.0.0.1", system_id="s", address="1234")
    for endpoint, arguments in (("b", {"value": "s3cret"}), ("c", {"value": "other"})):
        other = making.device(operator, endpoint=endpoint)
        making.register(other, now=timezone.now())
        write(other, **arguments)
    session = Client().session
    key_sheet.keep(session, device=device, secret=Material("id", b"0123456789abcdef"), now=timezone.now())
    session["other"] = 7
    session.save()
    session_file.write(1, "management", b"sessions")

    def read() -> list[object]:
        again = Session.objects.get().get_decoded()
        sheet = {name: value for name, value in again.items() if name.startswith("key-sheet")}
        return [
            credentials.opened(credential=Credential.objects.get(pk=credential.pk), purpose="test").parts,
            vault.open_sealed(SmscLink.objects.get().sealed_password),
            sorted(vault.open_sealed(row.arguments["value"]["sealed"]) for row in Command.objects.all()),
            again["other"],
            [vault.open_sealed(token) for token in sheet.values()],
            session_file.take(1, "management"),
        ]

    return read


def write(device: Device, **arguments) -> Command:
    return operations.request(
        device=device,
        operation="write",
        path="/11/0/6",
        arguments={"force": True, **arguments},
        requested_by="user:1",
    )


def reseal(*options: str) -> str:
    said = StringIO()
    call_command("reseal_secrets", *options, stdout=said)
    return said.getvalue()


def test_after_resealing_the_old_key_is_needed_nowhere(settings, sealed_everywhere):
    old = settings.FIELD_ENCRYPTION_KEYS[0]
    reseal("--check")
    settings.FIELD_ENCRYPTION_KEYS = [NEW, old]
    with pytest.raises(CommandError, match="need an older key"):
        reseal("--check")
    said = reseal()
    for place in vault.places():
        assert f"{place.name}: 0" not in said, f"nothing was there in {place.name}"
        assert place.name in said
    settings.FIELD_ENCRYPTION_KEYS = [NEW]
    assert "may be dropped" in reseal("--check")
    assert all(sealed_everywhere())


def test_a_secret_that_no_key_opens_is_counted_and_left(settings, sealed_everywhere):
    settings.FIELD_ENCRYPTION_KEYS = [NEW]
    for options in (("--check",), ()):
        with pytest.raises(CommandError, match="opened by no key"):
            reseal(*options)
    assert LedgerEvent.objects.get(action="secrets.resealed").cause == "SECRET_UNREADABLE"


def test_a_file_that_its_process_takes_meanwhile_is_not_put_back(data_dir):
    """Sessions that were in use once must never be used again."""
    session_file.write(1, "management", b"sessions")

    def visit(token: str) -> str:
        session_file.take(1, "management")
        return vault.seal(b"sessions")

    session_file.PLACE.walk(visit)
    assert list((data_dir / "southbound").iterdir()) == []


def test_one_link_that_cannot_be_opened_leaves_the_others(settings, operator):
    other = Operator.objects.create(slug="other", name="Other")
    said = {"password": "hush", "host": "127.0.0.1", "system_id": "s", "address": "1234"}
    smsc_links.save(operator=operator, **said)
    settings.FIELD_ENCRYPTION_KEYS = [NEW]
    smsc_links.save(operator=other, **said)
    now = timezone.now()
    for seconds in (0, 4, 8):
        held = smsc_links.hold(holder="one", host="h", now=now + timedelta(seconds=seconds))
        assert [link.operator_id for link in held] == [other.pk]
    link = SmscLink.objects.get(operator=operator)
    assert (link.state, link.cause) == ("refused", "SECRET_UNREADABLE")
    assert LedgerEvent.objects.filter(cause="SECRET_UNREADABLE").count() == 1
    smsc_links.save(operator=operator, password="typed anew")
    assert len(smsc_links.hold(holder="one", host="h", now=now)) == 2


def test_one_command_that_cannot_be_opened_ends_and_the_next_leaves(settings, operator, device):
    lost = write(device, value="s3cret")
    after = operations.request(device=device, operation="read", path="/3/0/0", requested_by="user:1")
    other = making.device(operator, endpoint="b")
    making.register(other, now=timezone.now())
    operations.request(device=other, operation="read", path="/3/0/0", requested_by="user:1")
    settings.FIELD_ENCRYPTION_KEYS = [NEW]
    with ledger.unit_of_work():
        devices = locks.devices([device.pk, other.pk])
        claimed = delivery.claim(devices=devices, flow="f", now=timezone.now())
    assert claimed.keys() == {device.pk, other.pk}
    assert claimed[device.pk].command_id == after.pk
    lost.refresh_from_db()
    assert (lost.state, lost.cause) == ("refused", "SECRET_UNREADABLE")


def test_one_key_that_cannot_be_opened_refuses_its_own_handshakes(settings, operator, device):
    lost = credentials.make_management(device=device, kind="psk")
    settings.FIELD_ENCRYPTION_KEYS = [NEW]
    other = credentials.make_management(device=making.device(operator, endpoint="b"), kind="psk")
    identities = [lost.identity.encode(), other.identity.encode()]
    assert list(credentials.lookup_many(plane="management", identities=identities)) == identities[1:]
    known = credentials.why_refused(plane="management", identity=identities[0])
    assert (known.cause, known.device_id) == ("SECRET_UNREADABLE", device.pk)
