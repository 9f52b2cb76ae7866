"""For whom a page is written: the time zone that somebody chose or their browser told, and their language."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import tzinfo
from functools import lru_cache
from typing import Any
from zoneinfo import ZoneInfo, available_timezones

from django.http import HttpRequest
from django.utils import timezone, translation

ZONE_NAME_LENGTH = 64
_OTHERS = "–"


@lru_cache(maxsize=1)
def zone_names() -> tuple[str, ...]:
    """Every zone of the tz database, by name."""
    return tuple(sorted(available_timezones() - {"localtime", "Factory"}))


@lru_cache(maxsize=1)
def zones_by_region() -> tuple[tuple[str, tuple[tuple[str, str], ...]], ...]:
    """The zones as groups of choices: Europe with Berlin in it; those without a region come last."""
    regions: dict[str, list[tuple[str, str]]] = {}
    for name in zone_names():
        region, _, place = name.partition("/")
        regions.setdefault(region if place else _OTHERS, []).append((name, (place or name).replace("_", " ")))
    ordered = sorted(regions, key=lambda one: (one == _OTHERS, one))
    return tuple((region, tuple(regions[region])) for region in ordered)


def is_zone(name: str) -> bool:
    """Whether this machine knows a zone of that name; a browser's database may be newer."""
    return name in zone_names()


def zone_of(person: Any) -> tzinfo:
    """The zone of a user; the portal's (`TIME_ZONE`) for who has chosen none or is not signed in."""
    name = getattr(person, "time_zone", "")
    return ZoneInfo(name) if name and is_zone(name) else timezone.get_default_timezone()


def language_of_scope(scope: Mapping[str, Any]) -> str:
    """Of a WebSocket, as `LocaleMiddleware` finds it for a page: by the cookie, else by what the browser prefers."""
    request = HttpRequest()
    request.COOKIES = dict(scope.get("cookies", {}))
    headers = dict(scope.get("headers", ()))
    request.META["HTTP_ACCEPT_LANGUAGE"] = headers.get(b"accept-language", b"").decode("latin-1")
    return translation.get_language_from_request(request)


@contextmanager
def written_for(person: Any, scope: Mapping[str, Any]) -> Iterator[None]:
    """What is rendered inside is in this person's time and language; one bell rings at many pages."""
    with timezone.override(zone_of(person)), translation.override(language_of_scope(scope)):
        yield
