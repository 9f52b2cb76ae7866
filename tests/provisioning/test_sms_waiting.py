"""What the page says while a device by SMS is waited for."""

from __future__ import annotations

import pytest
from django.utils import timezone

from devices.inventory.models import Reach
from devices.messaging.models import SmscLink
from devices.messaging.services import smsc_links
from provisioning.selectors import progress
from provisioning.services import jobs, onboarding
from tests.devices import making

pytestmark = pytest.mark.django_db


def test_the_page_waits_for_a_text_message_and_says_when_the_link_is_down():
    operator = making.operator()
    smsc_links.save(operator=operator, host="127.0.0.1", system_id="portal", address="+491700000001")
    added = onboarding.add_device(
        operator=operator,
        subscriber=making.subscriber(operator),
        endpoint="meter",
        reach=Reach.SMS,
        msisdn="+491511234567",
    )
    job = added.device.jobs.get()
    jobs.advance(job_id=job.pk)
    told = progress.stepper(added.device)
    assert told.current is not None
    assert (told.current.key, told.stuck.code if told.stuck else "") == ("first_contact", "SMSC_UNREACHABLE")
    assert "text message" in told.current.words
    SmscLink.objects.update(state="bound")
    jobs.wake(device_id=added.device.pk, now=timezone.now())
    jobs.advance(job_id=job.pk)
    told = progress.stepper(added.device)
    assert told.stuck is None
    assert told.current is not None
    assert "sends us a text message" in told.current.words
