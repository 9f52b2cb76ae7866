"""A wall clock that is set by an hour ends no registration and lets none live an hour longer."""

from __future__ import annotations

import time
from datetime import timedelta

import pytest
from django.utils import timezone

from devices.registry.models import Registration
from lwm2m.requests import register_request, update_request
from southbound.process import worker
from southbound.process.expiry import Steps
from tests.southbound.client import LINKS, management, until

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.mark.parametrize("step", [3600.0, -3600.0])
def test_the_fleet_keeps_what_is_left_of_its_lifetime(play, make_device, monkeypatch, step):
    make_device("dev-1")

    async def scene(southbound):
        wire = await management(southbound)
        request = register_request(endpoint="dev-1", object_links=LINKS, lifetime_seconds=600)
        place = (await wire.ask(request)).location
        before = await until(lambda: Registration.objects.get())
        await until(
            lambda: Registration.objects.update(last_seen_at=before.last_seen_at - timedelta(seconds=60))
        )
        wall, now = time.time, timezone.now
        monkeypatch.setattr(worker.time, "time", lambda: wall() + step)
        monkeypatch.setattr(timezone, "now", lambda: now() + timedelta(seconds=step))
        after = await until(lambda: Registration.objects.exclude(expires_at=before.expires_at).first())
        moved = (after.expires_at - before.expires_at).total_seconds()
        assert abs(moved - step) < 60
        assert after.is_live
        assert (await wire.ask(update_request(place))).code == "2.04"

    play(scene)


def test_what_runs_evenly_or_is_slewed_is_no_step():
    steps = Steps(wall=1000.0, counted=10.0)
    assert steps.seen(wall=1060.0, counted=70.0) == 0.0
    assert steps.seen(wall=1065.0, counted=70.1) == 0.0
    assert steps.seen(wall=4665.0, counted=70.1) == 3600.0
    assert steps.seen(wall=4666.0, counted=71.1) == 0.0
    assert steps.seen(wall=1066.0, counted=71.1) == -3600.0
