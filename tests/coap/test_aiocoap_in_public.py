"""aiocoap is used by its public interface alone, in every file of the repository.

What it has for itself are its names with a leading underscore and the modules that its documentation calls internal.
Only the syntax is looked at: a private name counts wherever it stands in a file that imports aiocoap, unless it is
an attribute of `self` in a class that has nothing of aiocoap's.
"""

from __future__ import annotations

import ast
import subprocess
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import aiocoap
import pytest

ROOT = Path(__file__).resolve().parents[2]
PUBLIC_MODULES = (
    "aiocoap",
    "aiocoap.error",
    "aiocoap.interfaces",
    "aiocoap.numbers",
    "aiocoap.options",
    "aiocoap.optiontypes",
    "aiocoap.pipe",
    "aiocoap.resource",
)
INTERNAL_BY_NAME = frozenset({"dispatch_message", "dispatch_error", "token_manager", "request_interfaces"})
"""Of Context: "the remaining methods and properties are to be considered unstable"."""


@cache
def private_names() -> frozenset[str]:
    """Every name with one leading underscore that aiocoap's own source defines or reads."""
    found: set[str] = set()
    for file in Path(aiocoap.__file__).parent.rglob("*.py"):
        for node in ast.walk(ast.parse(file.read_text())):
            match node:
                case ast.Attribute(attr=name) | ast.Name(id=name) | ast.arg(arg=name):
                    found.add(name)
                case ast.FunctionDef(name=name) | ast.AsyncFunctionDef(name=name) | ast.ClassDef(name=name):
                    found.add(name)
    return frozenset(name for name in found if name.startswith("_") and not name.startswith("__"))


def offences(source: str) -> Iterator[tuple[int, str]]:
    tree = ast.parse(source)
    imported = set(_imported(tree))
    if not imported:
        return
    own: set[ast.AST] = set()
    for each in ast.walk(tree):
        if isinstance(each, ast.ClassDef) and not any(_root(base) in imported for base in each.bases):
            own |= {node for node in ast.walk(each) if isinstance(node, ast.Attribute) and _is_self(node)}
    for node in ast.walk(tree):
        match node:
            case ast.ImportFrom(module=str(module), names=names) if _is_aiocoap(module):
                if not _is_public(module):
                    yield node.lineno, module
                for alias in names:
                    if alias.name.startswith("_") or alias.name in INTERNAL_BY_NAME:
                        yield node.lineno, alias.name
            case ast.Import(names=names):
                for alias in names:
                    if _is_aiocoap(alias.name) and not _is_public(alias.name):
                        yield node.lineno, alias.name
            case ast.Attribute(attr=name) if name in private_names() | INTERNAL_BY_NAME and node not in own:
                yield node.lineno, name
            case ast.Call(func=func, keywords=keywords) if _root(func) in imported:
                for keyword in keywords:
                    if (keyword.arg or "").startswith("_"):
                        yield node.lineno, str(keyword.arg)
            case ast.Constant(value=str(text)) if _is_aiocoap(text) and "._" in text:
                yield node.lineno, text


def _imported(tree: ast.AST) -> Iterator[str]:
    """What aiocoap and its parts are called in a file."""
    for node in ast.walk(tree):
        match node:
            case ast.ImportFrom(module=str(module), names=names) if _is_aiocoap(module):
                yield from (alias.asname or alias.name for alias in names)
            case ast.Import(names=names):
                yield from (alias.asname or "aiocoap" for alias in names if _is_aiocoap(alias.name))


def _is_aiocoap(name: str) -> bool:
    return name.split(".")[0] == "aiocoap"


def _is_public(module: str) -> bool:
    return module in PUBLIC_MODULES or module.startswith("aiocoap.numbers.")


def _root(node: ast.AST) -> str:
    while isinstance(node, ast.Attribute):
        node = node.value
    return node.id if isinstance(node, ast.Name) else ""


def _is_self(node: ast.Attribute) -> bool:
    return isinstance(node.value, ast.Name) and node.value.id in ("self", "cls")


def test_no_file_touches_what_aiocoap_has_for_itself() -> None:
    listed = subprocess.run(["git", "ls-files", "-z", "*.py"], cwd=ROOT, capture_output=True, check=True)
    files = [ROOT / name for name in listed.stdout.decode().split("\0") if name]
    sources = {file: file.read_text() for file in files if file.exists()}
    using = {file: text for file, text in sources.items() if "aiocoap" in text}
    assert using
    found = [
        f"{file.relative_to(ROOT)}:{line} {name}"
        for file, text in using.items()
        for line, name in offences(text)
    ]
    assert found == []


@pytest.mark.parametrize(
    "source",
    [
        "from aiocoap.tokenmanager import TokenManager",
        "import aiocoap.messagemanager",
        "from aiocoap.transports.udp6 import MessageInterfaceUDP6",
        "from aiocoap.resource import _ExposesWellknownAttributes",
        "import aiocoap\naiocoap.Message(code=1, _mid=7)",
        "from aiocoap import Message as M\nM(_token=b'')",
        "import aiocoap\nasync def f(context):\n    context._append_tokenmanaged_transport(None)",
        "from aiocoap import resource\nclass R(resource.Resource):\n    def f(self):\n        return self._block1",
        "import aiocoap\nasync def f(context):\n    context.request_interfaces.clear()",
        "import aiocoap\npatch('aiocoap.protocol.Context._x')",
    ],
)
def test_what_would_be_found(source: str) -> None:
    assert list(offences(source))


@pytest.mark.parametrize(
    "source",
    [
        "import aiocoap\nclass Mine:\n    def f(self):\n        return self._block1",
        "class Mine:\n    def f(self, other):\n        return other._block1",
        "from aiocoap import resource\nclass R(resource.Resource):\n    def f(self):\n        return self._ours_alone",
        "from aiocoap.numbers.codes import CHANGED\nfrom aiocoap import Message\nMessage(code=CHANGED).token = b'x'",
    ],
)
def test_what_is_ours_is_ours(source: str) -> None:
    assert list(offences(source)) == []
