"""A security mode that only this test knows: from the form that adds a device to the pages that show it.

It has two parts under one seal and no pre-shared key, as raw public keys have. Nothing but the registry was told of it.
"""

from __future__ import annotations

import html
import json
import secrets
from collections.abc import Mapping
from dataclasses import dataclass, replace

import pytest
from django.core.management import call_command
from django.test import Client
from rest_framework.test import APIClient

from accounts.errors import Refused
from devices.inventory import security, vault
from devices.inventory.models import Credential, Device, Plane
from devices.inventory.security import Entered, EntryField, Material, Mode, Offer, Written
from devices.inventory.services import credentials
from devices.registry.services import registrations
from devices.registry.services.registrations import Inbound
from lwm2m.accounts import SecurityMode, ServerAccount
from lwm2m.messages import Register
from lwm2m.registration import Change, Origin
from provisioning.models import BootstrapProfile
from provisioning.profiles import profiles
from provisioning.services import onboarding
from tests.devices import making
from tests.devices.making import FLOW, NOW
from tests.provisioning import walking

pytestmark = pytest.mark.django_db


def _parts(private: bytes) -> bytes:
    return json.dumps({"private": private.hex(), "public": private[::-1].hex()}).encode()


@dataclass(frozen=True, slots=True, kw_only=True)
class ToyKeyPair(Mode):
    def enter(self, entered: Mapping[str, object], *, endpoint: str) -> Entered | None:
        is_made = not entered.get("toy_secret")
        return Entered(
            self.make(endpoint=endpoint, identity=endpoint) if is_made else self._named(entered, endpoint),
            is_made,
        )

    def identity_of(self, endpoint: str) -> str:
        return endpoint

    def typed(self, entered: Mapping[str, object]) -> Material:
        return self._named(entered, "")

    def _named(self, entered: Mapping[str, object], identity: str) -> Material:
        text = str(entered.get("toy_secret") or "")
        if len(text) != 8:
            raise Refused("KEY_LENGTH", field="toy_secret", length=len(text), low=8, high=8)
        return Material(identity, _parts(text.encode()))

    def make(self, *, endpoint: str, identity: str = "") -> Material:
        return Material(identity or f"toy-{secrets.token_hex(8)}", _parts(secrets.token_bytes(8)))

    def account(self, account: ServerAccount, material: Material, number: str) -> ServerAccount:
        parts = {name: bytes.fromhex(text) for name, text in json.loads(material.parts).items()}
        return replace(
            account,
            security_mode=self.lwm2m_mode,
            identity=parts["public"],
            key=parts["private"],
            server_public_key=b"the server's",
        )

    def written(self, material: Material) -> tuple[Written, ...]:
        private = json.loads(material.parts)["private"]
        return (Written("toy", "Toy secret, hex", private, "the toy secret", parameter="toy"),)


TOY = ToyKeyPair(
    name="toy",
    label="Toy key pair",
    noun="toy key pair",
    is_secured=True,
    reaches=frozenset({"ip"}),
    lwm2m_mode=SecurityMode.RPK,
    offers=(
        Offer("toy_made", "Make a toy pair", "Shown once."),
        Offer(
            "toy_typed",
            "A toy secret is printed on it",
            "Type it in here.",
            (EntryField("toy_secret", "Toy secret", 40, is_secret=True, help="Eight letters."),),
        ),
    ),
    sample=Material("toy", _parts(b"sampling")),
)


@pytest.fixture(autouse=True)
def registered(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(security.KINDS, TOY.name, TOY)


def _page(response) -> str:
    return html.unescape(response.content.decode())


def _toy_profile(device: Device) -> None:
    profile = profiles.default_of(device.operator_id)
    assert profile is not None
    profile.security = TOY.name
    profiles.save(profile=profile)


def test_the_database_needs_no_change() -> None:
    call_command("makemigrations", "--check", "--dry-run", verbosity=0)


def test_a_subscriber_adds_a_device_with_what_is_printed(client: Client, worker) -> None:
    sam = making.subscriber(making.operator())
    client.force_login(sam.user, backend="allauth.account.auth_backends.AuthenticationBackend")
    assert "A toy secret is printed on it" in _page(client.get("/devices/add/"))
    typed = {"endpoint": "urn:dev:toy", "reach": "ip", "key_source": "toy_typed", "toy_secret": "short"}
    assert "The key has 5 bytes; it must have 8 to 8 bytes" in _page(client.post("/devices/add/", typed))
    answer = client.post("/devices/add/", {**typed, "toy_secret": "eightlet"})
    device = Device.objects.get()
    credential = device.credentials.get()
    assert (answer.status_code, device.security) == (302, "toy")
    assert (credential.kind, credential.plane, credential.identity) == ("toy", "bootstrap", "urn:dev:toy")
    assert vault.open_sealed(credential.sealed) == _parts(b"eightlet")
    shown = _page(client.get(answer.url))
    assert ", encrypted" in shown
    assert "data-key-sheet" not in shown


def test_what_the_portal_made_is_shown_once(client: Client, worker) -> None:
    sam = making.subscriber(making.operator())
    client.force_login(sam.user, backend="allauth.account.auth_backends.AuthenticationBackend")
    answer = client.post(
        "/devices/add/", {"endpoint": "urn:dev:toy", "reach": "ip", "key_source": "toy_made"}
    )
    private = json.loads(vault.open_sealed(Credential.objects.get().sealed))["private"]
    shown = _page(client.get(answer.url))
    assert private in shown
    assert f"&toy={private}" in shown
    client.post(f"{answer.url}key-noted/")
    assert private not in _page(client.get(answer.url))


def test_rest_takes_it_and_tells_what_was_made(worker) -> None:
    sam = making.subscriber(making.operator())
    rest = APIClient()
    rest.force_authenticate(sam.user)
    body = {"endpoint": "urn:dev:toy", "security": "toy"}
    refused = rest.post("/api/v1/devices/", {**body, "toy_secret": "x"}, format="json")
    assert (refused.status_code, list(refused.data["fields"])) == (400, ["toy_secret"])
    answer = rest.post("/api/v1/devices/", body, format="json")
    assert answer.status_code == 201, answer.data
    private = json.loads(vault.open_sealed(Credential.objects.get().sealed))["private"]
    assert (answer.data["identity"], answer.data["key"]) == ("urn:dev:toy", private)
    assert answer.data["server"].startswith("coaps://")


def test_staff_correct_it(admin_client: Client, worker) -> None:
    device = walking.ordered(security="toy", toy_secret="eightlet")
    path = f"/admin/inventory/device/{device.pk}/correct/"
    assert "Toy secret" in _page(admin_client.get(path))
    typed = {"act": "key", "key-reason": "typed wrong"}
    assert "must have 8 to 8 bytes" in _page(admin_client.post(path, {**typed, "key-toy_secret": "no"}))
    assert "have already" in _page(admin_client.post(path, {**typed, "key-toy_secret": "eightlet"}))
    assert admin_client.post(path, {**typed, "key-toy_secret": "anotherx"}).status_code == 302
    usable = device.credentials.exclude(state="retired").get()
    assert vault.open_sealed(usable.sealed) == _parts(b"anotherx")


def test_it_is_brought_online(worker) -> None:
    device = walking.ordered(security="toy")
    _toy_profile(device)
    worker.work()
    assert walking.states(device)["make_credentials"] == "done"
    (account,) = walking.bootstrap(device).plan.accounts
    made = Credential.objects.get(device=device, plane=Plane.MANAGEMENT)
    private = bytes.fromhex(json.loads(vault.open_sealed(made.sealed))["private"])
    assert (made.kind, made.state) == ("toy", "pending")
    assert (account.security_mode, account.key, account.identity) == (1, private, private[::-1])
    assert account.uri.startswith("coaps://")
    assert walking.register(device).outcome.change is Change.REGISTERED
    made.refresh_from_db()
    assert made.state == "active"


@pytest.mark.parametrize(
    ("origin", "cause"),
    [
        (Origin("192.0.2.1", 1), "WRONG_SECURITY"),
        (Origin("192.0.2.1", 1, "dtls", "toy-1", 0), "PSK_IDENTITY_UNKNOWN"),
    ],
)
def test_nothing_else_opens_the_door(origin: Origin, cause: str, worker) -> None:
    device = making.device(security="toy", onboarding="direct")
    message = Register(device.endpoint)
    (applied,) = registrations.apply(batch=[Inbound(message, origin)], flow=FLOW, now=NOW)
    assert applied.outcome.cause == cause


def test_a_handshake_by_pre_shared_key_gets_none_of_its_secrets() -> None:
    added = making.added(security="toy")
    told = credentials.why_refused(plane=Plane.BOOTSTRAP, identity=added.identity.encode())
    assert (told.cause, told.device_id) == ("WRONG_SECURITY", added.device.pk)
    assert credentials.lookup(plane=Plane.BOOTSTRAP, identity=added.identity.encode()) is None


def test_a_device_with_a_printed_key_is_given_a_toy_pair_by_its_profile(worker) -> None:
    device = walking.ordered(psk_key="abcd" * 8)
    _toy_profile(device)
    worker.work()
    (account,) = walking.begin(device).plan.accounts
    assert account.security_mode == SecurityMode.RPK
    kinds = dict(device.credentials.values_list("plane", "kind"))
    assert kinds == {"bootstrap": "psk", "management": "toy"}


def test_a_new_one_takes_the_place_of_the_old(worker) -> None:
    device = walking.ordered(security="toy", toy_secret="eightlet")
    renewed = onboarding.renew_key(device=device)
    usable = device.credentials.exclude(state="retired").get()
    assert vault.open_sealed(usable.sealed) == renewed.secret_to_show.parts
    assert usable.kind == "toy"


def test_pages_of_staff_and_support_name_it(admin_client: Client, worker) -> None:
    device = walking.ordered(security="toy")
    assert "Toy key pair" in _page(admin_client.get(f"/admin/inventory/device/{device.pk}/change/"))
    profile = BootstrapProfile.objects.get(operator=device.operator)
    assert "Toy key pair" in _page(
        admin_client.get(f"/admin/provisioning/bootstrapprofile/{profile.pk}/change/")
    )
