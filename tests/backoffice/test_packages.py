"""Packages by page, over REST and on the page of a device: who sees, uploads and removes, and what is said."""

from __future__ import annotations

from hashlib import sha256
from io import BytesIO

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from rest_framework.test import APIClient

from accounts.roles import Role
from audit.models import LedgerEvent
from devices.commands.models import Command
from devices.packages.models import Package
from devices.packages.services import packages
from tests.backoffice.managing import address, ask, desk, meter, signed_in, text

__all__ = ["desk", "meter", "signed_in"]
pytestmark = pytest.mark.django_db
LIST, ADD = "/admin/packages/package/", "/admin/packages/package/add/"
API = "/api/v1/packages/"
WRITERS = (Role.ADMINISTRATOR, Role.PROVISIONING)
READERS = (Role.SUPPORT, Role.READ_ONLY, Role.AUDITOR)


def file(content: bytes = b"firmware") -> SimpleUploadedFile:
    return SimpleUploadedFile("meter.bin", content)


@pytest.fixture
def package(north) -> Package:
    return packages.upload(
        operator=north, name="Meter 1.4.2", file=BytesIO(b"there before"), file_name="old.bin"
    )


@pytest.fixture
def caller(member, north):
    def sign_in(role: str) -> APIClient:
        client = APIClient()
        client.force_authenticate(member(role, north))
        return client

    return sign_in


# -- the admin -----------------------------------------------------------------------------------------------


def test_staff_upload_a_package_find_its_address_and_remove_it(signed_in, north):
    client = signed_in(Role.PROVISIONING)
    assert f'<option value="{north.pk}" selected>' in text(client.get(ADD))
    sent = {"operator": north.pk, "name": "Meter 1.4.3", "file": file()}
    page = text(client.post(ADD, sent, follow=True))
    made = Package.objects.get()
    assert packages.uri(made) in page
    assert made.sha256 in page
    assert "Meter 1.4.3" in text(client.get(f"{LIST}?q={made.sha256[:8]}"))
    assert "Meter 1.4.3" not in text(client.get(f"{LIST}?q=nothing"))
    chosen = {"action": "remove", "_selected_action": made.pk}
    assert "Remove these packages?" in text(client.post(LIST, chosen))
    client.post(LIST, {**chosen, "reason": "withdrawn by its maker"})
    assert not Package.objects.exists()
    assert LedgerEvent.objects.get(action="package.removed").reason == "withdrawn by its maker"


@pytest.mark.parametrize(
    ("sent", "words"),
    [
        ({"file": file(b"")}, "The file is empty"),
        ({"file": ""}, "This field is required"),
        ({"name": ""}, "This field is required"),
        ({"sha256": "12" * 32}, "was damaged on its way"),
        ({"file": file(b"there before")}, "here already, as Meter 1.4.2"),
    ],
)
def test_what_is_wrong_is_said_at_the_form(signed_in, north, package, sent, words):
    client = signed_in(Role.ADMINISTRATOR)
    page = text(client.post(ADD, {"operator": north.pk, "name": "New", "file": file(), **sent}))
    assert words in page
    assert Package.objects.count() == 1


@pytest.mark.parametrize("role", READERS)
def test_others_look_and_change_nothing(signed_in, package, role):
    client = signed_in(role)
    assert "Meter 1.4.2" in text(client.get(LIST))
    assert client.get(ADD).status_code == 403
    client.post(LIST, {"action": "remove", "_selected_action": package.pk, "reason": "x"})
    assert Package.objects.exists()


# -- REST ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("role", WRITERS)
def test_a_program_uploads_asks_for_a_devices_address_and_removes(caller, north, device, role):
    client, meter = caller(role), device("urn:dev:meter")
    digest = sha256(b"firmware").hexdigest()
    answer = client.post(API, {"name": "Meter 1.4.3", "file": file(), "sha256": digest}, format="multipart")
    assert answer.status_code == 201, answer.data
    made = Package.objects.get()
    assert answer.data["uri"] == packages.uri(made)
    assert (answer.data["operator"], answer.data["size"], answer.data["sha256"]) == ("northwind", 8, digest)
    one = client.get(f"{API}{made.pk}/", {"device": meter.endpoint})
    assert one.data["uri"] == packages.uri(made, meter)
    assert [row["name"] for row in client.get(API, {"q": "1.4.3"}).data["results"]] == ["Meter 1.4.3"]
    assert client.get(API, {"q": "other"}).data["results"] == []
    again = client.post(API, {"name": "Again", "file": file()}, format="multipart")
    assert (again.status_code, again.data["code"]) == (409, "CONFLICT")
    assert client.delete(f"{API}{made.pk}/?reason=withdrawn").status_code == 204
    assert LedgerEvent.objects.get(action="package.removed").reason == "withdrawn"


def test_an_address_is_told_for_devices_of_its_operator_alone(caller, south, device, package):
    client = caller(Role.ADMINISTRATOR)
    device("urn:dev:theirs", operator=south)
    for endpoint in ("urn:dev:theirs", "urn:dev:none"):
        answer = client.get(f"{API}{package.pk}/", {"device": endpoint})
        assert (answer.status_code, answer.data["code"]) == (400, "VALIDATION_FAILED")


@pytest.mark.parametrize("role", READERS)
def test_readers_may_not_upload(caller, package, role):
    client = caller(role)
    assert client.get(f"{API}{package.pk}/").data["name"] == "Meter 1.4.2"
    assert client.post(API, {"name": "x", "file": file()}, format="multipart").status_code == 403
    assert client.delete(f"{API}{package.pk}/").status_code == 403


def test_subscribers_see_none(subscriber, package):
    client = APIClient()
    client.force_authenticate(subscriber.user)
    assert client.get(API).status_code == 403


# -- the page of a device ------------------------------------------------------------------------------------


def test_the_package_uri_of_a_device_is_offered_and_written(desk, meter, package):
    page = text(desk.get(address(meter, "?node=/5/0/1")))
    own = packages.uri(package, meter)
    assert f'<option value="{own}">Meter 1.4.2</option>' in page
    assert 'list="ask-write-value-suggestions"' in page
    ask(desk, meter, path="/5/0/1", ask="write", value=own)
    command = Command.objects.get()
    assert (command.operation, command.path, command.arguments["value"]) == ("write", "/5/0/1", own)
    assert "datalist" not in text(desk.get(address(meter, "?node=/3/0/15")))


def test_where_no_files_are_served_none_are_offered(desk, meter, package, settings):
    settings.COAP_FILES_PORT = 0
    assert "datalist" not in text(desk.get(address(meter, "?node=/5/0/1")))


def test_the_newest_are_offered(desk, meter, north):
    for number in range(30):
        packages.upload(
            operator=north, name=f"Package {number}", file=BytesIO(bytes([number])), file_name="x.bin"
        )
    page = text(desk.get(address(meter, "?node=/5/0/1")))
    assert page.count('<option value="coap://') == 20
