"""Bootstrap driver."""

from __future__ import annotations

from typing import Any


class BootstrapServer:
    uplink: Any

    def __init__(self, **kwargs: Any) -> None: ...

    def request(self, exchange: Any, message: Any) -> None: ...

    async def stop(self) -> None: ...
