"""The ledger events of observations: that somebody wants or ends one. What the device does about it is no event."""

from __future__ import annotations

from audit.actions import Action
from devices.inventory.models import Device
from devices.inventory.services import device_trail
from devices.observations.models import Observation


def wanted(observation: Observation, device: Device) -> None:
    _record(Action.OBSERVATION_WANTED, observation, device, observation.wanted_by, observation.reason)


def unwanted(observation: Observation, device: Device, *, by: str, reason: str) -> None:
    _record(Action.OBSERVATION_ENDED, observation, device, by, reason)


def _record(action: Action, observation: Observation, device: Device, by: str, reason: str) -> None:
    device_trail.record(
        device,
        action,
        reason=reason,
        detail={
            "observation_id": observation.pk,
            "paths": observation.paths,
            "attributes": observation.attributes,
            "requested_by": by,
        },
    )
