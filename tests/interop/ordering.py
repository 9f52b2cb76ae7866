"""Ordering operations as a program does: asked for over REST, looked at over REST until they ended."""

from __future__ import annotations

from typing import Any
from urllib.parse import quote

from tests.rest import Rest
from tests.running_portal import until

WAITING = ("queued", "sent")


class Managed:
    """One device, as the operator's staff sees it through `devices/{endpoint}/…`."""

    def __init__(self, rest: Rest, endpoint: str) -> None:
        self._rest = rest
        self._at = f"devices/{quote(endpoint, safe='')}"

    def ask(self, operation: str, path: str = "", **what: Any) -> dict[str, Any]:
        """The command as it stands right after it was asked for."""
        body = {"operation": operation} | ({"path": path} if path else {}) | what
        answer = self._rest.call("POST", f"{self._at}/commands/", body)
        assert answer.status == 201, answer
        return dict(answer.body)

    def command(self, number: int) -> dict[str, Any]:
        answer = self._rest.call("GET", f"{self._at}/commands/{number}/")
        assert answer.status == 200, answer
        return dict(answer.body)

    def ended(self, number: int, *, seconds: float = 60) -> dict[str, Any]:
        return until(
            lambda: (found := self.command(number))["state"] not in WAITING and found,
            seconds=seconds,
            what=f"command {number} ends",
        )  # type: ignore[return-value]

    def order(self, operation: str, path: str = "", **what: Any) -> dict[str, Any]:
        """Ask, and wait until it ended."""
        return self.ended(self.ask(operation, path, **what)["id"])

    def done(self, operation: str, path: str = "", code: str = "2.05", **what: Any) -> dict[str, Any]:
        """Ask, and expect it to be done with this code; what the device answered."""
        command = self.order(operation, path, **what)
        assert (command["state"], command["response_code"]) == ("done", code), command
        return command["answer"] or {}

    def told(self, operation: str, path: str = "", **what: Any) -> dict[str, Any]:
        """The values of the answer by path."""
        return {node["path"]: node["value"] for node in self.done(operation, path, **what)["nodes"]}

    def cancel(self, number: int) -> dict[str, Any]:
        answer = self._rest.call("POST", f"{self._at}/commands/{number}/cancel/", {})
        assert answer.status == 200, answer
        return dict(answer.body)

    def list(self, what: str) -> list[dict[str, Any]]:
        answer = self._rest.call("GET", f"{self._at}/{what}")
        assert answer.status == 200, answer
        return list(answer.body["results"])

    def latest(self, path: str) -> Any:
        """The stored value of one resource, None when there is none."""
        return next(
            (row["value"] for row in self.list(f"resources/?path={path}") if row["path"] == path), None
        )

    def becomes(self, path: str, value: Any) -> None:
        """Wait until this value was stored."""
        until(lambda: self.latest(path) == value, seconds=15, what=f"{path} is {value}")

    def observation(self, state: str) -> dict[str, Any]:
        """Wait for the observation in this state."""
        return until(
            lambda: next(iter(self.list(f"observations/?state={state}")), None),
            seconds=15,
            what=f"an observation is {state}",
        )
