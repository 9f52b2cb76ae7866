"""Where a link to an SMSC may lead: no port scanner of the house's own network."""

from __future__ import annotations

from ipaddress import ip_network

import pytest

from accounts.errors import Refused
from devices.messaging import smsc_networks
from devices.messaging.services import smsc_links
from tests.devices import making


@pytest.mark.parametrize(
    ("address", "is_allowed"),
    [
        ("8.8.8.8", True),
        ("2001:4860:4860::8888", True),
        ("127.0.0.1", False),
        ("::1", False),
        ("::ffff:127.0.0.1", False),
        ("10.1.2.3", False),
        ("172.16.0.1", False),
        ("192.168.1.1", False),
        ("100.64.0.1", False),
        ("169.254.169.254", False),
        ("fe80::1%eth0", False),
        ("fd00::1", False),
        ("0.0.0.0", False),
        ("224.0.0.1", False),
    ],
)
def test_by_default_production_leads_to_the_internet_alone(settings, address, is_allowed):
    settings.SMSC_NETWORKS, settings.SMSC_PORTS = ["public"], (1024, 65535)
    assert smsc_networks.allows(address, 2775) is is_allowed
    assert not smsc_networks.allows(address, 22)


def test_a_network_of_the_settings_is_allowed(settings):
    settings.SMSC_NETWORKS = [ip_network("10.20.0.0/16")]
    assert smsc_networks.allows("10.20.3.4", 2775)
    assert not smsc_networks.allows("10.21.3.4", 2775)
    assert not smsc_networks.allows("8.8.8.8", 2775)


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("host", "port", "field"),
    [("127.0.0.1", 2775, "host"), ("[::1]", 2775, "host"), ("smsc.example", 22, "port")],
)
def test_what_shows_at_once_is_refused_at_once(settings, host, port, field):
    settings.SMSC_NETWORKS = ["public"]
    with pytest.raises(Refused) as refused:
        smsc_links.save(operator=making.operator(), host=host, port=port, system_id="s", address="1234")
    assert (refused.value.cause, refused.value.field) == ("VALIDATION_FAILED", field)
