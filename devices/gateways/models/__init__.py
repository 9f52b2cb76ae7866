"""The rows of this room."""

from devices.gateways.models.end_device import EndDevice
from devices.gateways.models.parked_report import ParkedReport

__all__ = [
    "EndDevice",
    "ParkedReport",
]
