"""Every page in the language of ⟦…⟧: no English stands outside, but for what the list below gives a reason for."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator

import pytest
from django.apps import apps
from django.contrib import admin
from django.core import mail
from django.test import Client, RequestFactory
from django.urls import NoReverseMatch, reverse
from django.utils import translation

from accounts import invitations
from accounts.models import Operator, Subscriber
from accounts.services import staff
from devices.commands.models import Operation
from devices.inventory.models import Device
from devices.operations.services import operations
from devices.telemetry.services import values
from devices.telemetry.services.values import Sample
from provisioning.services import onboarding
from tests.words.pseudo import WORD, escaped

pytestmark = pytest.mark.django_db

BACKEND = "allauth.account.auth_backends.AuthenticationBackend"
ALLOWED = {
    "data that people and devices gave": r"""
        [\w.+-]+@[\w.-]+ | urn:[\w:.-]+ | [A-Z]{3}-\d{4}-\d{4} | northwind | southsea | Northwind\ Telecom | Acme |
        Meters\ across\ the\ north\. | \b(?:sam|root)\b | nothing-like-it | coaps?(?:\+tcp)?://[\w.:-]+ | tel:\S+ |
        /rd/\w+ | “?Device\ added”? | \bStandard\b | \br\d+\b | southbound\.\S+ | \burn\b | \bzz\b |
        \b(?:user|job|profile|subscriber|operator|device):\S+
    """,
    "names of standards, their terms and units": r"""
        LwM2M | OMA | IPSO | SMSC? | SMPP | REST | TLS | CoAP | UDP | DTLS | TCP | PSK | UTC | IST | DDF | XML | JSON |
        CBOR | TLV | GET | SenML | Knox | SHA-256 | \bUQ?\b | \bmin\b | \bm[sVA]\b | (?:Read|Write|Observe)-\w+ |
        \bRWE?\b | \bID\b | \bnone\b
    """,
    "object models are named in the registry's own English": r"""
        Device | LwM2M\ Server | Server\b | Battery\ Level | Battery\ level
    """,
    "codes of the catalogue, as engineers quote them": r"\b[A-Z][A-Z0-9]+(?:_[A-Z0-9]+)+\b",
    "codes of the ledger and of steps, as they are recorded": r"""
        \b[a-z]+(?:_[a-z]+)+\b | \b[a-z_]+\.[a-z_]+\b | \d\.\ (?:bootstrap|registration|observe)\b | \b[0-9a-f]{64}\b |
        \bportal\b | \d+/(?:unsealed|\d+)\ \S+\ (?:ok|refused|failed)
    """,
    "libraries that have no catalogue, and what Django's admin says past its own": r"""
        [Aa]uth\ tokens? | \bSearch\b | \bTrue\b | \bFalse\b
    """,
    "the names of the months are those of Django's catalogue of the language": r"""
        \b(?:Jan|Feb|Mar|Apr|May|Jun|Jul|Aug|Sep|Oct|Nov|Dec)\b
    """,
}
"""What may stand outside, by reason."""
_ALLOWED = re.compile("|".join(f"(?:{pattern})" for pattern in ALLOWED.values()), re.VERBOSE)


def leaks(page: str) -> list[tuple[str, str]]:
    found = [(text, where) for text, where in escaped(page) if WORD.search(_ALLOWED.sub(" ", text))]
    return list(dict.fromkeys(found))


@pytest.fixture
def look(pseudo: None) -> Callable[..., None]:
    """Asks for pages; fails with all that stands outside of gettext on any of them."""

    def at(client: Client, *addresses: str, statuses: tuple[int, ...] = (200,)) -> None:
        found = {}
        for address in addresses:
            answer = client.get(address)
            assert answer.status_code in statuses, (address, answer.status_code)
            if said := leaks(answer.content.decode()):
                found[address] = said
        assert not found, "\n".join(f"{address}: {said}" for address, said in found.items())

    return at


@pytest.fixture
def root(person) -> Client:
    client = Client()
    client.force_login(person("root@example.com", is_staff=True, is_superuser=True), backend=BACKEND)
    return client


@pytest.fixture
def sam(subscriber: Subscriber) -> Client:
    client = Client()
    client.force_login(subscriber.user, backend=BACKEND)
    return client


@pytest.fixture
def meter(north: Operator, subscriber: Subscriber, registered) -> Device:
    """Registered, with values, a command and a job."""
    made = onboarding.add_device(operator=north, subscriber=subscriber, endpoint="urn:dev:meter").device
    row = registered(made)
    samples = [
        Sample(made.pk, path, value, row.last_seen_at.timestamp())
        for path, value in (("/3/0/0", "Acme"), ("/3/0/9", 82))
    ]
    values.store(samples=samples, now=row.last_seen_at)
    operations.request(device=made, operation=Operation.READ, path="/3/0/9", requested_by="user:1")
    return made


def test_what_everybody_may_see(north, look) -> None:
    look(
        Client(),
        "/",
        "/accounts/login/",
        "/accounts/signup/",
        "/accounts/password/reset/",
        "/accounts/password/reset/done/",
        "/accounts/confirm-email/",
        "/accounts/confirm-email/none/",
        "/accounts/inactive/",
        "/nowhere/",
        statuses=(200, 404),
    )


def test_the_subscribers_pages(sam, meter, device, look) -> None:
    device("urn:dev:other", own=True)
    own = f"/devices/{meter.pk}/"
    look(
        sam,
        "/devices/",
        "/devices/?show=lost",
        "/devices/?q=zz",
        "/devices/add/",
        own,
        f"{own}new-key/",
        f"{own}release/",
    )
    look(
        sam,
        "/profile/",
        "/accounts/email/",
        "/accounts/password/change/",
        "/accounts/logout/",
        "/nowhere/",
        statuses=(200, 404),
    )


def test_each_state_of_a_device(sam, north, subscriber, fleet, look) -> None:
    Device.objects.update(subscriber=subscriber)
    look(sam, "/devices/", *(f"/devices/{one.pk}/" for one in fleet.values()))


def test_the_support_desk(root, meter, fleet, look) -> None:
    desk = "/support/"
    look(
        root,
        desk,
        f"{desk}?q=urn",
        f"{desk}?q=nothing-like-it",
        f"{desk}waiting-room/",
        f"{desk}handed-over/",
    )
    look(root, *(f"{desk}devices/{one.pk}/" for one in (meter, *fleet.values())))


def test_the_board_and_the_page_of_a_device(root, meter, fleet, look) -> None:
    inventory = "/admin/inventory/device/"
    look(root, f"{inventory}board/", f"{inventory}board/?q=zz", f"{inventory}{meter.pk}/manage/")
    look(root, f"{inventory}{meter.pk}/manage/?node=/3/0/9", f"{inventory}{meter.pk}/manage/?node=/3/0/4")
    look(
        root,
        f"{inventory}{meter.pk}/correct/",
        f"{inventory}{meter.pk}/change/",
    )


def _admin_pages() -> Iterator[str]:
    for model in admin.site._registry:
        name = f"admin:{model._meta.app_label}_{model._meta.model_name}"
        yield f"{name}_changelist"
        yield f"{name}_add"


@pytest.mark.parametrize("name", sorted(set(_admin_pages())))
def test_the_admin(name: str, root, meter, fleet, look) -> None:
    """Each list, and each form that adds something."""
    try:
        address = reverse(name)
    except NoReverseMatch:
        pytest.skip("this is not added by hand")
    look(root, address, statuses=(200, 403))


def test_the_rows_of_the_admin(root, meter, look) -> None:
    """One of each kind, on the page where it is changed or looked at."""
    pages = ["/admin/"]
    for model in admin.site._registry:
        if row := model._default_manager.order_by("-pk").first():
            name = f"admin:{model._meta.app_label}_{model._meta.model_name}_change"
            pages.append(reverse(name, args=[row.pk]))
    assert len(pages) > 5
    look(root, *pages, statuses=(200, 403))


def test_mails(north, person, pseudo) -> None:
    administrator = person("boss@example.com", is_superuser=True, is_staff=True)
    with translation.override("xx"):
        offered = staff.invite(operator=north, email="new@example.com", name="Ωμ", role="support")
        invitations.send(RequestFactory().get("/"), offered)
        Client().post("/accounts/password/reset/", {"email": administrator.email})
    assert mail.outbox
    for sent in mail.outbox:
        body = re.sub(r"https?://\S+", "", sent.body)
        said = f"<title>{sent.subject}</title><p>{body}</p>"
        assert not leaks(said), said


def test_the_check_finds_what_escapes() -> None:
    page = '<p title="A hint">⟦Device⟧ <b>is</b> ⟦on <a>line</a>⟧ ⟦x⟧</p><script>var words</script>'
    page += "<input type=submit value=Go>"
    assert escaped(page) == [("A hint", "p[title]"), ("is", "p/b"), ("Go", "input[value]")]
    assert apps.ready
