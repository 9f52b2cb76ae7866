"""The rows of this room."""

from devices.observations.models.observation import Observation, ObservationState

__all__ = [
    "Observation",
    "ObservationState",
]
