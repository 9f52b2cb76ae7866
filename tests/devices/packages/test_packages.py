"""Packages: taken in within bounds, told where they are, handed out in parts, counted and removed."""

from __future__ import annotations

from hashlib import sha256
from io import BytesIO
from urllib.parse import urlsplit

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from accounts.errors import Refused
from accounts.models import Operator
from audit.models import LedgerEvent
from devices.packages.models import Package, PackagePart
from devices.packages.services import addresses, packages
from devices.packages.services.packages import MAX_BYTES, MEGABYTE, PART_BYTES

pytestmark = pytest.mark.django_db


def upload(operator: Operator, content: bytes = b"firmware", **more: str) -> Package:
    given = {"name": "Meter 1.4.2", "file_name": "meter.bin", **more}
    return packages.upload(operator=operator, file=BytesIO(content), **given)


def test_what_was_taken_in_comes_out_byte_by_byte_and_stands_in_the_ledger(north):
    content = bytes(number % 253 for number in range(2 * PART_BYTES + 1))
    made = upload(north, content, digest=sha256(content).hexdigest().upper())
    parts = [packages.part(made.pk, number) for number in range(4)]
    assert parts[3] is None
    assert b"".join(part for part in parts if part) == content
    assert [len(part) for part in parts if part] == [PART_BYTES, PART_BYTES, 1]
    stored = packages.stored(made.token)
    assert (stored.size, stored.sha256) == (len(content), sha256(content).hexdigest())
    event = LedgerEvent.objects.get(action="package.uploaded")
    assert event.after == {
        "name": "Meter 1.4.2",
        "file": "meter.bin",
        "size": len(content),
        "sha256": made.sha256,
    }
    packages.remove(package=made, reason="withdrawn")
    assert packages.stored(made.token) is None
    assert not PackagePart.objects.exists()
    assert LedgerEvent.objects.get(action="package.removed").reason == "withdrawn"
    with pytest.raises(Refused, match="not here any more"):
        packages.remove(package=made)


@pytest.mark.parametrize(
    ("what", "words"),
    [
        ({"content": b""}, "The file is empty"),
        ({"content": b"x" * (MAX_BYTES + 1)}, "up to 16 MB"),
        ({"name": "  "}, "1 to 120 characters"),
        ({"name": "x" * 121}, "1 to 120 characters"),
        ({"digest": "00" * 32}, f"its SHA-256 is {sha256(b'firmware').hexdigest()}"),
    ],
)
def test_what_is_not_taken_leaves_nothing(north, what, words):
    with pytest.raises(Refused, match=words):
        upload(north, **what)
    assert not Package.objects.exists()
    assert not LedgerEvent.objects.filter(action__startswith="package.").exists()


def test_the_same_content_is_kept_once_for_each_operator(north, south):
    upload(north)
    with pytest.raises(Refused, match="here already") as caught:
        upload(north, name="Another name")
    assert caught.value.cause == "CONFLICT"
    upload(south)


def test_an_operator_keeps_so_much_and_no_more(north, south, settings):
    settings.PACKAGES_MB_PER_OPERATOR = 1
    first = upload(north, b"a" * (MEGABYTE - 10))
    with pytest.raises(Refused, match="may keep 1 MB") as caught:
        upload(north, b"b" * 11)
    assert caught.value.cause == "QUOTA_REACHED"
    upload(north, b"b" * 10)
    upload(south, b"b" * 11)
    packages.remove(package=first)
    upload(north, b"c" * 1000)


def test_a_fetch_is_counted_and_told_within_what_strangers_may_cause(north, make):
    made = upload(north)
    meter = make("meter")
    stored = packages.stored(made.token)
    for _ in range(100):
        packages.fetched(package=stored, device_id=meter.pk)
    made.refresh_from_db()
    assert made.fetches == 100
    told = LedgerEvent.objects.filter(action="package.fetched", device_id=meter.pk).count()
    assert 1 <= told < 100
    packages.remove(package=made)
    packages.fetched(package=stored, device_id=meter.pk)
    assert LedgerEvent.objects.filter(action="package.fetched").count() == told


# -- addresses -----------------------------------------------------------------------------------------------


def test_an_address_is_of_a_package_and_a_device_and_of_nobody_else(north, south, make, settings):
    settings.PUBLIC_HOST, settings.COAP_FILES_PORT = "2001:db8::1", 5999
    made, meter = upload(north), make("meter")
    uri = packages.uri(made, meter)
    assert uri.startswith("coap://[2001:db8::1]:5999/p/")
    assert "meter" not in uri
    assert len(uri) <= 255  # the range of /5/0/1
    segments = urlsplit(uri).path.strip("/").split("/")
    assert addresses.read(segments) == addresses.Address(made.token, meter.pk)
    anybodys = urlsplit(packages.uri(made)).path.strip("/").split("/")
    assert addresses.read(anybodys) == addresses.Address(made.token, None)
    assert addresses.read([segments[0], segments[1], anybodys[2].replace("any", "7")]) is None
    with pytest.raises(ValueError, match="of its operator"):
        packages.uri(made, make("other", operator=south, subscriber=None))
    settings.COAP_FILES_PORT = 0
    assert packages.uri(made) is None


@settings(max_examples=300, deadline=None, suppress_health_check=list(HealthCheck))
@given(st.lists(st.text(max_size=40), max_size=4))
def test_whatever_is_made_up_is_no_address(segments):
    assert addresses.read(segments) is None
    assert addresses.read(["p", *segments]) is None


def test_another_secret_of_the_portal_ends_all_addresses(north, settings):
    path = addresses.path(upload(north).token, None)
    assert addresses.read(path) is not None
    settings.SECRET_KEY = "another" * 8
    assert addresses.read(path) is None
