"""A virtual device for a flow test: switched on when the block begins, switched off when it ends.

    async with running_device("urn:dev:7", bootstrap="coap://127.0.0.1:5783") as device:
        await device.until(lambda: device.is_registered)

Its clockwork is quick (`QUICK`): retransmission after 0.2 s, a new attempt after 0.3 s. With a ``sim`` it speaks SMS:

    running_device("meter-7", bootstrap="tel:+491700000001", sim=Sim("+491711234567", port=smsc.port))
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import replace
from typing import Any

from coap import Tuning
from simulator.device import Device
from simulator.faults import NONE, Faults
from simulator.gateway_children import Child
from simulator.modem import Sim
from simulator.nameplate import SMS_TUNING, Firmware, Nameplate, SmsManners

QUICK_SMS = SmsManners(
    tuning=replace(SMS_TUNING, ack_timeout=1.0, response_seconds=5.0, max_retransmit=3),
    retry_seconds=0.5,
    retry_limit_seconds=1.0,
    finish_seconds=20.0,
)
QUICK = Firmware(
    retry_seconds=0.3,
    retry_limit_seconds=1.0,
    handshake_seconds=5.0,
    tuning=Tuning(ack_timeout=0.2, response_seconds=5.0),
    sms=QUICK_SMS,
)


def new_device(
    endpoint: str,
    *,
    bootstrap: str | None = None,
    server: str | None = None,
    identity: bytes | str = b"",
    key: bytes = b"",
    faults: Faults = NONE,
    firmware: Firmware = QUICK,
    children: Sequence[Child] | None = None,
    gateway_version: str = "2.0",
    sim: Sim | None = None,
    sms_number: str = "",
    **behaviour: Any,
) -> Device:
    """A device that is still off; ``behaviour`` are fields of `Firmware`, such as ``queue_mode=True``.

    With ``children`` it is an M2M gateway, with a ``sim`` it has a modem; ``sms_number`` is from where a server that is
    called over IP sends SMS.
    """
    nameplate = Nameplate(
        endpoint=endpoint,
        bootstrap_uri=bootstrap,
        server_uri=server,
        identity=identity.encode() if isinstance(identity, str) else identity,
        key=key,
        sms_number=sms_number,
    )
    return Device(
        nameplate,
        replace(firmware, **behaviour),
        faults,
        children=children,
        gateway_version=gateway_version,
        sim=sim,
    )


@asynccontextmanager
async def running_device(endpoint: str, **what: Any) -> AsyncIterator[Device]:
    """A device as `new_device` makes it, running inside the block."""
    device = new_device(endpoint, **what)
    device.start()
    try:
        yield device
    finally:
        await device.stop()
