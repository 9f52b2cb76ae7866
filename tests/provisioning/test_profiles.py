"""Bootstrap profiles: the rules of reference 4.3 as sentences, one default, every change in the ledger."""

from __future__ import annotations

import pytest

from accounts.errors import Refused
from audit.models import LedgerEvent
from provisioning.models import BootstrapProfile
from provisioning.profiles import addresses, profiles
from tests.devices import making

pytestmark = pytest.mark.django_db


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({"server_uri": "coap://m2m.example"}, "coaps"),
        ({"server_uri": "https://m2m.example"}, "coaps://host:5684"),
        ({"server_uri": "coaps://" + "m" * 250}, "255"),
        ({"short_server_id": 0}, "1 to 65534"),
        ({"short_server_id": 65535}, "1 to 65534"),
        ({"binding": "X"}, "binding"),
        ({"binding": "T"}, "binding"),
        ({"default_pmin_seconds": 10, "default_pmax_seconds": 5}, "maximum period"),
        ({"deletes": ["/0/0/0"]}, "Delete only"),
        ({"deletes": ["/x"]}, "not an id"),
        ({"deletes": "/0"}, "list of paths"),
        ({"deletes": [0]}, "list of paths"),
        ({"reads": ["/3"]}, "Read only /1, /2"),
        ({"reads": "/1"}, "list of paths"),
        ({"access_rights": {}}, "a list such as"),
        ({"access_rights": [{"path": "/3/0/1", "rights": {"0": 31}}]}, "object or instance"),
        ({"access_rights": [{"path": "/3/0", "rights": {}}]}, "who may do what"),
        ({"access_rights": [{"path": "/3/0", "rights": {"x": 31}}]}, "by Short Server ID"),
        ({"access_rights": [{"path": "/3/0", "rights": {"0": True}}]}, "by Short Server ID"),
        ({"access_rights": [{"path": "/3/0", "rights": {"0": 32}}]}, "rights of 0 to 31"),
        ({"access_rights": [{"path": "/3/0", "rights": {"7": 31}}]}, "only servers of this plan"),
        ({"security": "none"}, "does not allow"),
    ],
)
def test_unsound_profile_says_what_to_mend(changes: dict, says: str) -> None:
    profile = profiles.default_of(making.operator().pk)
    for name, value in changes.items():
        setattr(profile, name, value)
    assert says in " ".join(profiles.validate(profile))
    with pytest.raises(Refused) as refused:
        profiles.save(profile=profile)
    assert refused.value.cause == "PROFILE_INVALID"


def test_profile_without_encryption_where_the_operator_allows_it() -> None:
    operator = making.operator(allows_nosec=True)
    profile = profiles.default_of(operator.pk)
    profile.security = "none"
    assert profiles.validate(profile) == []
    profiles.save(profile=profile)
    device = making.device(operator)  # with a key
    problem = profiles.problem(device)
    assert problem is not None
    assert problem.cause == "PROFILE_INVALID"


def test_new_default_takes_the_place_of_the_old_one() -> None:
    operator = making.operator()
    old = profiles.default_of(operator.pk)
    new = profiles.save(profile=BootstrapProfile(operator=operator, name="Second", is_default=True))
    old.refresh_from_db()
    assert not old.is_default
    assert profiles.default_of(operator.pk) == new
    profiles.remove(profile=old)
    with pytest.raises(Refused) as refused:
        profiles.remove(profile=new)
    assert refused.value.cause == "CONFLICT"
    actions = LedgerEvent.objects.filter(action__startswith="bootstrap_profile").order_by("pk")
    assert list(actions.values_list("action", flat=True)) == [
        "bootstrap_profile.made",
        "bootstrap_profile.made",
        "bootstrap_profile.removed",
    ]


def test_default_is_made_under_a_name_that_is_free() -> None:
    operator = making.operator()
    BootstrapProfile.objects.update(is_default=False)
    assert profiles.ensure_default(operator).name == "Standard 2"


def test_first_address_of_a_device_is_where_it_has_to_go(settings) -> None:
    settings.PUBLIC_HOST = "m2m.example"
    operator = making.operator(allows_nosec=True)
    expected = {
        ("bootstrap", "psk"): f"coaps://m2m.example:{settings.BOOTSTRAP_COAPS_PORT}",
        ("bootstrap", "none"): f"coap://m2m.example:{settings.BOOTSTRAP_COAP_PORT}",
        ("direct", "psk"): f"coaps://m2m.example:{settings.COAPS_PORT}",
        ("direct", "none"): f"coap://m2m.example:{settings.COAP_PORT}",
    }
    for (onboarding, security), uri in expected.items():
        assert addresses.first_uri(making.device(operator, onboarding=onboarding, security=security)) == uri
