"""Inputs with what is right, one a line: field.jsonl after public bug reports, siblings.jsonl of the same kinds."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

FILES = [Path(__file__).with_name(name) for name in ("field.jsonl", "siblings.jsonl")]


@dataclass(frozen=True)
class Case:
    id: str
    kind: str
    input: Any
    expected: Any

    @property
    def way(self) -> str:
        """How the input reaches the portal; a runner each. A kind can come by several ways."""
        if not isinstance(self.input, dict):
            return self.kind
        said = {"notify": "notification"}
        via = str(self.input.get("via") or self.input.get("operation") or "").split(" ")[0]
        if via in ("read", "notify"):
            return said.get(via, via)
        if via in ("send", "POST") or self.input.get("request") == "POST /dp":
            return "send"
        return self.kind

    @property
    def payload(self) -> bytes:
        text = self.input.get("payload_hex")
        return bytes.fromhex(text) if text is not None else self.input["payload"].encode()


def _all() -> list[Case]:
    rows = [json.loads(line) for file in FILES for line in file.read_text().splitlines()]
    return [Case(row["id"], row["kind"], row["input"], row["expected"]) for row in rows]


ALL = _all()


def by_way(*ways: str) -> pytest.MarkDecorator:
    """Parametrizes a runner with every case that comes by these ways."""
    return pytest.mark.parametrize(
        "case", [pytest.param(case, id=case.id) for case in ALL if case.way in ways]
    )


def one(id_: str) -> Case:
    return next(case for case in ALL if case.id == id_)
