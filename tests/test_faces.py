"""Faces hold no models and do no deeds, and nobody changes a class of another room."""

from __future__ import annotations

import ast
import importlib
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
from django.apps import apps
from django.contrib import admin
from django.contrib.auth import get_user_model
from django.test import RequestFactory

ROOT = Path(__file__).resolve().parents[1]
FACES = ("backoffice", "selfservice", "support", "api")
ROOMS = (*FACES, "southbound", "provisioning", "devices", "accounts", "audit", "live", "m2m_portal")
WRITES = {
    "save",
    "delete",
    "create",
    "update",
    "bulk_create",
    "bulk_update",
    "get_or_create",
    "update_or_create",
}
REASONS: dict[str, str] = {}
"""What looks like a write in a face and is none, as `file:method`, with why."""


def modules(*rooms: str) -> list[Path]:
    return sorted(
        file for room in rooms for file in (ROOT / room).rglob("*.py") if "migrations" not in file.parts
    )


def imported(tree: ast.AST) -> dict[str, str]:
    """Names of a module that came from elsewhere, with where they came from."""
    found: dict[str, str] = {}
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom) and node.level == 0:
            found |= {one.asname or one.name: f"{node.module}.{one.name}" for one in node.names}
        elif isinstance(node, ast.Import):
            found |= {one.asname or one.name.partition(".")[0]: one.name for one in node.names}
    return found


def written_attributes(tree: ast.AST) -> Iterator[ast.expr]:
    """What stands before the dot wherever an attribute is assigned, deleted or set by name."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Attribute) and isinstance(node.ctx, ast.Store | ast.Del):
            yield node.value
        elif isinstance(node, ast.Call) and node.args and ast.unparse(node.func) in ("setattr", "delattr"):
            yield node.args[0]


def base_of(node: ast.expr) -> str:
    while isinstance(node, ast.Attribute):
        node = node.value
    return node.id if isinstance(node, ast.Name) else ""


def _of_ours(origin: str) -> bool:
    return origin.partition(".")[0] in ROOMS


def changed_from_outside(source: str) -> list[str]:
    """Imported classes and modules of ours on which a module sets something."""
    tree = ast.parse(source)
    known = imported(tree)
    bases = [base_of(node) for node in written_attributes(tree)]
    return [known[name] for name in bases if name in known and _of_ours(known[name])]


@pytest.mark.parametrize("file", modules(*ROOMS), ids=lambda file: str(file.relative_to(ROOT)))
def test_nobody_sets_anything_on_a_class_or_module_of_another(file: Path) -> None:
    assert changed_from_outside(file.read_text()) == []


@pytest.mark.parametrize(
    "patch",
    [
        "DeviceAdmin.end = release",
        "DeviceAdmin.inlines += (More,)",
        "setattr(DeviceAdmin, 'end', release)",
        "del DeviceAdmin.end",
        "DeviceAdmin.Media.css = {}",
    ],
)
def test_such_a_change_is_found(patch: str) -> None:
    assert changed_from_outside(f"from backoffice.devices import DeviceAdmin\n{patch}\n")


@pytest.mark.parametrize("face", FACES)
def test_a_face_has_no_models(face: str) -> None:
    assert list(apps.get_app_config(face).get_models()) == []


def writes(source: str) -> list[str]:
    """Calls that write rows: methods by these names, of anything but an imported service."""
    tree = ast.parse(source)
    known = imported(tree)

    def is_service(node: ast.expr) -> bool:
        return (
            isinstance(node, ast.Name)
            and node.id in known
            and isinstance(_loaded(known[node.id]), ModuleType)
        )

    return [
        node.func.attr
        for node in ast.walk(tree)
        if isinstance(node, ast.Call)
        and isinstance(node.func, ast.Attribute)
        and node.func.attr in WRITES
        and not is_service(node.func.value)
        and not (isinstance(node.func.value, ast.Call) and ast.unparse(node.func.value) == "super()")
    ]


def _loaded(origin: str) -> Any:
    module, _, name = origin.rpartition(".")
    try:
        return importlib.import_module(origin)
    except ImportError:
        return getattr(importlib.import_module(module), name, None) if module else None


@pytest.mark.parametrize("file", modules(*FACES), ids=lambda file: str(file.relative_to(ROOT)))
def test_a_face_writes_no_row(file: Path) -> None:
    found = {f"{file.relative_to(ROOT)}:{name}" for name in writes(file.read_text())}
    assert found <= set(REASONS)


def test_every_reason_is_still_needed() -> None:
    found = {
        f"{file.relative_to(ROOT)}:{name}" for file in modules(*FACES) for name in writes(file.read_text())
    }
    assert found == set(REASONS)


@pytest.mark.parametrize(
    "deed",
    [
        "device.save()",
        "Device.objects.create(name='x')",
        "rows.filter(pk=1).update(name='x')",
        "rows.all().delete()",
    ],
)
def test_a_write_is_found(deed: str) -> None:
    assert writes(f"from devices.inventory.models import Device\n{deed}\n")


LISTS = sorted(admin.site._registry.values(), key=str)


@pytest.mark.django_db
@pytest.mark.parametrize("shown", LISTS, ids=lambda shown: shown.opts.label)
def test_what_the_admin_would_write_by_itself_goes_through_a_service(shown: admin.ModelAdmin) -> None:
    """Where Django's own `save_model` or `delete_model` is left, nobody gets that far, not even a superuser."""
    request = RequestFactory().get("/")
    request.user = get_user_model().objects.create_superuser("root@example.com", "a long password 1")
    row = shown.model()
    own = type(shown)
    if own.delete_model is admin.ModelAdmin.delete_model:
        assert not shown.has_delete_permission(request, row)
    if own.save_model is admin.ModelAdmin.save_model:
        assert not shown.has_change_permission(request, row)
        assert not shown.has_add_permission(request) or own.add_view is not admin.ModelAdmin.add_view
