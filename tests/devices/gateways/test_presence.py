"""An end device has the session of its gateway, in words and as a condition for lists."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.conf import settings
from django.utils import timezone

from devices.gateways.services import end_device_choices, end_devices
from devices.inventory.models import Device
from devices.registry.models import Registration, RegistrationDetail
from devices.registry.selectors import sessions, ways
from devices.registry.selectors.sessions import Session
from tests.devices.gateways.conftest import instances

NOW = timezone.now()


@pytest.fixture
def child(gateway, make_child) -> Device:
    end_devices.told(gateway=gateway, instances=instances("urn:dev:a"), is_whole=True, now=NOW)
    return make_child()


@pytest.fixture
def taken(child) -> Device:
    end_device_choices.adopt(device=child, now=NOW)
    return child


def told(device, now=NOW) -> sessions.Told:
    found = sessions.of_device(Device.objects.select_related(*ways.PRESENCE).get(pk=device.pk), now)
    for state in Session.values:
        rows = Device.objects.filter(sessions.condition(state, now), pk=device.pk)
        assert rows.exists() == (state == found.state), state
    return found


def change(gateway, **columns):
    Registration.objects.filter(device=gateway).update(**columns)


def test_online_through_the_gateway(taken):
    assert (told(taken).state, told(taken).words) == (Session.REGISTERED, "registered through Basement")
    assert told(taken).cause == ""


def test_a_gateway_that_sleeps(taken, gateway):
    slept = NOW - timedelta(seconds=settings.AWAKE_SECONDS + 1)
    change(gateway, queue_mode=True, last_seen_at=NOW)
    assert told(taken).words.startswith("registered through Basement, awake until ")
    change(gateway, last_seen_at=slept)
    found = told(taken)
    assert found.state is Session.ASLEEP
    assert found.words.startswith("asleep with Basement until about ")
    change(gateway, expires_at=None)
    assert told(taken).words == "asleep with Basement"


def test_a_late_gateway(taken, gateway, settings):
    settings.LIFETIME_GRACE_SECONDS = 60
    change(gateway, expires_at=NOW - timedelta(seconds=5))
    assert told(taken).words.startswith("late with Basement, expected until ")


@pytest.mark.parametrize("end_cause", ["LIFETIME_EXPIRED", "DEREGISTERED"])
def test_gateway_offline_is_one_cause(taken, gateway, end_cause):
    change(gateway, is_live=False)
    RegistrationDetail.objects.filter(device=gateway).update(ended_at=NOW, end_cause=end_cause)
    found = told(taken)
    assert (found.state, found.cause) == (Session.GATEWAY_OFFLINE, "GATEWAY_OFFLINE")
    assert found.words == "gateway Basement offline"
    assert found.since is not None


def test_a_gateway_whose_lifetime_is_over_and_not_yet_ended(taken, gateway, settings):
    settings.LIFETIME_GRACE_SECONDS = 1
    change(gateway, expires_at=NOW - timedelta(seconds=5))
    assert told(taken).state is Session.GATEWAY_OFFLINE


def test_a_gateway_that_never_registered(taken, gateway):
    Registration.objects.filter(device=gateway).delete()
    assert told(taken).state is Session.GATEWAY_OFFLINE


def test_gone_from_its_gateway(taken, gateway):
    end_devices.told(gateway=gateway, instances={}, is_whole=True, now=NOW)
    found = told(taken)
    assert (found.state, found.words, found.since) == (Session.GONE, "gone from Basement", NOW)
    assert found.cause == "END_DEVICE_GONE"
    change(gateway, is_live=False)
    assert told(taken).state is Session.GONE


def test_announced_and_not_told_of(child):
    assert (told(child).state, told(child).cause) == (Session.NEVER_SEEN, "END_DEVICE_NOT_TOLD")


def test_a_device_with_its_own_connection_is_what_it_was(gateway):
    assert told(gateway).words == "registered"


def test_the_way_of_a_device(taken, gateway, child):
    assert ways.carrier_id(taken) == gateway.pk
    assert ways.carrier_id(gateway) == gateway.pk
    detail = ways.fresh_detail(taken)
    assert (detail.version, sorted(detail.object_links["objects"])) == ("1.1", ["3", "3303"])
    end_devices.told(gateway=gateway, instances={}, is_whole=True, now=NOW)
    assert ways.carrier_id(taken) is None
