"""Security modes are asked, never compared by name; and a mode that nobody knows lets nothing in."""

from __future__ import annotations

import ast
import re
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from devices.inventory import security
from devices.inventory.models import Device, Reach
from devices.registry.services import admission
from lwm2m.registration import Origin

ROOT = Path(__file__).resolve().parents[3]
PACKAGE = Path(security.__file__).resolve().parent
APART = {"simulator", "tests", "bench"}
NAMES = set(security.KINDS)
ABOUT = re.compile(r"security|\bmode\b|\bkind\b|\bprotection\b", re.IGNORECASE)
IN_TEMPLATES = re.compile(rf"(?:security|kind)\s*(?:==|!=|in)\s*[\"'](?:{'|'.join(NAMES)})[\"']")
IN_SQL = re.compile(rf"security\s*(?:=|<>|!=|IN\s*\()\s*'(?:{'|'.join(NAMES)})'", re.IGNORECASE)
LABEL = re.compile(r"^(?:PSK|NONE|MSISDN|NAME|MODE)$")


def _product(suffix: str) -> Iterator[Path]:
    listed = subprocess.run(
        ["git", "ls-files", "-co", "--exclude-standard", f"*{suffix}"],
        cwd=ROOT,
        check=True,
        capture_output=True,
        text=True,
    )
    for name in listed.stdout.splitlines():
        path = ROOT / name
        if path.exists() and path.relative_to(ROOT).parts[0] not in APART and PACKAGE not in path.parents:
            yield path


def compared(source: str) -> list[str]:
    """Places in a module where something is decided by the name of a security mode."""
    found = []
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Compare):
            text = ast.unparse(node)
            if any(_is_name(one) for side in (node.left, *node.comparators) for one in ast.walk(side)) and (
                ABOUT.search(text) or "psk" in text
            ):
                found.append(f"{node.lineno}: {text}")
        elif isinstance(node, ast.Match) and ABOUT.search(ast.unparse(node.subject)):
            names = [one for case in node.cases for one in ast.walk(case.pattern) if _is_name(one)]
            found += [f"{node.lineno}: match {ast.unparse(node.subject)}"] if names else []
        elif isinstance(node, ast.Constant) and isinstance(node.value, str) and IN_SQL.search(node.value):
            found.append(f"{node.lineno}: {node.value[:60]}")
        elif isinstance(node, ast.keyword) and node.arg is not None:
            is_filter = node.arg.split("__")[0] == "security" or "__security" in node.arg
            if is_filter and "__" in node.arg and any(_is_name(one) for one in ast.walk(node.value)):
                found.append(f"{node.lineno}: {node.arg}={ast.unparse(node.value)}")
    return found


def _is_name(node: ast.AST) -> bool:
    if isinstance(node, ast.Constant):
        return isinstance(node.value, str) and node.value in NAMES
    return isinstance(node, ast.Attribute) and bool(LABEL.match(node.attr)) and not _is_of_lwm2m(node)


def _is_of_lwm2m(node: ast.Attribute) -> bool:
    """`lwm2m.accounts.SecurityMode` is what the standard numbers, and something else."""
    return ast.unparse(node.value).endswith("SecurityMode")


def test_no_module_compares_the_name_of_a_mode() -> None:
    wrong = {
        str(path.relative_to(ROOT)): places
        for path in _product(".py")
        if (places := compared(path.read_text()))
    }
    assert not wrong


def test_no_template_does() -> None:
    wrong = [
        str(path.relative_to(ROOT)) for path in _product(".html") if IN_TEMPLATES.search(path.read_text())
    ]
    assert not wrong


@pytest.mark.parametrize(
    ("source", "is_found"),
    [
        ("device.security == 'psk'", True),
        ("profile.security != Security.NONE", True),
        ("security in ('none', 'msisdn')", True),
        ("kind == psk.NAME", True),
        ("match device.security:\n case 'psk': pass", True),
        ("Device.objects.filter(device__security='none')", True),
        ("sql = \"SELECT 1 FROM t WHERE d.security = 'none'\"", True),
        ("account.security_mode == SecurityMode.PSK", False),
        ("key_source == 'none'", False),
        ("device.security_mode.is_secured", False),
        ("add(security='psk')", False),
    ],
)
def test_what_the_search_finds(source: str, is_found: bool) -> None:
    assert bool(compared(source)) is is_found


def test_every_mode_is_whole() -> None:
    """Names fit their column, values of offers are told apart, and each reach has a mode."""
    values = [offer.value for mode in security.KINDS.values() for offer in mode.offers]
    assert len(values) == len(set(values))
    limit = Device._meta.get_field("security").max_length
    for name, mode in security.KINDS.items():
        assert name == mode.name
        assert 0 < len(name) <= limit
        assert mode.reaches <= set(Reach.values)
        assert not (mode.is_secured and (mode.is_anonymous or mode.by_number))
        if mode.is_secured:
            assert mode.is_same(mode.sample.parts, mode.sample.parts)
            assert mode.make(endpoint="ep", identity="a name").identity == "a name"
            assert mode.written(mode.make(endpoint="ep"))
    assert all(security.of_reach(reach) for reach in Reach.values)


def test_a_mode_that_nobody_knows_lets_nothing_in_but_credentials() -> None:
    mode = security.of("of another version")
    assert mode.is_secured
    assert admission.in_the_clear(mode, allows_nosec=True) is not None
    assert mode.handshake_key(b"0123456789abcdef") is None


class _Served:
    access, security, msisdn = "active", "psk", "+491511234567"
    operator_is_active = operator_allows_nosec = True


@pytest.mark.parametrize(
    ("mode", "origin", "allows_nosec", "cause"),
    [
        ("psk", Origin("192.0.2.1", 1, "dtls", "a", 7), False, ""),
        ("psk", Origin("192.0.2.1", 1, "dtls", "a", 6), False, "PSK_IDENTITY_UNKNOWN"),
        ("psk", Origin("192.0.2.1", 1), True, "WRONG_SECURITY"),
        ("psk", Origin("+491511234567", 0, "sms", "+491511234567"), True, "WRONG_SECURITY"),
        ("none", Origin("192.0.2.1", 1), True, ""),
        ("none", Origin("192.0.2.1", 1, "tcp"), False, "NOSEC_NOT_ALLOWED"),
        ("none", Origin("+491511234567", 0, "sms", "+491511234567"), False, ""),
        ("msisdn", Origin("+491511234567", 0, "sms", "+491511234567"), False, ""),
        ("msisdn", Origin("+491511234568", 0, "sms", "+491511234568"), False, "ENDPOINT_IDENTITY_MISMATCH"),
        ("msisdn", Origin("192.0.2.1", 1), True, "WRONG_SECURITY"),
        ("of another version", Origin("192.0.2.1", 1), True, "WRONG_SECURITY"),
        ("of another version", Origin("+491511234567", 0, "sms", "+491511234567"), True, "WRONG_SECURITY"),
        ("of another version", Origin("192.0.2.1", 1, "dtls", "a", 7), False, ""),
    ],
)
def test_who_is_admitted(mode: str, origin: Origin, allows_nosec: bool, cause: str) -> None:
    device = _Served()
    device.security, device.operator_allows_nosec = mode, allows_nosec
    problem = admission.problem(device, origin, registering=True, credential_id=7)
    assert (problem.cause if problem else "") == cause
