"""Observations are what somebody wants, whatever becomes of registrations meanwhile."""

from __future__ import annotations

from typing import Any

import pytest
from django.db import IntegrityError, transaction
from django.utils import timezone

from accounts.errors import Refused
from audit.models import LedgerEvent
from devices.commands.models import Command
from devices.observations import observation_rows
from devices.observations.models import Observation
from devices.observations.services import observations
from devices.operations.services import operations
from devices.registry.models import Registration
from provisioning.services import lifecycle
from tests.devices.answering import answer, claim
from tests.devices.conftest import register

pytestmark = pytest.mark.django_db


def want(device: Any, path: str = "/3303/0/5700", **arguments: Any) -> Observation:
    return observations.want(device=device, path=path, arguments=arguments, wanted_by="user:1")


def state(row: Observation) -> str:
    row.refresh_from_db()
    return row.state


def test_int_301_a_wish_is_asked_and_established(device):
    row = want(device)
    claimed = answer(device, nodes={"/3303/0/5700": 21.5}, token="0a")
    assert claimed.operation == "observe"
    assert claimed.arguments == {"observation_id": row.pk, "attributes": {}}
    assert state(row) == "active"
    found = observations.by_token(device_id=device.pk, token="0a")
    assert found is not None
    assert (found.observation_id, found.paths) == (row.pk, ("/3303/0/5700",))
    assert device.values.get().number == 21.5
    observations.notified(newest={row.pk: ("0a", 7)}, now=timezone.now())
    row.refresh_from_db()
    assert row.last_notified_at is not None
    assert row.notified_number == 7
    observations.notified(newest={row.pk: ("0b", 3)}, now=timezone.now())
    found = observations.by_token(device_id=device.pk, token="0a")
    assert (found.number, found.heard_at) == (7, row.last_notified_at)


@pytest.mark.parametrize("is_composite_first", [False, True])
def test_one_path_may_be_observed_alone_and_as_a_composite(device, is_composite_first):
    orders = [
        lambda: operations.request(
            device=device, operation="observe", path="/3303/0/5700", requested_by="user:1"
        ),
        lambda: operations.request(
            device=device, operation="observe-composite", paths=["/3303/0/5700"], requested_by="user:1"
        ),
    ]
    for order in reversed(orders) if is_composite_first else orders:
        order()
        answer(device, token=f"0{Observation.objects.count()}")
    rows = list(Observation.objects.order_by("is_composite"))
    assert [(row.paths, row.is_composite, row.state) for row in rows] == [
        (["/3303/0/5700"], False, "active"),
        (["/3303/0/5700"], True, "active"),
    ]
    observations.unwant(observation=rows[0], by="user:1")
    assert state(rows[1]) == "active"


def test_the_same_wish_twice_is_one(device):
    first, second = want(device), want(device)
    assert first.pk == second.pk
    assert Command.objects.count() == 1
    answer(device, token="0a")
    want(device)
    assert Command.objects.count() == 1
    with pytest.raises(IntegrityError), transaction.atomic():
        Observation.objects.create(device=device, key=first.key, paths=first.paths, wanted_by="user:2")


def test_l_15_another_wish_for_the_path_replaces_it(device, make):
    newer = make("urn:dev:2", "1.2")
    row = want(newer)
    answer(newer, token="0a")
    changed = want(newer, attributes={"pmin": 10})
    assert changed.pk == row.pk
    assert observations.by_token(device_id=newer.pk, token="0a") is None
    ended = answer(newer)  # the device would keep the old one beside the new
    assert (ended.operation, ended.arguments["token"], ended.arguments["attributes"]) == (
        "cancel-observe",
        "0a",
        {},
    )
    assert answer(newer, token="0b").arguments["attributes"] == {"pmin": 10}
    assert state(row) == "active"


def test_int_312_attributes_travel_as_the_version_has_it(device, make):
    newer = make("urn:dev:2", "1.2")
    want(newer, attributes={"pmin": 5, "pmax": 15})
    assert claim(newer).arguments["attributes"] == {"pmin": 5, "pmax": 15}
    want(device, attributes={"pmin": 5, "pmax": 15})
    asked = claim(device)  # southbound writes them apart, for the version that it meets
    assert (asked.operation, asked.arguments["attributes"]) == ("observe", {"pmin": 5, "pmax": 15})


def test_r_07_register_asks_again_once(device):
    row = want(device)
    answer(device, token="0a")
    assert observations.to_establish(device_id=device.pk, registration_id=f"r{device.pk}") == []
    assert observations.wanting([device.pk]) == {}
    observations.lost(device_ids=[device.pk])
    register(device, rid="next")
    assert state(row) == "wanted"
    assert observations.wanting([device.pk]) == {device.pk: "next"}
    now = timezone.now()
    assert observations.reestablish(device_id=device.pk, registration_id="next", now=now) == 1
    assert observations.reestablish(device_id=device.pk, registration_id="next", now=now) == 0
    device.registration.refresh_from_db()
    answer(device, token="0c")
    assert state(row) == "active"


def test_l_21_nothing_is_established_on_a_registration_that_died(device):
    row = want(device)
    claimed = claim(device)
    Registration.objects.filter(device=device).update(is_live=False)
    kept = observations.established(
        observation_id=row.pk, registration_id=f"r{device.pk}", token="0a", now=timezone.now()
    )
    assert not kept
    assert claimed is not None
    assert state(row) == "wanted"


def test_l_21_a_row_left_active_is_not_believed(device):
    """Should a process die between the end of a registration and `lost`."""
    row = want(device)
    answer(device, token="0a")
    register(device, rid="next")
    assert observations.by_token(device_id=device.pk, token="0a") is None
    assert observations.to_establish(device_id=device.pk, registration_id="next") == [row]


def test_a_refusal_is_kept_and_tried_with_the_next_registration(device):
    row = want(device)
    answer(device, code="4.05")
    assert state(row) == "refused"
    assert row.detail == "4.05"
    assert observations.to_establish(device_id=device.pk, registration_id=f"r{device.pk}") == []
    register(device, rid="next")
    assert observations.to_establish(device_id=device.pk, registration_id="next") == [row]


def test_an_answer_without_observe_is_a_refusal(device):
    row = want(device)
    answer(device, nodes={"/3303/0/5700": 1.0})
    assert state(row) == "refused"


def test_int_303_active_cancel_repeats_token_and_options(device):
    row = want(device, content_format=112)
    answer(device, token="0a")
    command = operations.request(
        device=device, operation="cancel-observe", path="/3303/0/5700", requested_by="user:1"
    )
    assert state(row) == "ended"
    assert observations.by_token(device_id=device.pk, token="0a") is None
    assert command.state == "queued"
    assert command.arguments == {
        "observation_id": row.pk,
        "content_format": 112,
        "attributes": {},
        "mode": "active",
        "token": "0a",
    }


def test_int_302_passive_cancel_sends_nothing(device):
    row = want(device)
    answer(device, token="0a")
    command = operations.request(
        device=device,
        operation="cancel-observe",
        path="/3303/0/5700",
        arguments={"mode": "passive"},
        requested_by="user:1",
    )
    assert (command.state, state(row)) == ("done", "ended")
    assert claim(device) is None


def test_what_waits_for_an_ended_wish_is_taken_back(device):
    row = want(device)
    ended = observations.unwant(observation=row, by="user:1")
    assert ended.command is None
    assert claim(device) is None
    with pytest.raises(Refused):
        observations.unwant(observation=row, by="user:1")
    assert want(device).pk != row.pk


def test_int_304_305_composite_is_one_wish_with_all_paths(device):
    paths = ["/3/0/9", "/3303/0/5700"]
    command = operations.request(
        device=device, operation="observe-composite", paths=paths, requested_by="user:1"
    )
    assert (command.path, command.arguments["paths"]) == ("/", paths)
    answer(device, nodes={"/3/0/9": 80, "/3303/0/5700": 2.5}, token="0d")
    assert observations.by_token(device_id=device.pk, token="0d").is_composite
    cancel = operations.request(
        device=device, operation="cancel-observe-composite", paths=paths, requested_by="user:1"
    )
    assert cancel.arguments["paths"] == paths
    assert cancel.arguments["token"] == "0d"


def test_a_device_that_is_away_is_asked_when_it_comes(make):
    away = make("urn:dev:away", "")
    row = want(away)
    assert not Command.objects.exists()
    register(away)
    assert observations.to_establish(device_id=away.pk, registration_id=f"r{away.pk}") == [row]


def test_finding_observations_of_a_batch_costs_one_query_and_another_behind_gateways(
    device, django_assert_num_queries, monkeypatch
):
    want(device)
    answer(device, token="0a")
    asked: list[object] = []  # planned statements pass by what counts queries
    run = observation_rows._standing
    monkeypatch.setattr(
        observation_rows, "_standing", lambda keys, **how: asked.append(how) or run(keys, **how)
    )
    found = observations.by_tokens([(device.pk, "0a")])
    assert len(asked) == 1
    assert found == observations.by_tokens([(device.pk, "0a"), (device.pk, "ff"), (device.pk + 1, "0a")])
    assert len(asked) == 3
    assert list(found) == [(device.pk, "0a")]
    with django_assert_num_queries(2):
        observations.lost(device_ids=[device.pk, device.pk + 1])


def test_a_suspended_device_is_not_observed_and_observed_again_when_it_may_connect(device):
    row = want(device)
    answer(device, token="0a")
    lifecycle.suspend(device=device, reason="unpaid")
    assert state(row) == "wanted"
    assert observations.by_token(device_id=device.pk, token="0a") is None
    lifecycle.resume(device=device)
    assert answer(device, token="0b").operation == "observe"
    assert state(row) == "active"


def test_a_barred_device_is_asked_after_its_next_register(device):
    row = want(device)
    answer(device, token="0a")
    lifecycle.bar(device=device, reason="stolen")
    lifecycle.resume(device=device)
    assert claim(device) is None
    assert state(row) == "wanted"


def test_a_retired_device_leaves_no_wish(device):
    observed, waiting = want(device), want(device, "/3303/0/5701")
    answer(device, token="0a")
    lifecycle.release(device=device, reason="scrapped")
    assert (state(observed), state(waiting)) == ("ended", "ended")
    told = LedgerEvent.objects.filter(action="observation.ended", device_id=device.pk)
    assert {event.reason for event in told} == {"scrapped"}
    assert len(told) == 2
