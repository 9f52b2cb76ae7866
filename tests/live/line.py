"""An open WebSocket of a consumer, without a server (channels.testing needs daphne)."""

from __future__ import annotations

import json
from typing import Any

from asgiref.testing import ApplicationCommunicator
from django.contrib.auth import BACKEND_SESSION_KEY, HASH_SESSION_KEY, SESSION_KEY
from django.contrib.sessions.backends.db import SessionStore

from live import consumers

PATIENCE_SECONDS = 60  # a page pauses twice as long as it looked, which on a busy machine is long


def _session_of(user: Any) -> SessionStore:
    session = SessionStore()
    if user is not None and user.is_authenticated:
        session[SESSION_KEY] = str(user.pk)
        session[BACKEND_SESSION_KEY] = "accounts.backends.RoleBackend"
        session[HASH_SESSION_KEY] = user.get_session_auth_hash()
        session.create()
    return session


class Line(ApplicationCommunicator):
    """Speaks ASGI with one consumer."""

    def __init__(self, consumer: Any, path: str, user: Any, kwargs: dict[str, Any] | None = None) -> None:
        path, _, query = path.partition("?")
        scope = {
            "type": "websocket",
            "path": path,
            "query_string": query.encode(),
            "headers": [],
            "subprotocols": [],
            "user": user,
            "url_route": {"args": (), "kwargs": kwargs or {}},
        }
        self.scope = scope
        super().__init__(consumer.as_asgi(), scope)

    async def open(self) -> None:
        """As a browser that is signed in: with a session of its own."""
        self.scope["session"] = await consumers._in_thread(_session_of, self.scope["user"])
        await self.send_input({"type": "websocket.connect"})
        assert (await self.receive_output(PATIENCE_SECONDS))["type"] == "websocket.accept"

    async def say(self, text: str) -> None:
        await self.send_input({"type": "websocket.receive", "text": text})

    async def hear(self, count: int) -> dict[str, str]:
        """So many fragments: html by target."""
        heard = [json.loads((await self.receive_output(PATIENCE_SECONDS))["text"]) for _ in range(count)]
        return {message["target"]: message["html"] for message in heard}

    async def closed_with(self) -> int:
        while True:
            message = await self.receive_output(PATIENCE_SECONDS)
            if message["type"] == "websocket.close":
                return message["code"]

    async def close(self) -> None:
        await self.send_input({"type": "websocket.disconnect", "code": 1000})
        await self.wait(PATIENCE_SECONDS)
