"""The rows of this room."""

from devices.registry.models.process import SouthboundProcess
from devices.registry.models.registration import Registration, RegistrationDetail, Transport

__all__ = [
    "Registration",
    "RegistrationDetail",
    "SouthboundProcess",
    "Transport",
]
