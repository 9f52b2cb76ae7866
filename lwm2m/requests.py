"""The requests a client sends to its servers, built for the simulator and for tests."""

from __future__ import annotations

from lwm2m.codes import Code, ContentFormat
from lwm2m.links import ObjectLinks
from lwm2m.messages import Request


def register_request(
    *,
    endpoint: str | None,
    object_links: ObjectLinks | bytes = b"",
    lifetime_seconds: int | None = 86_400,
    version: str = "1.1",
    binding: str | None = "U",
    queue_mode: bool = False,
    sms_number: str | None = None,
    profile_ids: tuple[str, ...] = (),
    attributes: tuple[tuple[str, str], ...] = (),
) -> Request:
    """``POST /rd``; None leaves a parameter out. A 1.0 client writes queue mode into ``b``."""
    query = [] if endpoint is None else [f"ep={endpoint}"]
    query += [] if lifetime_seconds is None else [f"lt={lifetime_seconds}"]
    query.append(f"lwm2m={version}")
    query += _binding(binding, queue_mode, version)
    query += [] if sms_number is None else [f"sms={sms_number}"]
    query += [f"pid={','.join(profile_ids)}"] if profile_ids else []
    query += [f"{name}={value}" for name, value in attributes]
    return _with_links(Code.POST, ("rd",), query, object_links)


def update_request(
    location: tuple[str, ...],
    *,
    lifetime_seconds: int | None = None,
    binding: str | None = None,
    queue_mode: bool = False,
    sms_number: str | None = None,
    object_links: ObjectLinks | bytes = b"",
    attributes: tuple[tuple[str, str], ...] = (),
    version: str = "1.1",
) -> Request:
    """``POST`` to the Location that Register gave; without arguments the plain lifetime refresh."""
    query = [] if lifetime_seconds is None else [f"lt={lifetime_seconds}"]
    query += _binding(binding, queue_mode, version)
    query += [] if sms_number is None else [f"sms={sms_number}"]
    query += [f"{name}={value}" for name, value in attributes]
    return _with_links(Code.POST, location, query, object_links)


def deregister_request(location: tuple[str, ...]) -> Request:
    """``DELETE`` of the Location that Register gave."""
    return Request(Code.DELETE, location)


def send_request(content_format: int, payload: bytes, *, confirmable: bool = True) -> Request:
    """``POST /dp`` with values encoded by `lwm2m.formats`."""
    return Request(
        Code.POST, ("dp",), content_format=content_format, payload=payload, confirmable=confirmable
    )


def bootstrap_request(
    *,
    endpoint: str | None,
    preferred_format: int | None = None,
    attributes: tuple[tuple[str, str], ...] = (),
) -> Request:
    """``POST /bs``; ``preferred_format`` is ``pct``."""
    query = [] if endpoint is None else [f"ep={endpoint}"]
    query += [] if preferred_format is None else [f"pct={int(preferred_format)}"]
    query += [f"{name}={value}" for name, value in attributes]
    return Request(Code.POST, ("bs",), tuple(query))


def bootstrap_pack_request(*, endpoint: str | None, accept: int | None = None) -> Request:
    """``GET /bspack`` (LwM2M 1.2)."""
    query = () if endpoint is None else (f"ep={endpoint}",)
    return Request(Code.GET, ("bspack",), query, accept=accept)


def _binding(binding: str | None, queue_mode: bool, version: str) -> list[str]:
    if version == "1.0":
        letters = binding or "U"
        marked = letters[:1] + "Q" + letters[1:] if queue_mode else letters
        return [] if binding is None and not queue_mode else [f"b={marked}"]
    flag = ["Q"] if queue_mode else []
    return flag if binding is None else [f"b={binding}", *flag]


def _with_links(code: Code, path: tuple[str, ...], query: list[str], links: ObjectLinks | bytes) -> Request:
    payload = links.encode() if isinstance(links, ObjectLinks) else links
    content_format = ContentFormat.LINK if payload else None
    return Request(code, path, tuple(query), content_format, payload)
