"""From a CoAP request to what it means, or to the error that answers it: the uplink half of the protocol."""

from __future__ import annotations

from collections.abc import Callable
from typing import Literal

from lwm2m import queries
from lwm2m.codes import Code, ContentFormat, dotted
from lwm2m.errors import Lwm2mError, bad_request
from lwm2m.links import ObjectLinks, parse_object_links
from lwm2m.messages import (
    DEFAULT_LIFETIME_SECONDS,
    AnyRequest,
    BootstrapPackRequest,
    BootstrapRequest,
    Deregister,
    Message,
    Register,
    Request,
    Response,
    Send,
    Update,
)
from lwm2m.requests import (
    bootstrap_pack_request,
    bootstrap_request,
    deregister_request,
    register_request,
    send_request,
    update_request,
)

__all__ = [
    "BootstrapPackRequest",
    "BootstrapRequest",
    "Deregister",
    "Message",
    "Plane",
    "Register",
    "Request",
    "Response",
    "Send",
    "Update",
    "bootstrap_pack_request",
    "bootstrap_request",
    "deregister_request",
    "parse",
    "register_request",
    "send_request",
    "update_request",
]

Plane = Literal["management", "bootstrap"]

MAX_REGISTRATION_ID_LENGTH = 64

_REGISTER = frozenset({"ep", "lt", "lwm2m", "b", "Q", "sms"})
_REGISTER_1_2 = _REGISTER | {"pid"}
_UPDATE = frozenset({"lt", "b", "Q", "sms", "pid"})
_BOOTSTRAP = frozenset({"ep", "pct"})
_BOOTSTRAP_PACK = frozenset({"ep", "acc"})
_SEND_FORMATS = frozenset(
    {
        ContentFormat.SENML_JSON,
        ContentFormat.SENML_CBOR,
        ContentFormat.LWM2M_CBOR,
        ContentFormat.TLV,
        ContentFormat.JSON,
    }
)


def parse(request: AnyRequest, *, plane: Plane) -> Message:
    """Say what a client asks of the management server (``/rd``, ``/dp``) or of the bootstrap server.

    Raises `Lwm2mError`: 4.04 for a path that is not served on this plane, 4.05 for a wrong method, 4.00
    for what is malformed, 4.12 for a version and 4.15 for a format not spoken here. Nothing else.
    """
    path = request.path
    # The plain refresh comes 10,000 times a second: it passes no table and no query parser.
    if plane == "management" and len(path) == 2 and path[0] == "rd":
        if request.code == Code.POST:
            return _update(request, path[1])
        if request.code == Code.DELETE:
            return _deregister(request, path[1])
        raise _method_not_allowed(request.code, "POST or DELETE")
    route = _ROUTES[plane].get(path)
    if route is None:
        raise Lwm2mError(
            Code.NOT_FOUND, "PATH_UNKNOWN", f"Nothing is served here; this plane has {_served(plane)}."
        )
    method, read = route
    if request.code != method:
        raise _method_not_allowed(request.code, method.name)
    return read(request)


def _served(plane: Plane) -> str:
    return " and ".join("/" + "/".join(path) for path in _ROUTES[plane])


def _method_not_allowed(code: int, allowed: str) -> Lwm2mError:
    return Lwm2mError(
        Code.METHOD_NOT_ALLOWED,
        "METHOD_NOT_ALLOWED",
        f"Method {dotted(code)} is not for this path; use {allowed}.",
    )


def _confirmed(request: AnyRequest) -> None:
    if not request.confirmable:
        raise bad_request("NOT_CONFIRMABLE", "This request must be confirmable; send it as CON.")


def _registration_id(segment: str) -> str:
    if not segment or len(segment) > MAX_REGISTRATION_ID_LENGTH or not segment.isprintable():
        raise Lwm2mError(Code.NOT_FOUND, "REGISTRATION_UNKNOWN", "No such registration; register anew.")
    return segment


def _register(request: AnyRequest) -> Register:
    _confirmed(request)
    _check_links_format(request)
    known = _REGISTER_1_2 if "lwm2m=1.2" in request.query else _REGISTER
    parameters, attributes = queries.split(request.query, known)
    version = queries.version(parameters)
    letters = queries.binding_letters(parameters)
    binding, queue_mode = queries.binding(letters or "U", queries.flag(parameters, "Q"), version)
    lifetime = queries.lifetime(parameters)
    profile_ids = queries.profile_ids(parameters)
    return Register(
        endpoint=queries.endpoint(parameters),
        lifetime_seconds=DEFAULT_LIFETIME_SECONDS if lifetime is None else lifetime,
        version=version,
        binding=binding,
        queue_mode=queue_mode,
        sms_number=queries.sms_number(parameters),
        profile_ids=profile_ids,
        object_links=_object_list(request.payload, optional=bool(profile_ids)),
        attributes=attributes,
    )


def _update(request: AnyRequest, segment: str) -> Update:
    registration_id = _registration_id(segment)
    _confirmed(request)
    if not request.query and not request.payload:
        return Update(registration_id)
    _check_links_format(request)
    parameters, attributes = queries.split(request.query, _UPDATE)
    return Update(
        registration_id=registration_id,
        lifetime_seconds=queries.lifetime(parameters),
        binding=queries.binding_letters(parameters),
        queue_mode=queries.flag(parameters, "Q") or None,
        sms_number=queries.sms_number(parameters),
        object_links=_object_list(request.payload, optional=True),
        attributes=attributes,
        profile_ids=queries.profile_ids(parameters),
    )


def _check_links_format(request: AnyRequest) -> None:
    """lwm2m-node-lib sends no Content-Format at all; a wrong one is 4.00, as Register knows no 4.15."""
    if request.payload and request.content_format not in (None, ContentFormat.LINK):
        raise bad_request("BAD_LINK_FORMAT", "The object list must be link-format; send Content-Format 40.")


def _object_list(payload: bytes, *, optional: bool) -> ObjectLinks | None:
    return None if optional and not payload else parse_object_links(payload)


def _deregister(request: AnyRequest, segment: str) -> Deregister:
    registration_id = _registration_id(segment)
    _confirmed(request)
    return Deregister(registration_id)


def _send(request: AnyRequest) -> Send:
    # May be non-confirmable since LwM2M 1.2.1.
    if request.content_format not in _SEND_FORMATS:
        raise bad_request("CONTENT_FORMAT_UNSUPPORTED", "Send needs Content-Format 110, 112 or 11544.")
    if not request.payload:
        raise bad_request("PAYLOAD_MALFORMED", "Send has no values; send at least one.")
    return Send(int(request.content_format or 0), request.payload)


def _bootstrap(request: AnyRequest) -> BootstrapRequest:
    _confirmed(request)
    parameters, attributes = queries.split(request.query, _BOOTSTRAP)
    return BootstrapRequest(
        endpoint=queries.endpoint(parameters),
        preferred_format=queries.preferred_format(parameters, "pct"),
        attributes=attributes,
    )


def _bootstrap_pack(request: AnyRequest) -> BootstrapPackRequest:
    _confirmed(request)
    parameters, attributes = queries.split(request.query, _BOOTSTRAP_PACK)
    wished = queries.preferred_format(parameters, "acc")
    return BootstrapPackRequest(
        endpoint=queries.endpoint(parameters),
        accept=request.accept if wished is None else wished,
        attributes=attributes,
    )


_Route = tuple[Code, Callable[[AnyRequest], Message]]

_ROUTES: dict[Plane, dict[tuple[str, ...], _Route]] = {
    "management": {("rd",): (Code.POST, _register), ("dp",): (Code.POST, _send)},
    "bootstrap": {("bs",): (Code.POST, _bootstrap), ("bspack",): (Code.GET, _bootstrap_pack)},
}
