"""Plain text, 0: one resource (`OMA-TS-LightweightM2M_Core 7.4.1`); what it means needs a model."""

from __future__ import annotations

import math
import re
from collections.abc import Sequence
from decimal import Decimal

from lwm2m import json_text, single
from lwm2m.errors import Lwm2mError, bad_request
from lwm2m.nodes import Node, ObjectLinkValue, Value, storable_text
from lwm2m.objects import Catalogue, ValueType
from lwm2m.paths import Path
from lwm2m.values import is_number

MAX_DECIMAL_LENGTH = 64

_WHOLE = re.compile(r"[+-]?[0-9]{1,20}\Z", re.ASCII)
_REAL = re.compile(r"[+-]?[0-9.]{1,64}(?:[eE][+-]?[0-9]{1,4})?\Z", re.ASCII)


def decode(payload: bytes, path: Path, model: Catalogue | None = None, *, names: bool = False) -> list[Node]:
    """One node; typed by the model where the text fits the type, else the text itself."""
    single.check(path)
    try:
        text = storable_text(payload.decode())
    except UnicodeDecodeError:
        raise bad_request("PAYLOAD_MALFORMED", "The text is not UTF-8; send it as opaque.") from None
    known = model.resource(path) if model is not None else None
    if known is None or known.type is ValueType.UNKNOWN:
        return [Node(path, text)]
    if not text:
        return [Node(path, single.empty(path, model))]
    try:
        return [Node(path, _typed(text, known.type))]
    except (Lwm2mError, ValueError):
        return [Node(path, text)]


def _typed(text: str, kind: ValueType) -> Value:
    word = text.strip()
    match kind:
        case ValueType.INTEGER | ValueType.UNSIGNED | ValueType.TIME if _WHOLE.match(word):
            number = int(word)
            return number if is_number(number) else text
        case ValueType.FLOAT if _REAL.match(word):
            real = float(word)
            return real if math.isfinite(real) else text
        case ValueType.BOOLEAN if word in ("0", "1"):
            return word == "1"
        case ValueType.OBJECT_LINK:
            return ObjectLinkValue.parse(word)
        case ValueType.OPAQUE:
            return json_text.from_base64(word)
    return text


def encode(nodes: Sequence[Node], path: Path) -> bytes:
    """Write the one value; bytes as base64, booleans as 0 and 1."""
    match single.only(nodes, path).value:
        case None:
            raise bad_request("VALIDATION_FAILED", f"{path} has no value; text cannot write that.")
        case bool() as flag:
            return b"1" if flag else b"0"
        case bytes() as raw:
            return json_text.to_base64(raw).encode()
        case str() as text:
            return text.encode(errors="replace")
        case float() as number:
            return _plain(number, path)
        case other:
            return str(other).encode()


def _plain(number: float, path: Path) -> bytes:
    if not math.isfinite(number):
        raise bad_request("VALIDATION_FAILED", f"{path} is not a finite number; text cannot write that.")
    # The standard wants a decimal, and small clients read no exponent; huge ones keep theirs.
    decimal = format(Decimal(repr(number)), "f")
    return (decimal if len(decimal) <= MAX_DECIMAL_LENGTH else repr(number)).encode()
