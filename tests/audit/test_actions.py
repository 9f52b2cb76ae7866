"""Event kinds are one list: nothing else is recorded, nothing in it is unused, and the docs have it as it is."""

from __future__ import annotations

import ast
from io import StringIO
from pathlib import Path

import pytest
from django.core.management import call_command

from audit import actions, entries, ledger
from audit.actions import Action
from audit.models import LedgerEvent

ROOT = Path(__file__).parents[2]
ROOMS = (
    "accounts",
    "api",
    "audit",
    "backoffice",
    "devices",
    "live",
    "m2m_portal",
    "provisioning",
    "selfservice",
)
TREES = {
    path: ast.parse(path.read_text())
    for room in (*ROOMS, "southbound", "support")
    for path in (ROOT / room).rglob("*.py")
    if "migrations" not in path.parts and path != ROOT / "audit" / "actions.py"
}


def test_no_kind_is_written_as_a_string():
    known = set(Action.values)
    found = {
        (str(path.relative_to(ROOT)), node.value)
        for path, tree in TREES.items()
        for node in ast.walk(tree)
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and node.value in known
    }
    assert found == set()


def test_what_is_recorded_is_never_put_together_from_strings():
    def is_put_together(node: ast.expr) -> bool:
        return isinstance(node, ast.JoinedStr | ast.BinOp | ast.Constant)

    found = [
        f"{path.relative_to(ROOT)}:{node.lineno}"
        for path, tree in TREES.items()
        for node in ast.walk(tree)
        if isinstance(node, ast.Call) and ast.unparse(node.func).split(".")[-1] in ("record", "Event")
        for keyword in node.keywords
        if keyword.arg == "action" and is_put_together(keyword.value)
    ]
    assert found == []


def test_every_kind_is_used():
    used = {
        node.attr
        for tree in TREES.values()
        for node in ast.walk(tree)
        if isinstance(node, ast.Attribute) and ast.unparse(node.value).split(".")[-1] == "Action"
    }
    assert set(Action.names) - used == set()


def test_codes_are_short_and_say_about_what():
    for action in Action:
        subject, _, happened = action.value.partition(".")
        assert subject
        assert happened
        assert len(action.value) <= LedgerEvent._meta.get_field("action").max_length
        assert action.name == action.value.replace(".", "_").upper()


@pytest.mark.django_db
@pytest.mark.parametrize("wrong", ["", "device.exploded", "x" * 65])
def test_what_is_not_in_the_list_is_not_recorded(monkeypatch, wrong):
    monkeypatch.setattr(entries, "_ACTIONS", frozenset(Action.values))
    with pytest.raises(ValueError, match="unknown action"):
        ledger.record(action=wrong, operator_id=1)
    ledger.record(action=Action.DEVICE_ADDED, operator_id=1)
    assert LedgerEvent.objects.get().action == "device.added"


def test_words():
    assert actions.words("device.retired") == "Device released"
    assert actions.words("device.of_long_ago") == "Device of long ago"


def test_the_docs_have_the_list_as_it_is():
    out = StringIO()
    call_command("ledger_actions", stdout=out)
    assert out.getvalue() in (ROOT / "docs" / "ledger.md").read_text()
