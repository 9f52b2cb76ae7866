"""The stepper's socket: who may listen, and that a change sends the fragments that stand on the page."""

from __future__ import annotations

import html

import pytest
from django.contrib.auth.models import AnonymousUser

from live import groups
from provisioning.services import lifecycle, onboarding
from selfservice.consumers import StepperConsumer
from tests.devices import making

pytestmark = pytest.mark.django_db


@pytest.fixture
def device(sam):
    return onboarding.add_device(operator=sam.operator, subscriber=sam, endpoint="urn:dev:live").device


def listening(user, device) -> StepperConsumer:
    consumer = StepperConsumer()
    consumer.user, consumer.kwargs = user, {"device_id": device.pk}
    return consumer


def test_only_the_subscriber_may_listen(sam, foreign, device):
    consumer = listening(sam.user, device)
    assert consumer.allowed(sam.user, consumer.kwargs)
    assert consumer.groups_for(sam.user, consumer.kwargs) == [groups.device(device.pk)]
    for other in (foreign.user, making.member(sam.operator, "administrator"), AnonymousUser()):
        assert not consumer.allowed(other, consumer.kwargs)
    lifecycle.release(device=device)
    assert not consumer.allowed(sam.user, consumer.kwargs)


def test_a_change_sends_what_the_page_shows(as_sam, sam, device):
    page = as_sam.get(f"/devices/{device.pk}/").content.decode()
    fragments = listening(sam.user, device).render(None)
    assert [fragment["target"] for fragment in fragments] == [
        "device-state",
        "verdict",
        "stepper",
        "device-behind",
        "device-facts",
    ]
    for fragment in fragments:
        assert f'id="{fragment["target"]}"' in fragment["html"]
        assert fragment["html"].strip() in page


def test_a_device_released_meanwhile_sends_nothing(sam, device):
    consumer = listening(sam.user, device)
    lifecycle.release(device=device)
    assert consumer.render(None) == []


def test_what_is_wrong_is_said_in_words(as_sam, sam, device):
    lifecycle.suspend(device=device, reason="Bill")
    page = html.unescape(as_sam.get(f"/devices/{device.pk}/").content.decode())
    assert "Suspended" in page
    assert 'class="note' in page
