"""Reads JSON bodies so that whatever arrives is data or a clear 400: depth, size and characters are bounded."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

from django.conf import settings
from django.utils.translation import gettext
from rest_framework.exceptions import ParseError
from rest_framework.parsers import JSONParser

from api.problems import too_large

DEPTH_LIMIT = 64
_NO_CHARACTER = re.compile("[\0\ud800-\udfff]")


class BoundedJSONParser(JSONParser):
    """Named by DEFAULT_PARSER_CLASSES. Raises ParseError (400) or Problem REQUEST_TOO_LARGE (413)."""

    def parse(
        self, stream: Any, media_type: str | None = None, parser_context: Mapping[str, Any] | None = None
    ) -> Any:
        limit = settings.DATA_UPLOAD_MAX_MEMORY_SIZE
        body = _Bounded(stream, limit)
        try:
            data = super().parse(body, media_type, parser_context)
        except RecursionError:
            raise too_deep() from None
        except UnicodeError:
            raise ParseError(gettext("The JSON is not UTF-8.")) from None
        _check(data)
        return data


class _Bounded:
    """A stream that refuses to give more than `limit` bytes, whatever its header announced."""

    def __init__(self, stream: Any, limit: int) -> None:
        self._stream, self._limit, self._read = stream, limit, 0

    def read(self, size: int = -1) -> bytes:
        room = self._limit - self._read + 1
        piece: bytes = self._stream.read(room if size < 0 else min(size, room))
        self._read += len(piece)
        if self._read > self._limit:
            raise too_large()
        return piece


def too_deep() -> ParseError:
    return ParseError(
        gettext("The JSON is nested too deeply. Send at most %(limit)s levels.") % {"limit": DEPTH_LIMIT}
    )


def _check(data: Any) -> None:
    """No deeper than our own code can follow, and only texts that a database can keep."""
    level, depth = [data], 0
    while level:
        depth += 1
        if depth > DEPTH_LIMIT:
            raise too_deep()
        if any(isinstance(one, str) and _NO_CHARACTER.search(one) for one in level):
            raise ParseError(
                gettext("A text holds U+0000 or half of a surrogate pair, which are no characters.")
            )
        level = [one for outer in level for one in _inside(outer)]


def _inside(value: Any) -> Iterator[Any]:
    if isinstance(value, dict):
        yield from value
        yield from value.values()
    elif isinstance(value, list):
        yield from value
