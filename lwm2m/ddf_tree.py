"""XML from strangers as a small tree: bounded, without DOCTYPE, entities of its own or external references.

Only `lwm2m.ddf` needs it. Expat does the lexing; what makes XML dangerous (`DOCTYPE`, with which entities
expand and files are fetched) is refused as soon as it is seen.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import NoReturn
from xml.parsers import expat

from lwm2m.errors import bad_request

MAX_BYTES = 1 << 20
MAX_ELEMENTS = 50_000
MAX_DEPTH = 16
MAX_TEXT = 4_096

_ENCODINGS = frozenset(
    {"utf-8", "utf8", "utf-16", "us-ascii", "ascii", "iso-8859-1", "latin-1", "windows-1252"}
)


@dataclass(slots=True)
class Element:
    """``text`` is what stands right in it, cut at `MAX_TEXT`; ``line`` is where it opens."""

    name: str
    line: int
    attributes: Mapping[str, str] = field(default_factory=dict)
    text: str = ""
    children: list[Element] = field(default_factory=list)

    def all(self, name: str) -> list[Element]:
        return [child for child in self.children if child.name == name]


def refuse(line: int, sentence: str) -> NoReturn:
    """Raise 4.00 ``VALIDATION_FAILED`` that names the line."""
    raise bad_request("VALIDATION_FAILED", f"Line {line}: {sentence}")


def parse(content: bytes) -> Element:
    """The root element; raise 4.00 ``VALIDATION_FAILED`` for what is too big, not well-formed or unsafe."""
    if len(content) > MAX_BYTES:
        raise bad_request(
            "VALIDATION_FAILED", f"The file is over {MAX_BYTES >> 20} MB; load one object a file."
        )
    if not content.strip():
        raise bad_request("VALIDATION_FAILED", "The file is empty; choose the XML file of an object.")
    builder = _Builder()
    try:
        builder.parser.Parse(content, True)
    except expat.ExpatError as error:
        reason = expat.errors.messages.get(error.code, "not well-formed")
        refuse(error.lineno, f"this is no XML ({reason}); correct the file, or get it anew from its source.")
    except (ValueError, LookupError) as error:  # an encoding that Python does not know
        raise bad_request(
            "VALIDATION_FAILED", f"The file cannot be decoded ({error}); save it as UTF-8."
        ) from None
    if builder.root is None:  # expat has reported it already; kept for the type
        raise bad_request("VALIDATION_FAILED", "The file has no element; choose the XML file of an object.")
    return builder.root


class _Builder:
    """Handlers of one expat parser that build the tree. An error they raise comes out of ``Parse``."""

    def __init__(self) -> None:
        self.root: Element | None = None
        self._open: list[Element] = []
        self._count = 0
        self.parser = expat.ParserCreate()
        self.parser.buffer_text = True
        self.parser.XmlDeclHandler = self._declared
        self.parser.StartDoctypeDeclHandler = self._doctype
        self.parser.StartElementHandler = self._start
        self.parser.EndElementHandler = self._end
        self.parser.CharacterDataHandler = self._text

    def _declared(self, version: str, encoding: str | None, standalone: int) -> None:
        if encoding is not None and encoding.lower() not in _ENCODINGS:
            refuse(1, f"the encoding {encoding[:40]!r} is not supported; save the file as UTF-8.")

    def _doctype(self, name: str, system: str | None, public: str | None, has_subset: int) -> None:
        refuse(
            self.parser.CurrentLineNumber,
            "a DOCTYPE is not accepted, for entities in it could expand without end or read other files; "
            "remove it, an object definition needs none.",
        )

    def _start(self, name: str, attributes: dict[str, str]) -> None:
        line = self.parser.CurrentLineNumber
        self._count += 1
        if self._count > MAX_ELEMENTS:
            refuse(line, f"more than {MAX_ELEMENTS} elements; load one object a file.")
        if len(self._open) >= MAX_DEPTH:
            refuse(line, f"elements are nested deeper than {MAX_DEPTH}; correct the structure of the file.")
        element = Element(name, line, attributes)
        if self._open:
            self._open[-1].children.append(element)
        else:
            self.root = element
        self._open.append(element)

    def _end(self, name: str) -> None:
        self._open.pop()

    def _text(self, data: str) -> None:
        element = self._open[-1]
        if len(element.text) < MAX_TEXT:
            element.text = (element.text + data)[:MAX_TEXT]
