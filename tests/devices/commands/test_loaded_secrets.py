"""What an operator's own model calls a key is hidden as if the model were shipped, and for that operator alone."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

from devices.commands.models import Command
from devices.commands.outcomes import Done
from devices.commands.services import mailbox
from devices.inventory import object_models, secrecy
from devices.inventory.services import object_models as definitions
from devices.inventory.services.object_models import Source
from devices.operations.services import settlement
from devices.telemetry.models import ResourceHistory, ResourceValue
from devices.telemetry.services import traces, values
from devices.telemetry.services.values import Sample
from lwm2m.codes import ContentFormat
from lwm2m.objects import core
from lwm2m.paths import Path
from tests.devices.commands.test_operations import ask
from tests.devices.inventory.test_object_models import ddf

pytestmark = pytest.mark.django_db

NOW = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)
VAULT = ddf(32999, resource="Service API Key").replace(b"Integer", b"String").replace(b"0..9", b"")
KEY, PLAIN = "/32999/0/1", "s3cret-of-the-vendor"


@pytest.fixture(autouse=True)
def loaded(north):
    definitions.load(operator=north, files=[Source("vault.xml", VAULT)])


def store(device: Any, path: str = KEY, value: Any = PLAIN, **more: Any) -> ResourceValue:
    values.store(samples=[Sample(device.pk, path, value, NOW.timestamp())], now=NOW, **more)
    return ResourceValue.objects.get(device=device, path=path)


def test_a_reported_key_is_not_stored(device, make, south):
    theirs = make("urn:dev:south", operator=south, subscriber=None)
    for more in ({}, {"operators": {device.pk: device.operator_id, theirs.pk: theirs.operator_id}}):
        assert (store(device, **more).kind, store(device, **more).text) == ("h", None)
        assert store(theirs, **more).text == PLAIN
    assert not ResourceHistory.objects.filter(value__device=device).exists()
    definitions.remove(operator=device.operator, object_id=32999, version="1.0")
    assert store(device, "/32999/1/1").text == PLAIN


def test_any_version_that_calls_it_a_key_hides_it(device, north):
    later = VAULT.replace(b"1.0", b"1.1").replace(b"Service API Key", b"Label")
    definitions.load(operator=north, files=[Source("later.xml", later)])
    assert object_models.catalogue(north.pk).resource(Path.parse(KEY)).name == "Label"
    assert store(device).kind == "h"


def test_no_loaded_model_uncovers_what_the_shipped_ones_hide(device, north):
    harmless = ddf(11, version="9.0", resource="Colour")
    definitions.load(operator=north, files=[Source("harmless.xml", harmless)])
    catalogue = object_models.catalogue(north.pk)
    hidden = [
        f"/{number}/0/{resource}"
        for number, versions in core().versions.items()
        for model in versions.values()
        for resource in model.resources
        if secrecy.is_secret(Path(number, 0, resource))
    ]
    assert len(hidden) > 5
    assert all(secrecy.is_secret(Path.parse(path), catalogue) for path in hidden)
    assert all(path in secrecy.of_operator(north.pk) for path in hidden)


def answered(device: Any, path: str, answer: Any) -> Command:
    command = ask(device, "read", path)
    assert mailbox.claim(device_id=device.pk, flow="southbound.1.test", now=NOW)
    settlement.settle_one(command_id=command.pk, outcome=Done("2.05", answer), now=NOW)
    command.refresh_from_db()
    return command


def test_an_answer_is_kept_without_the_key(device):
    node = {"path": KEY, "value": PLAIN}
    assert answered(device, "/32999/0", {"nodes": [node]}).answer["nodes"] == [{**node, "value": "(hidden)"}]
    assert ResourceValue.objects.get(device=device, path=KEY).kind == "h"
    for path in ("/32999", "/32999/0", KEY):
        kept = answered(device, path, {"raw": {"base64": "czNjcmV0"}, "problem": "cut short"}).answer
        assert kept == {"raw": "(hidden)", "problem": "cut short"}, path
    raw = {"raw": {"base64": "czNjcmV0"}}
    assert answered(device, "/3303/0", raw).answer == raw


def test_a_written_key_waits_sealed_and_is_stored_nowhere(device, api, member, north):
    command = ask(device, "write", KEY, value=PLAIN)
    assert PLAIN not in str(command.arguments)
    shown = api(member("support", north)).get(f"/api/v1/devices/{device.endpoint}/commands/").json()
    assert shown["results"][0]["arguments"]["value"] == "(hidden)"
    claimed = mailbox.claim(device_id=device.pk, flow="southbound.1.test", now=NOW)
    assert claimed.arguments["value"] == PLAIN
    settlement.settle_one(command_id=command.pk, outcome=Done("2.04", None), now=NOW)
    assert ResourceValue.objects.get(device=device, path=KEY).kind == "h"


def test_what_was_written_is_typed_by_the_loaded_model(device, north):
    text = ddf(33000).replace(b"Integer", b"Float")
    definitions.load(operator=north, files=[Source("float.xml", text)])
    command = ask(device, "write", "/33000/0/1", value=5)
    mailbox.claim(device_id=device.pk, flow="southbound.1.test", now=NOW)
    settlement.settle_one(command_id=command.pk, outcome=Done("2.04", None), now=NOW)
    assert ResourceValue.objects.get(device=device, path="/33000/0/1").kind == "n"


def test_a_trace_shows_no_key(device, north):
    catalogue = object_models.catalogue(north.pk)
    said = traces.payload(
        content_format=ContentFormat.TEXT, payload=PLAIN.encode(), path=KEY, catalogue=catalogue
    )
    assert said == {"nodes": [{"path": KEY, "value": "(hidden)"}]}
    assert PLAIN in str(traces.payload(content_format=ContentFormat.TEXT, payload=PLAIN.encode(), path=KEY))


def test_the_pages_of_a_device_name_its_operators_objects(client, device, member, north):
    client.force_login(member("administrator", north))
    page = client.get(f"/admin/inventory/device/{device.pk}/change/").content.decode()
    assert "<td>Tank</td>" in page
