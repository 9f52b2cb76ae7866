"""CoRE links, linear in the payload and bounded: `RFC 6690 section 2`, leniently as real clients write it."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass

from lwm2m.errors import Lwm2mError, bad_request

MAX_PAYLOAD_BYTES = 196_608
MAX_LINKS = 16_384
MAX_ATTRIBUTES = 32

# Possessive quantifiers: no part of the input is ever read twice, whatever it holds.
_TARGET = re.compile(r"[\s]*+<([^<>\x00-\x1f]*+)>")
_ATTRIBUTE = re.compile(
    r'\s*+;\s*+([^\s=;,"<>]++)(?:\s*+=\s*+(?:"((?:[^"\\]|\\.)*+)"|([^;,"]*+)))?+\s*+',
    re.DOTALL,
)
_EMPTY_ATTRIBUTE = re.compile(r"\s*+;(?=\s*+(?:[;,]|\Z))")
_SEPARATOR = re.compile(r"\s*+(?:,[\s,]*+|\Z)")
_ESCAPE = re.compile(r"\\(.)", re.DOTALL)
_NEEDS_QUOTES = re.compile(r"[^A-Za-z0-9._~+\-]")


@dataclass(frozen=True, slots=True)
class Link:
    """One link: its target as written between ``<`` and ``>``, and its attributes in order.

    The value of an attribute without ``=`` is None; quotes are already taken off.
    """

    target: str
    attributes: tuple[tuple[str, str | None], ...] = ()

    def attribute(self, name: str) -> str | None:
        """The first value of an attribute, None when it is absent or has none."""
        for key, value in self.attributes:
            if key == name:
                return value
        return None

    def has(self, name: str) -> bool:
        return any(key == name for key, _ in self.attributes)


def parse_links(payload: bytes) -> tuple[Link, ...]:
    """Read an ``application/link-format`` payload; an empty one has no links.

    Raises `Lwm2mError` 4.00 ``BAD_LINK_FORMAT`` when it is not UTF-8, too large or not links.
    """
    if len(payload) > MAX_PAYLOAD_BYTES:
        raise bad_request("BAD_LINK_FORMAT", f"The link list is over {MAX_PAYLOAD_BYTES} bytes; shorten it.")
    try:
        text = payload.decode()
    except UnicodeDecodeError as error:
        raise bad_request("BAD_LINK_FORMAT", f"Byte {error.start} of the links is not UTF-8.") from None
    if "\x00" in text:
        raise bad_request("BAD_LINK_FORMAT", "The link list contains a zero byte; send text.")
    return _scan(text)


def _scan(text: str) -> tuple[Link, ...]:
    links: list[Link] = []
    separator = _SEPARATOR.match(text)
    position = separator.end() if separator else 0
    end = len(text)
    while position < end:
        target = _TARGET.match(text, position)
        if target is None:
            raise _unreadable(position, "a target in <…> is expected")
        if len(links) == MAX_LINKS:
            raise bad_request("BAD_LINK_FORMAT", f"More than {MAX_LINKS} links; register fewer objects.")
        attributes, position = _attributes(text, target.end())
        links.append(Link(target[1], attributes))
        separator = _SEPARATOR.match(text, position)
        if separator is None:
            raise _unreadable(position, "a comma or an attribute is expected")
        position = separator.end()
    return tuple(links)


def _attributes(text: str, position: int) -> tuple[tuple[tuple[str, str | None], ...], int]:
    if position >= len(text) or text[position] == ",":
        return (), position
    found: list[tuple[str, str | None]] = []
    while True:
        match = _ATTRIBUTE.match(text, position)
        if match is None:
            blank = _EMPTY_ATTRIBUTE.match(text, position)
            if blank is None:
                return tuple(found), position
            position = blank.end()
            continue
        if len(found) == MAX_ATTRIBUTES:
            raise bad_request("BAD_LINK_FORMAT", f"A link has more than {MAX_ATTRIBUTES} attributes.")
        name, quoted, plain = match.groups()
        if quoted is not None and "\\" in quoted:
            quoted = _ESCAPE.sub(r"\1", quoted)
        found.append((name, quoted if quoted is not None else plain.strip() if plain is not None else None))
        position = match.end()


def _unreadable(position: int, expected: str) -> Lwm2mError:
    return bad_request(
        "BAD_LINK_FORMAT", f"The link list cannot be read at character {position}: {expected}."
    )


def encode_links(links: Iterable[Link]) -> bytes:
    """Write links as ``application/link-format``; values are quoted only where they need it."""
    return ",".join(f"<{link.target}>{''.join(map(_written, link.attributes))}" for link in links).encode()


def _written(attribute: tuple[str, str | None]) -> str:
    name, value = attribute
    if value is None:
        return f";{name}"
    if value == "" or _NEEDS_QUOTES.search(value):
        escaped = value.replace("\\", "\\\\").replace('"', '\\"')
        return f';{name}="{escaped}"'
    return f";{name}={value}"
