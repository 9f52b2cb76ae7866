"""Uri-Query of the client-initiated operations: bounded, judged by `OMA-TS-LightweightM2M_Core 6.2`."""

from __future__ import annotations

import re

from lwm2m.codes import Code, ContentFormat
from lwm2m.errors import Lwm2mError, bad_request
from lwm2m.messages import MAX_LIFETIME_SECONDS

MAX_PARAMETERS = 48
MAX_ATTRIBUTES = 32
MAX_OPTION_BYTES = 255
"""`RFC 7252 section 5.10`: a Uri-Query option holds at most 255 bytes."""
MAX_ENDPOINT_BYTES = 255
MAX_PROFILE_IDS = 16

SUPPORTED_VERSIONS = ("1.0", "1.1", "1.2")
BOOTSTRAP_FORMATS = frozenset(
    {ContentFormat.SENML_JSON, ContentFormat.SENML_CBOR, ContentFormat.TLV, ContentFormat.LWM2M_CBOR}
)

_BINDINGS_1_0 = frozenset({"U", "UQ", "S", "SQ", "US", "UQS"})
_BINDING_LETTERS = {"1.1": frozenset("UTSN"), "1.2": frozenset("UTSNMH")}
_ANY_BINDING = re.compile(r"[UTSNMHQ]{1,8}\Z")
_VERSION = re.compile(r"[0-9]{1,3}\.[0-9]{1,3}\Z", re.ASCII)
_MSISDN = re.compile(r"\+?[0-9]{1,20}\Z", re.ASCII)
_PROFILE_ID = re.compile(r"(?:[0-9]{1,3}:[0-9A-Fa-f]{1,128}|(?:oma|v):[A-Za-z0-9._~:\-]{1,128})\Z", re.ASCII)


def split(
    query: tuple[str, ...], known: frozenset[str]
) -> tuple[dict[str, str | None], tuple[tuple[str, str], ...]]:
    """Part a query into known parameters (None = written without ``=``) and additional attributes.

    An unknown ``k=v`` is kept as an attribute, the last of a name standing; an unknown flag without a
    value, or one that cannot be shown on a screen, is left out. Raises 4.00 ``PARAMETER_INVALID`` for a
    repeated known parameter, a control character in one, or too much of anything.
    """
    if len(query) > MAX_PARAMETERS:
        raise bad_request("PARAMETER_INVALID", f"More than {MAX_PARAMETERS} query parameters; send fewer.")
    parameters: dict[str, str | None] = {}
    attributes: dict[str, str] = {}
    for item in query:
        if len(item) > MAX_OPTION_BYTES or len(item.encode(errors="replace")) > MAX_OPTION_BYTES:
            raise bad_request(
                "PARAMETER_INVALID", f"A query parameter is over {MAX_OPTION_BYTES} bytes; shorten it."
            )
        name, equals, value = item.partition("=")
        if name in known:
            if name in parameters:
                raise bad_request("PARAMETER_INVALID", f"The parameter {name} is sent twice; send it once.")
            if not value.isprintable():
                raise bad_request(
                    "PARAMETER_INVALID", f"The parameter {name} has control characters; send plain text."
                )
            parameters[name] = value if equals else None
        elif equals and name and item.isprintable():
            attributes[name] = value
    if len(attributes) > MAX_ATTRIBUTES:
        raise bad_request(
            "PARAMETER_INVALID", f"More than {MAX_ATTRIBUTES} additional attributes; send fewer."
        )
    return parameters, tuple(attributes.items())


def endpoint(parameters: dict[str, str | None]) -> str | None:
    """``ep``; None when absent, so that the caller can take it from the credentials (L-03)."""
    if "ep" not in parameters:
        return None
    name = parameters["ep"]
    if not name or not name.strip():
        raise bad_request("ENDPOINT_INVALID", "ep is empty; send the endpoint client name or leave ep out.")
    if len(name.encode()) > MAX_ENDPOINT_BYTES:
        raise bad_request("ENDPOINT_INVALID", f"ep is over {MAX_ENDPOINT_BYTES} bytes; shorten it.")
    return name


def lifetime(parameters: dict[str, str | None]) -> int | None:
    """``lt`` in seconds, 0 = never expires; None when absent."""
    if "lt" not in parameters:
        return None
    text = parameters["lt"] or ""
    if not (text.isascii() and text.isdigit() and len(text) <= 10 and int(text) <= MAX_LIFETIME_SECONDS):
        raise bad_request("LIFETIME_INVALID", f"lt must be whole seconds from 0 to {MAX_LIFETIME_SECONDS}.")
    return int(text)


def version(parameters: dict[str, str | None]) -> str:
    """``lwm2m``: one of `SUPPORTED_VERSIONS`, else 4.00 (absent, malformed) or 4.12 (not spoken here)."""
    text = parameters.get("lwm2m")
    if text is None:
        raise bad_request("VERSION_MALFORMED", "The parameter lwm2m is missing; send lwm2m=1.0, 1.1 or 1.2.")
    if not _VERSION.match(text):
        raise bad_request("VERSION_MALFORMED", "lwm2m must read like 1.1; send lwm2m=1.0, 1.1 or 1.2.")
    if text not in SUPPORTED_VERSIONS:
        raise Lwm2mError(
            Code.PRECONDITION_FAILED,
            "VERSION_UNSUPPORTED",
            f"LwM2M {text} is not spoken here; use 1.0, 1.1 or 1.2.",
        )
    return text


def flag(parameters: dict[str, str | None], name: str) -> bool:
    """A parameter that must stand without a value, such as ``Q`` (L-07)."""
    if name not in parameters:
        return False
    if parameters[name] is not None:
        raise bad_request("QUEUE_MODE_INVALID", f"{name} takes no value; send a bare {name}.")
    return True


def binding_letters(parameters: dict[str, str | None]) -> str | None:
    """``b`` as sent, checked only against the letters of all versions; None when absent."""
    if "b" not in parameters:
        return None
    text = parameters["b"] or ""
    if not _ANY_BINDING.match(text):
        raise bad_request("BINDING_INVALID", "b must be one or more of the letters U T S N M H.")
    return text


def binding(letters: str, queue_flag: bool, spoken: str) -> tuple[str, bool]:
    """Judge ``b`` and ``Q`` by the version the client speaks: the binding without Q, and queue mode.

    1.0 writes queue mode as a Q inside ``b``; later versions as a flag of its own (L-07).
    """
    if spoken == "1.0":
        if queue_flag:
            raise bad_request("QUEUE_MODE_INVALID", "LwM2M 1.0 has no parameter Q; send b=UQ.")
        if letters not in _BINDINGS_1_0:
            raise bad_request("BINDING_INVALID", "b of LwM2M 1.0 is one of U, UQ, S, SQ, US, UQS.")
        return letters.replace("Q", ""), "Q" in letters
    if not _BINDING_LETTERS[spoken].issuperset(letters):
        allowed = " ".join(sorted(_BINDING_LETTERS[spoken]))
        raise bad_request("BINDING_INVALID", f"b of LwM2M {spoken} may have only the letters {allowed}.")
    return "".join(dict.fromkeys(letters)), queue_flag


def sms_number(parameters: dict[str, str | None]) -> str | None:
    """``sms``: an MSISDN; a leading + is forgiven and taken off. None when absent."""
    if "sms" not in parameters:
        return None
    text = parameters["sms"] or ""
    if not _MSISDN.match(text):
        raise bad_request("PARAMETER_INVALID", "sms must be the digits of a number with its country code.")
    return text.removeprefix("+")


def profile_ids(parameters: dict[str, str | None]) -> tuple[str, ...]:
    """``pid`` (1.2): one id or a comma list, perhaps quoted; ids are opaque keys, their case kept."""
    if "pid" not in parameters:
        return ()
    words = [word.strip() for word in (parameters["pid"] or "").strip('"').split(",")]
    if len(words) > MAX_PROFILE_IDS or not all(_PROFILE_ID.match(word) for word in words):
        raise bad_request(
            "PARAMETER_INVALID", "pid must read like 6:27354b9a, or be a comma list of such ids."
        )
    return tuple(dict.fromkeys(words))


def preferred_format(parameters: dict[str, str | None], name: str) -> int | None:
    """``pct`` of Bootstrap-Request or ``acc`` of Bootstrap-Pack: 4.15 when we do not write that format."""
    if name not in parameters:
        return None
    text = parameters[name] or ""
    if not (text.isascii() and text.isdigit() and len(text) <= 5 and int(text) <= 65535):
        raise bad_request("PARAMETER_INVALID", f"{name} must be the number of a content format, such as 112.")
    if int(text) not in BOOTSTRAP_FORMATS:
        raise Lwm2mError(
            Code.UNSUPPORTED_CONTENT_FORMAT,
            "BOOTSTRAP_CONTENT_FORMAT_UNSUPPORTED",
            f"{name}={text} cannot be written here; use 110, 112, 11542 or 11544.",
        )
    return int(text)
