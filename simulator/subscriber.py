"""A subscriber who adds devices through a portal's REST API; the portal is an HTTP server, no more."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import Any
from urllib.error import HTTPError, URLError
from urllib.parse import quote, urlsplit
from urllib.request import Request, urlopen

TIMEOUT_SECONDS = 20


class PortalRefused(Exception):
    """The portal cannot be reached or says no; the text is for the person at the keyboard."""


@dataclass(frozen=True, slots=True)
class Credentials:
    """What the portal prints on a device."""

    endpoint: str
    identity: str
    key_hex: str = field(repr=False)


class Subscriber:
    """Blocking: call it from a thread."""

    def __init__(self, portal: str) -> None:
        parts = urlsplit(portal)
        if parts.scheme not in ("http", "https") or not parts.hostname:
            raise PortalRefused(f"{portal!r} is not the address of a portal; write http://127.0.0.1:8000.")
        self._base = portal.rstrip("/") + "/api/v1/"
        self._token: str | None = None

    def login(self, email: str, password: str) -> None:
        """Raises `PortalRefused`."""
        answer = self._call("POST", "auth/login/", {"email": email, "password": password})
        token = answer.get("token")
        if not isinstance(token, str):
            raise PortalRefused("The portal's sign-in gave no token; is this the right address?")
        self._token = token

    def has(self, endpoint: str) -> bool:
        """Whether the portal still has a device of this name that we may see. Raises `PortalRefused`."""
        return self._call("GET", f"devices/{quote(endpoint, safe='')}/", allow_missing=True) != {}

    def add(self, endpoint: str, operator: str) -> Credentials:
        """Add a device and get the key that the portal shows once. Raises `PortalRefused`."""
        wish = {"endpoint": endpoint, "name": f"Simulated {endpoint}", "operator": operator}
        answer = self._call("POST", "devices/", wish)
        identity, key = answer.get("identity"), answer.get("key")
        if not isinstance(identity, str) or not isinstance(key, str):
            raise PortalRefused(f"The portal added {endpoint} but showed no identity and key.")
        return Credentials(endpoint, identity, key)

    def add_by_sms(self, endpoint: str, operator: str, number: str) -> str:
        """Add a device that has SMS alone; the ``tel:`` address that it calls. Raises `PortalRefused`."""
        wish = {"endpoint": endpoint, "name": f"Simulated {endpoint}", "operator": operator}
        answer = self._call("POST", "devices/", {**wish, "reach": "sms", "msisdn": number})
        server = answer.get("server")
        if not isinstance(server, str) or not server.startswith("tel:"):
            raise PortalRefused(f"The portal added {endpoint} but gave no number to send SMS to.")
        return server

    def _call(
        self, method: str, path: str, body: dict[str, Any] | None = None, *, allow_missing: bool = False
    ) -> dict[str, Any]:
        headers = {"Accept": "application/json", "Content-Type": "application/json"}
        if self._token is not None:
            headers["Authorization"] = f"Token {self._token}"
        data = None if body is None else json.dumps(body).encode()
        request = Request(self._base + path, data=data, headers=headers, method=method)  # noqa: S310
        try:
            with urlopen(request, timeout=TIMEOUT_SECONDS) as response:  # noqa: S310 - http(s) was checked above
                answer = json.load(response)
        except HTTPError as error:
            with error:
                if allow_missing and error.code == 404:
                    return {}
                raise PortalRefused(f"{method} {path}: {_reason(error)}") from None
        except (URLError, OSError) as error:
            reason = getattr(error, "reason", error)
            raise PortalRefused(f"The portal at {self._base} does not answer: {reason}.") from None
        except ValueError:
            raise PortalRefused(f"{self._base}{path} answers with something that is not JSON.") from None
        return answer if isinstance(answer, dict) else {}


def _reason(error: HTTPError) -> str:
    """``{"code": ..., "detail": ...}`` in a line."""
    try:
        said = json.load(error)
        return f"{said.get('code', error.code)}, {said.get('detail', said)}"
    except (ValueError, AttributeError, OSError):
        return f"HTTP {error.code} {error.reason}"
