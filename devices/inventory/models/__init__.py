"""The rows of this room."""

from devices.inventory.models.credential import Credential, CredentialState, Plane
from devices.inventory.models.device import Device, Onboarding, Reach
from devices.inventory.models.knock import Knock
from devices.inventory.models.object_definition import ObjectDefinition

__all__ = [
    "Credential",
    "CredentialState",
    "Device",
    "Knock",
    "ObjectDefinition",
    "Onboarding",
    "Plane",
    "Reach",
]
