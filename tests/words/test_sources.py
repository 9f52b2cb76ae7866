"""No label, help text, title or message of the source is a bare literal: each goes through gettext."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

HOUSE = Path(__file__).parents[2]
ROOMS = (
    "accounts",
    "api",
    "audit",
    "backoffice",
    "devices",
    "live",
    "provisioning",
    "selfservice",
    "support",
)
SOURCES = sorted(
    path
    for room in ROOMS
    for path in (HOUSE / room).glob("**/*.py")
    if "migrations" not in path.parts and "management" not in path.parts
)
SAID = {
    *(
        "verbose_name",
        "verbose_name_plural",
        "help_text",
        "label",
        "description",
        "short_description",
        "message",
    ),
    *(
        "empty_label",
        "empty_value",
        "search_help_text",
        "index_name",
        "question",
        "button",
        "title",
        "violation_error_message",
    ),
}
"""Keywords and class attributes whose text a person reads."""
ESCAPES = {
    "SHA-256": "the algorithm's name",
    "SMS": "the service's name",
    "packages": "an app's label, which is a name for programs",
    "TLS": "the protocol's name",
    "UDP": "the protocol's name",
    "DTLS": "the protocol's name",
    "TCP": "the protocol's name",
    "Write-Attributes": "the operation's name in the standard",
    "Read-Composite": "the operation's name in the standard",
    "Write-Composite": "the operation's name in the standard",
    "Observe-Composite": "the operation's name in the standard",
}
"""Literals that stay as they are, with the reason."""


def _literal(node: ast.expr | None) -> str:
    if isinstance(node, ast.JoinedStr):
        return "".join(part.value for part in node.values if isinstance(part, ast.Constant))
    return node.value if isinstance(node, ast.Constant) and isinstance(node.value, str) else ""


def _said(tree: ast.Module) -> Iterator[tuple[int, str]]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Call):
            called = ast.unparse(node.func)
            if called == "OpenApiParameter":
                continue  # what programmers read of the schema's parameters is in English, as the schema's title
            for keyword in node.keywords:
                if keyword.arg in SAID:
                    yield node.lineno, _literal(keyword.value)
            if re.match(r"messages\.(?:success|info|warning|error)$", called) and len(node.args) > 1:
                yield node.lineno, _literal(node.args[1])
            if re.match(r"models\.(?!OneToOne|ManyToMany)\w+Field$", called) and node.args:
                yield node.lineno, _literal(node.args[0])
        if isinstance(node, ast.ClassDef):
            yield from _of_class(node)


def _of_class(node: ast.ClassDef) -> Iterator[tuple[int, str]]:
    is_choices = any("Choices" in ast.unparse(base) for base in node.bases)
    for one in node.body:
        if not isinstance(one, ast.Assign) or not isinstance(one.targets[0], ast.Name):
            continue
        if one.targets[0].id in SAID:
            yield one.lineno, _literal(one.value)
        if is_choices and isinstance(one.value, ast.Tuple) and len(one.value.elts) == 2:
            yield one.lineno, _literal(one.value.elts[1])


@pytest.mark.parametrize("path", SOURCES, ids=lambda path: str(path.relative_to(HOUSE)))
def test_what_a_person_reads_goes_through_gettext(path: Path) -> None:
    said = [
        (line, text) for line, text in _said(ast.parse(path.read_text())) if re.search("[A-Za-z]{2}", text)
    ]
    assert not [(line, text) for line, text in said if text not in ESCAPES]


def test_the_check_finds_what_escapes() -> None:
    source = """
class State(models.TextChoices):
    UP = "up", "Up"
    DOWN = "down", _("Down")

class Thing(models.Model):
    name = models.CharField("thing name", help_text="What it is.", max_length=3)

def say(request):
    messages.success(request, f"{request} is done.")
"""
    found = {text for _, text in _said(ast.parse(source)) if text}
    assert found == {"Up", "thing name", "What it is.", " is done."}
