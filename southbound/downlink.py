"""The door out: claim, send, settle, one command at a time per device."""

from __future__ import annotations

from typing import Any

from lwm2m.registration import Outcome


class Downlink:
    def __init__(self, **kwargs: Any) -> None: ...

    def wake(self, device_id: int) -> None: ...

    def heard(self, device_id: int, outcome: Outcome) -> None: ...

    def ended(self, device_id: int) -> None: ...

    async def stop(self) -> None: ...
