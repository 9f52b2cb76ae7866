"""Object definitions by page and over REST: who sees, loads and removes which, and what is said of bad files."""

from __future__ import annotations

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client

from accounts.models import User
from accounts.roles import Role
from accounts.services import staff
from audit.models import LedgerEvent
from devices.inventory import object_models as catalogues
from devices.inventory.models import ObjectDefinition
from devices.inventory.services import object_models
from devices.inventory.services.object_models import MAX_FILE_BYTES, Source
from tests.devices.inventory.test_object_models import BOMB, ddf

pytestmark = pytest.mark.django_db
LIST, ADD = "/admin/inventory/objectdefinition/", "/admin/inventory/objectdefinition/add/"
API = "/api/v1/object-definitions/"
WRITERS = (Role.ADMINISTRATOR, Role.PROVISIONING)
READERS = (Role.SUPPORT, Role.READ_ONLY, Role.AUDITOR)


def file(name: str, content: bytes) -> SimpleUploadedFile:
    return SimpleUploadedFile(name, content, "text/xml")


def several() -> list[SimpleUploadedFile]:
    """One of each kind that can come."""
    return [
        file("tank.xml", ddf()),
        file("again.xml", ddf()),
        file("bomb.xml", BOMB),
        file("huge.xml", b"<LWM2M>" + b" " * MAX_FILE_BYTES),
        file("half.xml", b"<LWM2M><Object>"),
        file("empty.xml", b""),
        file("second.xml", ddf(version="1.1", resource="Filling")),
    ]


def loaded(operator, *contents: bytes) -> list[ObjectDefinition]:
    reports = object_models.load(
        operator=operator, files=[Source(f"{n}.xml", one) for n, one in enumerate(contents)]
    )
    assert all(report.result.value == "loaded" for report in reports)
    return list(ObjectDefinition.objects.filter(operator=operator))


@pytest.fixture
def signed_in(member, north):
    def sign_in(role: str) -> Client:
        client = Client()
        client.force_login(member(role, north))
        return client

    return sign_in


@pytest.fixture
def root() -> User:
    return User.objects.create_superuser("root@example.com")


# -- the admin ---------------------------------------------------------------------------------------------------


def test_files_are_loaded_by_page_and_each_is_reported(signed_in, north):
    client = signed_in(Role.PROVISIONING)
    assert f'<option value="{north.pk}" selected>' in client.get(ADD).content.decode()
    page = client.post(ADD, {"operator": north.pk, "files": several()}).content.decode()
    for words in (
        "4 of 7 files were refused; the others are in use.",
        "/30001 1.0 Tank",
        "Nothing new: exactly this is loaded already",
        "a DOCTYPE is not accepted",
        "The file is over 1 MB",
        "this is no XML",
        "The file is empty",
        "/30001 1.1 Tank",
    ):
        assert words in page, words
    assert list(ObjectDefinition.objects.values_list("operator", "version")) == [
        (north.pk, "1.0"),
        (north.pk, "1.1"),
    ]
    events = LedgerEvent.objects.filter(action="object_definition.loaded")
    assert {event.actor_kind for event in events} == {"user"}
    again = client.post(ADD, {"operator": north.pk, "files": several()[:1]}).content.decode()
    assert "Nothing new" in again
    assert LedgerEvent.objects.filter(action="object_definition.loaded").count() == 2


def test_a_page_without_files_or_with_too_many_says_so(signed_in, north, monkeypatch):
    client = signed_in(Role.ADMINISTRATOR)
    assert "Choose at least one DDF file" in client.post(ADD, {"operator": north.pk}).content.decode()
    monkeypatch.setattr("devices.inventory.object_files.MAX_FILES", 2)
    page = client.post(ADD, {"operator": north.pk, "files": several()}).content.decode()
    assert "These are 7 files; send at most 2 at once." in page
    assert not ObjectDefinition.objects.exists()


def test_nobody_loads_for_another_operator_or_for_all(signed_in, north, south, root):
    client = signed_in(Role.ADMINISTRATOR)
    for operator in (south.pk, ""):
        page = client.post(ADD, {"operator": operator, "files": [file("a.xml", ddf())]})
        assert page.status_code == 200
        assert not ObjectDefinition.objects.exists(), operator
    for role in READERS:
        reader = signed_in(role)
        assert reader.get(ADD).status_code == 403
        assert "Load DDF files" not in reader.get(LIST).content.decode()
    platform = Client()
    platform.force_login(root)
    assert platform.post(ADD, {"files": [file("a.xml", ddf())]}).status_code == 200
    assert ObjectDefinition.objects.get().operator is None


def test_list_search_and_filters(signed_in, north, south):
    loaded(north, ddf(), ddf(version="1.2"), ddf(3500, name="Pump"))
    loaded(None, ddf(40000, name="Shared"))
    loaded(south, ddf(30009, name="Foreign"))
    client = signed_in(Role.READ_ONLY)
    page = client.get(LIST).content.decode()
    assert "Foreign" not in page
    assert "all operators" in page
    for query, expected in (
        ("", 4),
        ("?q=/30001", 2),
        ("?q=30001", 2),
        ("?q=pump", 1),
        ("?q=0.xml", 2),
        ("?q=99999999999999999999", 0),
        ("?q=/30009", 0),
        ("?band=external", 1),
        ("?band=unregistered", 1),
        ("?band=nonsense", 4),
        (f"?operator__id__exact={north.pk}", 3),
    ):
        assert len(client.get(LIST + query).context["cl"].result_list) == expected, query


def test_the_page_of_a_definition_shows_its_resources(signed_in, north):
    row = loaded(north, ddf())[0]
    client = signed_in(Role.SUPPORT)
    html = client.get(f"{LIST}{row.pk}/change/").content.decode()
    for words in ("Tank", "/30001", "Level", "RW", "integer", "0..9", "<td>l</td>", "(mandatory)"):
        assert words in html, words
    assert 'name="_save"' not in html
    ObjectDefinition.objects.filter(pk=row.pk).update(definition={"by": "hand"})
    assert "cannot be read" in client.get(f"{LIST}{row.pk}/change/").content.decode()


def test_removal_asks_why_and_stands_in_the_ledger(signed_in, north):
    row = loaded(north, ddf())[0]
    shared = loaded(None, ddf(40000))[0]
    data = {"action": "remove", "_selected_action": [row.pk, shared.pk], "index": "0"}
    for role in READERS:
        signed_in(role).post(LIST, {**data, "reason": "mine"})
        assert ObjectDefinition.objects.count() == 2
    client = signed_in(Role.PROVISIONING)
    assert "Remove these definitions?" in client.post(LIST, data).content.decode()
    done = client.post(LIST, {**data, "reason": "a typing error"}, follow=True).content.decode()
    assert "1 object definition removed." in done
    assert list(ObjectDefinition.objects.all()) == [shared]
    event = LedgerEvent.objects.get(action="object_definition.removed")
    assert (event.target, event.reason, event.operator_id) == ("/30001 1.0", "a typing error", north.pk)
    assert catalogues.catalogue(north.pk).model(30001) is None


def test_one_is_removed_from_its_page(signed_in, north):
    row, shared = loaded(north, ddf())[0], loaded(None, ddf(40000))[0]
    client = signed_in(Role.ADMINISTRATOR)
    assert client.post(f"{LIST}{shared.pk}/delete/", {"post": "yes"}).status_code == 403
    assert client.post(f"{LIST}{row.pk}/delete/", {"post": "yes"}).status_code == 302
    assert list(ObjectDefinition.objects.all()) == [shared]
    assert LedgerEvent.objects.filter(action="object_definition.removed").count() == 1


# -- REST --------------------------------------------------------------------------------------------------------


def post(client, files, **more):
    return client.post(API, {"files": files, **more}, format="multipart")


def test_files_are_loaded_over_rest(api, member, north):
    client = api(member(Role.PROVISIONING, north))
    answer = post(client, several())
    assert answer.status_code == 201
    said = {one["file"]: (one["result"], one["objects"], one["detail"]) for one in answer.json()["files"]}
    assert said["tank.xml"] == ("loaded", ["/30001 1.0 Tank"], "")
    assert said["again.xml"][0] == "unchanged"
    assert {name for name, one in said.items() if one[0] == "refused"} == {
        "bomb.xml",
        "huge.xml",
        "half.xml",
        "empty.xml",
    }
    assert all(detail for result, _, detail in said.values() if result == "refused")
    assert post(client, several()[:1]).status_code == 200
    bad = post(client, several()[2:4])
    assert (bad.status_code, bad.json()["code"]) == (400, "VALIDATION_FAILED")
    assert bad.json()["detail"].startswith("bomb.xml: Line 1")
    assert [one["result"] for one in bad.json()["files"]] == ["refused", "refused"]


def test_list_retrieve_and_remove_over_rest(api, member, north, south):
    row = loaded(north, ddf(), ddf(version="1.2"))[0]
    shared = loaded(None, ddf(40000))[0]
    loaded(south, ddf(30009))
    client = api(member(Role.ADMINISTRATOR, north))
    rows = client.get(API).json()["results"]
    assert [(one["object_id"], one["version"], one["operator"]) for one in rows] == [
        (30001, "1.0", north.slug),
        (30001, "1.2", north.slug),
        (40000, "1.0", None),
    ]
    for query, expected in (
        ("object_id=30001&version=1.2", 1),
        (f"operator={north.slug}", 2),
        ("q=/40000", 1),
    ):
        assert client.get(f"{API}?{query}").json()["count"] == expected, query
    assert client.get(f"{API}?object_id=-1").status_code == 400
    whole = client.get(f"{API}{row.pk}/").json()
    assert whole["resources"] == [
        {
            "id": 1,
            "name": "Level",
            "operations": "RW",
            "type": "integer",
            "is_multiple": False,
            "is_mandatory": True,
            "units": "l",
            "range": "0..9",
        }
    ]
    assert client.delete(f"{API}{shared.pk}/").status_code == 403
    assert client.delete(f"{API}{row.pk}/?reason=wrong").status_code == 204
    assert LedgerEvent.objects.get(action="object_definition.removed").reason == "wrong"
    assert client.get(f"{API}{row.pk}/").status_code == 404


def test_roles_over_rest(api, member, north, south, subscriber, root):
    row = loaded(north, ddf())[0]
    for role in READERS:
        client = api(member(role, north))
        assert client.get(API).json()["count"] == 1
        assert post(client, several()[:1]).status_code == 403
        assert client.delete(f"{API}{row.pk}/").status_code == 403
    for role in WRITERS:
        foreign = api(member(role, south))
        assert foreign.get(f"{API}{row.pk}/").status_code == 404
        assert foreign.delete(f"{API}{row.pk}/").status_code == 404
        assert post(foreign, several()[:1], operator=north.slug).status_code == 403
    assert api(subscriber.user).get(API).status_code == 403
    assert post(api(subscriber.user), several()[:1]).status_code == 403
    assert post(api(root), [file("shared.xml", ddf(40000))]).status_code == 201
    assert ObjectDefinition.objects.get(object_id=40000).operator is None


def test_who_works_for_several_says_for_which(api, member, north, south):
    user = member(Role.ADMINISTRATOR, north)
    staff.grant(user=user, operator=south, role=Role.PROVISIONING)
    client = api(User.objects.get(pk=user.pk))
    answer = post(client, several()[:1])
    assert (answer.status_code, "operator" in answer.json()["fields"]) == (400, True)
    assert post(client, several()[:1], operator=south.slug).status_code == 201
    assert ObjectDefinition.objects.get().operator == south


def test_what_is_no_upload_is_refused(api, member, north, monkeypatch):
    client = api(member(Role.ADMINISTRATOR, north))
    assert client.post(API, {"files": "text"}, format="multipart").status_code == 400
    assert client.post(API, {}, format="multipart").status_code == 400
    assert client.post(API, {"files": []}, format="json").status_code == 415
    monkeypatch.setattr("devices.inventory.object_files.MAX_FILES", 2)
    assert "at most 2" in post(client, several()).json()["detail"]
