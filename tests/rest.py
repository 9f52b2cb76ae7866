"""A small REST client for tests that talk to a running portal as a program would."""

from __future__ import annotations

import json
import urllib.error
import urllib.parse
import urllib.request
from dataclasses import dataclass
from typing import Any


@dataclass
class Answer:
    status: int
    body: Any


@dataclass
class Rest:
    """Calls `{url}/api/v1/…`; a token is sent once `login` got one."""

    url: str
    token: str = ""

    def call(self, method: str, path: str, body: dict[str, Any] | None = None) -> Answer:
        request = urllib.request.Request(
            f"{self.url}/api/v1/{path}",
            method=method,
            data=None if body is None else json.dumps(body).encode(),
            headers={"Content-Type": "application/json", "Accept": "application/json"},
        )
        if self.token:
            request.add_header("Authorization", f"Token {self.token}")
        try:
            with urllib.request.urlopen(request, timeout=60) as answer:
                return Answer(answer.status, json.loads(answer.read() or b"null"))
        except urllib.error.HTTPError as error:
            with error:
                return Answer(error.code, json.loads(error.read() or b"null"))

    def login(self, email: str, password: str) -> None:
        answer = self.call("POST", "auth/login/", {"email": email, "password": password})
        assert answer.status == 200, answer
        self.token = answer.body["token"]

    def device(self, endpoint: str) -> dict[str, Any]:
        answer = self.call("GET", f"devices/{urllib.parse.quote(endpoint, safe='')}/")
        assert answer.status == 200, answer
        return dict(answer.body)
