"""What a device gets as its location: short, random, and never one that another registration has."""

from __future__ import annotations

import itertools

import pytest
from django.utils import timezone

from devices.inventory.models import Device, Onboarding
from devices.inventory.states import Provisioning
from devices.registry.models import Registration, Transport
from devices.registry.services import registration_ids, registrations
from devices.registry.services.registrations import Inbound
from lwm2m.links import parse_object_links
from lwm2m.messages import Register
from lwm2m.registration import Origin
from tests.devices import making

pytestmark = pytest.mark.django_db


@pytest.fixture
def nosec_device():
    operator = making.operator(allows_nosec=True)

    def make(endpoint: str) -> Device:
        return Device.objects.create(
            operator=operator,
            endpoint=endpoint,
            onboarding=Onboarding.DIRECT,
            security="none",
            provisioning=Provisioning.APPLIED,
        )

    return make


def test_a_location_fits_zephyrs_twelve_bytes_and_holds_sixty_random_bits():
    drawn = registration_ids.draw(500)
    assert len(set(drawn)) == 500
    assert {len(each.encode()) for each in drawn} == {10}
    alphabet = set("".join(drawn))
    assert len(alphabet) == 64
    assert alphabet <= set("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_")


def test_an_id_that_is_taken_or_was_just_drawn_is_drawn_anew(nosec_device):
    same, other = bytes(8), bytes([1] * 8)
    (taken,) = registration_ids.draw(1, random=lambda _: same)
    now = timezone.now()
    Registration.objects.create(
        device=nosec_device("dev-1"),
        registration_id=taken,
        is_live=False,
        transport=Transport.UDP,
        host="192.0.2.1",
        port=1,
        flow="",
        lifetime_seconds=300,
        registered_at=now,
        last_seen_at=now,
    )
    dice = itertools.chain([same, same, other, other], itertools.repeat(bytes([2] * 8)))
    drawn = registration_ids.draw(2, random=lambda _: next(dice))
    assert len(set(drawn)) == 2
    assert taken not in drawn


def test_dice_that_always_fall_the_same_way_are_said_to_be_broken():
    with pytest.raises(RuntimeError, match="repeat"):
        registration_ids.draw(2, random=lambda _: bytes(8))


def test_many_registers_of_one_batch_get_different_locations(nosec_device):
    for number in range(20):
        nosec_device(f"dev-{number}")
    links = parse_object_links(b"</1/0>,</3/0>")
    batch = [Inbound(Register(f"dev-{n}", object_links=links), Origin("192.0.2.1", n)) for n in range(20)]
    applied = registrations.apply(batch=batch, flow="southbound.0.test", now=timezone.now())
    locations = {a.outcome.response.location for a in applied}
    assert len(locations) == 20
    assert all(place == "rd" and len(name) == 10 for place, name in locations)
