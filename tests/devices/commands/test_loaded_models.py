"""An operator's own object models decide for its devices, and for nobody else's."""

from __future__ import annotations

import pytest

from accounts.errors import Refused
from devices.inventory import object_models
from devices.inventory.models import ObjectDefinition
from lwm2m.objects import ObjectModel, ResourceModel, ValueType, to_json
from tests.devices.commands.test_operations import ask

pytestmark = pytest.mark.django_db

MODEL = ObjectModel(
    32999, "Meter", "1.0", True, False, {1: ResourceModel(1, "Reading", ValueType.INTEGER, "R", units="kWh")}
)


def test_a_loaded_model_is_held_to(device, make, north, south):
    object_models.forget()
    ObjectDefinition.objects.create(
        operator=north, object_id=32999, version="1.0", name="Meter", definition=to_json(MODEL)
    )
    with pytest.raises(Refused, match="Reading"):
        ask(device, "write", "/32999/0/1", value=5)
    theirs = make("urn:dev:south", operator=south, subscriber=None)
    assert ask(theirs, "write", "/32999/0/1", value=5).pk
    object_models.forget()
