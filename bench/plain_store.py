"""What managing is compared with: plain aiocoap, which saves one Django row per message, with the portal's own settings
of the database.

    python -m bench.plain_store PORT notify          observes each device that registers, saves each notification
    python -m bench.plain_store PORT ask DEVICES K   reads each device K times once that many are registered

A notification is a row inserted, a read is two rows of the same mailbox saved: the request when it leaves, and the
answer when it came. Rows of requests wait in the table beforehand, as commands do.
"""

from __future__ import annotations

import asyncio
import os
import signal
import sys
import time
from collections.abc import Iterable
from typing import Any

import aiocoap
import django
from aiocoap import Message, resource
from aiocoap.numbers.contentformat import ContentFormat
from django.db import connection, models

SENML_CBOR = ContentFormat(112)
PATH = ("3303", "0", "5700")
os.environ.setdefault("DJANGO_SETTINGS_MODULE", "m2m_portal.settings")
os.environ["DJANGO_ALLOW_ASYNC_UNSAFE"] = "1"  # saved on the loop, which is the fastest that plain Django has
django.setup()


class Row(models.Model):
    """A message, or a request with its answer."""

    device = models.CharField(max_length=255, db_index=True)
    state = models.CharField(max_length=10)
    code = models.CharField(max_length=20, blank=True)
    payload = models.BinaryField(blank=True)
    at = models.DateTimeField(auto_now=True)

    class Meta:
        app_label = "bench"
        db_table = "bench_row"


class Registrations(resource.Resource):
    """`POST /rd`: the device's address is kept."""

    def __init__(self) -> None:
        super().__init__()
        self.remotes: dict[str, Any] = {}
        self.came = asyncio.Event()

    async def render_post(self, request: Message) -> Message:
        name = next(word[3:] for word in request.opt.uri_query if word.startswith("ep="))
        self.remotes[name] = request.remote
        self.came.set()
        return Message(code=aiocoap.CREATED, location_path=("rd", name))


def asks(remote: Any, **options: Any) -> Message:
    message = Message(code=aiocoap.GET, uri_path=PATH, accept=SENML_CBOR, **options)
    message.remote = remote
    return message


async def observe_all(context: aiocoap.Context, registrations: Registrations) -> None:
    observed: dict[str, Any] = {}
    while True:
        await registrations.came.wait()
        registrations.came.clear()
        for name in registrations.remotes.keys() - observed.keys():
            observed[name] = asking = context.request(asks(registrations.remotes[name], observe=0))
            asking.observation.register_callback(lambda message, name=name: _save(name, message))


def _save(name: str, message: Message) -> None:
    Row.objects.create(device=name, state="told", code=str(message.code), payload=message.payload)


async def ask_all(context: aiocoap.Context, registrations: Registrations, devices: int, times: int) -> None:
    while len(registrations.remotes) < devices:
        await registrations.came.wait()
        registrations.came.clear()
    waiting = {
        name: Row.objects.bulk_create(Row(device=name, state="queued") for _ in range(times))
        for name in registrations.remotes
    }
    print("asking", flush=True)
    begun = time.monotonic()
    await asyncio.gather(
        *(_ask(context, remote, waiting[name]) for name, remote in registrations.remotes.items())
    )
    print(f"{time.monotonic() - begun:.3f}", flush=True)


async def _ask(context: aiocoap.Context, remote: Any, rows: Iterable[Row]) -> None:
    """One request at a time, as NSTART says."""
    for row in rows:
        row.state = "sent"
        row.save(update_fields=["state", "at"])
        answer = await context.request(asks(remote)).response
        row.state, row.code, row.payload = "done", str(answer.code), answer.payload
        row.save(update_fields=["state", "code", "payload", "at"])


async def main(port: int, mode: str, *sizes: str) -> None:
    with connection.schema_editor() as editor:
        if Row._meta.db_table in connection.introspection.table_names():
            editor.delete_model(Row)
        editor.create_model(Row)
    registrations = Registrations()
    site = resource.Site()
    site.add_resource(["rd"], registrations)
    context = await aiocoap.Context.create_server_context(site, bind=("127.0.0.1", port))
    stop = asyncio.Event()
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, stop.set)
    if mode == "notify":
        work = asyncio.create_task(observe_all(context, registrations))
    else:
        work = asyncio.create_task(ask_all(context, registrations, *map(int, sizes)))
    print("ready", flush=True)
    await stop.wait()
    print(Row.objects.filter(state="told").count(), flush=True)
    work.cancel()
    await context.shutdown()


if __name__ == "__main__":
    asyncio.run(main(int(sys.argv[1]), *sys.argv[2:]))
