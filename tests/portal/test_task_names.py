"""A room names its own tasks alone: what happens in it is heard above by whoever registered for it."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

from m2m_portal.celery import app

HOUSE = Path(__file__).resolve().parents[2]
ROOMS = (
    "accounts",
    "api",
    "audit",
    "backoffice",
    "devices",
    "live",
    "provisioning",
    "selfservice",
    "southbound",
)


def strings(room: str) -> Iterator[tuple[str, str]]:
    """Each file of a room with each text that is a word of its code."""
    for path in sorted((HOUSE / room).rglob("*.py")):
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.Constant) and isinstance(node.value, str):
                yield str(path.relative_to(HOUSE)), node.value


@pytest.mark.parametrize("room", ROOMS)
def test_a_room_names_no_task_of_another(room: str) -> None:
    app.loader.import_default_modules()
    of_others = {name for name in app.tasks if not name.startswith((f"{room}.", "celery."))}
    assert "provisioning.advance" in of_others or room == "provisioning"
    assert [(path, text) for path, text in strings(room) if text in of_others] == []
