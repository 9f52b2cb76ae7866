"""Ordering operations as a page does, of a virtual device that is registered with a running southbound."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from devices.commands.models import Command
from devices.inventory.models import Device, Plane
from devices.operations.services import operations
from simulator.device import Device as Client
from tests.fakes.devices import running_device
from tests.southbound.client import until


def uri(southbound) -> str:
    return f"coap://127.0.0.1:{southbound.ports.port_of(Plane.MANAGEMENT, secured=False)}"


@asynccontextmanager
async def managed(southbound, endpoint: str = "dev-1", **behaviour) -> AsyncIterator[Client]:
    """A registered device."""
    async with running_device(endpoint, server=uri(southbound), **behaviour) as client:
        await client.until(lambda: client.is_registered)
        yield client


async def ended(command: Command) -> Command:
    rows = Command.objects.filter(pk=command.pk).exclude(state__in=["queued", "sent"])
    return await until(lambda: rows.first())


async def order(device: Device, operation: str, path: str = "", *, paths=(), **arguments) -> Command:
    """Ask for an operation and return its command once it ended."""
    made = await until(
        lambda: operations.request(
            device=device,
            operation=operation,
            path=path,
            paths=paths,
            arguments=arguments,
            requested_by="test",
        )
    )
    return await ended(made)


def told(command: Command) -> dict:
    """The values of an answer by path."""
    assert (command.state, command.response_code) == ("done", "2.05"), (command.state, command.detail)
    return {node["path"]: node["value"] for node in command.answer["nodes"]}
