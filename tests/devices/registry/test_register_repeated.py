"""A Register that comes again is one registration, whichever process it comes to (RFC 7252 section 4.5)."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest
from django.utils import timezone

from devices.inventory.models import Device
from devices.inventory.states import Provisioning
from devices.registry.models import Registration
from devices.registry.services import registrations
from devices.registry.services.registrations import Inbound
from lwm2m.codes import Code
from lwm2m.links import parse_object_links
from lwm2m.messages import Deregister, Register, Update
from lwm2m.registration import Change, Origin
from tests.devices import making

pytestmark = pytest.mark.django_db
NOW = timezone.now()


@pytest.fixture
def item():
    device = making.device(making.operator(allows_nosec=True), security="none", onboarding="direct")
    Device.objects.update(provisioning=Provisioning.APPLIED)
    message = Register(device.endpoint, object_links=parse_object_links(b"</1/0>,</3/0>"))
    return Inbound(message, Origin("192.0.2.7", 40000, "udp", None), 1234567)


def told(item: Inbound, *, after: float = 0.0, flow: str = "southbound.0.a"):
    (applied,) = registrations.apply(batch=[item], flow=flow, now=NOW + timedelta(seconds=after))
    return applied.outcome


def test_the_same_register_keeps_its_location(item):
    first = told(item)
    again = told(item, after=246, flow="southbound.1.b")
    assert again.response == first.response
    assert again.change is Change.REFRESHED
    row = Registration.objects.get()
    assert (row.registration_id, row.flow) == (first.registration.registration_id, "southbound.1.b")
    assert row.last_seen_at == NOW + timedelta(seconds=246)
    assert told(Inbound(Update(row.registration_id), item.origin)).response.code == Code.CHANGED


@pytest.mark.parametrize(
    ("changed", "after"),
    [
        ({}, 247),
        ({"digest": 7654321}, 1),
        ({"digest": None}, 1),
        ({"origin": Origin("192.0.2.7", 40001, "udp", None)}, 1),
        ({"origin": Origin("192.0.2.8", 40000, "udp", None)}, 1),
    ],
    ids=["later", "another message", "nothing repeats", "another port", "another host"],
)
def test_another_register_is_another_registration(item, changed, after):
    first = told(item)
    again = told(replace(item, **changed), after=after)
    assert again.change is Change.REPLACED
    assert again.registration.registration_id != first.registration.registration_id


def test_an_update_between_them_changes_nothing(item):
    first = told(item)
    told(Inbound(Update(first.registration.registration_id, lifetime_seconds=77), item.origin), after=5)
    again = told(item, after=10)
    assert again.response == first.response
    assert Registration.objects.get().lifetime_seconds == 77


def test_who_left_registers_anew(item):
    first = told(item)
    told(Inbound(Deregister(first.registration.registration_id), item.origin), after=1)
    assert told(item, after=2).change is Change.REGISTERED


def test_twice_in_one_batch(item):
    applied = registrations.apply(batch=[item, item], flow="southbound.0.a", now=NOW)
    assert applied[0].outcome.response == applied[1].outcome.response
    assert Registration.objects.get().registration_id == applied[0].outcome.registration.registration_id


def test_a_device_with_a_key_keeps_its_location(item):
    """Its registration is known by the key too."""
    of = making.device(making.operator("other"), security="psk", onboarding="direct")
    Device.objects.filter(pk=of.pk).update(provisioning=Provisioning.APPLIED)
    assert making.management_credential(of) is not None
    secured = replace(item, message=replace(item.message, endpoint=of.endpoint), origin=making.origin_of(of))
    first = told(secured)
    again = told(secured, after=10)
    assert (first.response.code, again.response) == (Code.CREATED, first.response)
