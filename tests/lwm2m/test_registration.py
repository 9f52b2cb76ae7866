"""The registration machine, walked through its table with a made-up clock."""

from dataclasses import replace

import pytest

from lwm2m.links import ObjectLinks, parse_object_links
from lwm2m.registration import Change, Origin, Outcome, Registration, deregister, expire, register, update
from lwm2m.wire import Deregister, Register, Update

NOW = 1_000_000.0
GRACE = 10.0
LINKS = parse_object_links(b"</1/0>,</3/0>")
NOSEC = Origin("10.0.0.1", 5683)
PSK = Origin("10.0.0.1", 5684, "dtls", "psk-1")


def message(**changes: object) -> Register:
    return replace(Register("dev", 60, "1.1", "U", object_links=LINKS), **changes)


def enrol(
    asked: Register | None = None,
    *,
    current: Registration | None = None,
    origin: Origin = NOSEC,
    registration_id: str = "r1",
    now: float = NOW,
) -> Outcome:
    return register(
        asked or message(),
        current=current,
        endpoint="dev",
        origin=origin,
        registration_id=registration_id,
        now=now,
    )


def standing(**changes: object) -> Registration:
    origin = changes.pop("origin", NOSEC)
    outcome = enrol(message(**changes), origin=origin)
    assert outcome.registration is not None
    return outcome.registration


def step(
    asked: Update, current: Registration | None, *, origin: Origin = NOSEC, now: float = NOW + 5
) -> Outcome:
    return update(asked, current=current, origin=origin, now=now, grace_seconds=GRACE)


def dotted(outcome: Outcome) -> str:
    assert outcome.response is not None
    return outcome.response.code.dotted


def test_int_101_register() -> None:
    outcome = enrol()
    assert (dotted(outcome), outcome.change) == ("2.01", Change.REGISTERED)
    assert outcome.response is not None
    assert outcome.response.location == ("rd", "r1")
    assert outcome.registration is not None
    assert outcome.registration.expires_at == NOW + 60
    assert outcome.registration.registered_at == outcome.registration.last_seen_at == NOW


def test_acceptance_5_other_endpoint_than_the_credentials() -> None:
    outcome = enrol(message(endpoint="other"))
    assert (dotted(outcome), outcome.cause) == ("4.00", "ENDPOINT_IDENTITY_MISMATCH")
    assert (outcome.change, outcome.registration) == (Change.REFUSED, None)


def test_l_03_endpoint_from_the_credentials() -> None:
    outcome = enrol(message(endpoint=None), origin=PSK)
    assert outcome.registration is not None
    assert outcome.registration.endpoint == "dev"


def test_acceptance_13_register_again_replaces() -> None:
    old = standing()
    outcome = enrol(message(lifetime_seconds=90), current=old, registration_id="r2", now=NOW + 9)
    assert (dotted(outcome), outcome.change) == ("2.01", Change.REPLACED)
    assert outcome.previous is old
    assert outcome.changed == {"lifetime_seconds"}
    assert outcome.registration is not None
    gone = step(Update("r1"), outcome.registration)
    assert (dotted(gone), gone.cause) == ("4.04", "REGISTRATION_UNKNOWN")


def test_int_110_and_acceptance_21_unknown_profile() -> None:
    outcome = enrol(message(object_links=None, profile_ids=("6:00",), version="1.2"))
    assert (dotted(outcome), outcome.cause) == ("4.09", "PROFILE_ID_UNKNOWN")


def test_int_104_and_acceptance_11_plain_refresh() -> None:
    outcome = step(Update("r1"), standing())
    assert (dotted(outcome), outcome.change, outcome.changed) == ("2.04", Change.REFRESHED, frozenset())
    assert outcome.registration == replace(standing(), last_seen_at=NOW + 5, expires_at=NOW + 65)


def test_a_refresh_copies_every_field() -> None:
    current = replace(
        standing(sms_number="49123", attributes=(("a", "1"),), profile_ids=("6:00",), queue_mode=True),
        registered_at=NOW - 500,
    )
    for one in (current, replace(current, lifetime_seconds=0, expires_at=None)):
        outcome = step(Update("r1"), one)
        expires_at = NOW + 65 if one.lifetime_seconds else None
        assert outcome.registration == replace(one, last_seen_at=NOW + 5, expires_at=expires_at)


def test_int_102_and_107_new_lifetime() -> None:
    outcome = step(Update("r1", lifetime_seconds=120), standing())
    assert (outcome.change, outcome.changed) == (Change.UPDATED, {"lifetime_seconds"})
    assert outcome.registration is not None
    assert outcome.registration.expires_at == NOW + 125


def test_an_update_that_repeats_what_is_known_is_a_refresh() -> None:
    outcome = step(Update("r1", lifetime_seconds=60, binding="U", object_links=LINKS), standing())
    assert (outcome.change, outcome.changed) == (Change.REFRESHED, frozenset())


def test_int_105_and_acceptance_12_unknown_registration() -> None:
    for current in (None, standing()):
        outcome = step(Update("nobody"), current)
        assert (dotted(outcome), outcome.cause) == ("4.04", "REGISTRATION_UNKNOWN")
        assert (outcome.change, outcome.registration) == (Change.REFUSED, current)


def test_acceptance_14_expiry_and_grace() -> None:
    current = standing()
    assert expire(current, now=NOW + 69.9, grace_seconds=GRACE) is None
    assert step(Update("r1"), current, now=NOW + 69.9).change is Change.REFRESHED
    outcome = expire(current, now=NOW + 70, grace_seconds=GRACE)
    assert outcome is not None
    assert (outcome.change, outcome.registration, outcome.response) == (Change.EXPIRED, None, None)
    assert (outcome.cause, outcome.previous) == ("LIFETIME_EXPIRED", current)
    assert dotted(step(Update("r1"), current, now=NOW + 70)) == "4.04"


def test_acceptance_15_zero_lifetime_never_expires() -> None:
    current = standing(lifetime_seconds=0)
    assert current.expires_at is None
    assert expire(current, now=NOW + 1e12, grace_seconds=0) is None
    refreshed = step(Update("r1"), current, now=NOW + 1e9).registration
    assert refreshed is not None
    assert refreshed.expires_at is None
    finite = step(Update("r1", lifetime_seconds=5), current).registration
    assert finite is not None
    assert finite.expires_at == NOW + 10


def test_int_103_and_acceptance_16_deregister() -> None:
    current = standing()
    asked = Deregister("r1")
    outcome = deregister(asked, current=current, origin=NOSEC, now=NOW + 1, grace_seconds=GRACE)
    assert (dotted(outcome), outcome.change) == ("2.02", Change.DEREGISTERED)
    assert (outcome.registration, outcome.previous) == (None, current)
    again = deregister(asked, current=None, origin=NOSEC, now=NOW + 2, grace_seconds=GRACE)
    assert (dotted(again), again.cause) == ("4.04", "REGISTRATION_UNKNOWN")
    late = deregister(asked, current=current, origin=NOSEC, now=NOW + 99, grace_seconds=GRACE)
    assert dotted(late) == "4.04"


SMS = Origin("+491510000001", 0, "sms", "+491510000001")


def test_a_client_with_u_and_s_speaks_by_either_way_and_is_followed() -> None:
    current = standing(origin=NOSEC, binding="US")
    moved = step(Update("r1"), current, origin=SMS)
    assert (dotted(moved), "origin" in moved.changed) == ("2.04", True)
    back = step(Update("r1"), moved.registration, origin=NOSEC)
    assert dotted(back) == "2.04"


@pytest.mark.parametrize(
    ("registered", "binding", "cause"),
    [(PSK, "US", "WRONG_SECURITY"), (NOSEC, "U", "ENDPOINT_IDENTITY_MISMATCH")],
)
def test_l_05_sms_is_no_way_for_who_has_a_key_or_did_not_say_so(registered, binding, cause) -> None:
    outcome = step(Update("r1"), standing(origin=registered, binding=binding), origin=SMS)
    assert (dotted(outcome), outcome.cause) == ("4.00", cause)


def test_another_number_is_another_client() -> None:
    other = Origin("+491510000002", 0, "sms", "+491510000002")
    outcome = step(Update("r1"), standing(origin=SMS, binding="S"), origin=other)
    assert (dotted(outcome), outcome.cause) == ("4.00", "ENDPOINT_IDENTITY_MISMATCH")


def test_acceptance_20_update_over_plain_udp_for_a_dtls_registration() -> None:
    current = standing(origin=PSK)
    outcome = step(Update("r1"), current, origin=NOSEC)
    assert (dotted(outcome), outcome.cause) == ("4.00", "WRONG_SECURITY")
    assert outcome.registration is current
    gone = deregister(Deregister("r1"), current=current, origin=NOSEC, now=NOW, grace_seconds=GRACE)
    assert (dotted(gone), gone.change) == ("4.00", Change.REFUSED)


def test_another_identity_cannot_update() -> None:
    outcome = step(Update("r1"), standing(origin=PSK), origin=replace(PSK, identity="psk-2"))
    assert (dotted(outcome), outcome.cause) == ("4.00", "ENDPOINT_IDENTITY_MISMATCH")


@pytest.mark.parametrize("origin", [PSK, NOSEC])
def test_acceptance_18_and_int_1350_new_address_keeps_the_registration(origin: Origin) -> None:
    moved = replace(origin, host="10.9.9.9", port=40_000)
    outcome = step(Update("r1"), standing(origin=origin), origin=moved)
    assert (dotted(outcome), outcome.change, outcome.changed) == ("2.04", Change.UPDATED, {"origin"})
    assert outcome.registration is not None
    assert outcome.registration.origin == moved


def test_int_108_queue_mode_goes_on_and_stays() -> None:
    outcome = step(Update("r1", binding="U", queue_mode=True), standing())
    assert outcome.changed == {"queue_mode"}
    assert outcome.registration is not None
    # Anjay says Q only in Register: an Update with another binding must not wake a sleeping device.
    for later in (Update("r1", lifetime_seconds=9), Update("r1", binding="UT")):
        kept = step(later, outcome.registration).registration
        assert kept is not None
        assert kept.queue_mode


def test_a_1_0_client_leaves_queue_mode_by_its_binding() -> None:
    outcome = step(Update("r1", binding="U"), standing(version="1.0", queue_mode=True))
    assert outcome.changed == {"queue_mode"}


def test_l_07_binding_is_judged_by_the_registered_version() -> None:
    old = standing(version="1.0")
    outcome = step(Update("r1", binding="UQ"), old)
    assert outcome.registration is not None
    assert (outcome.registration.binding, outcome.registration.queue_mode) == ("U", True)
    for asked in (Update("r1", binding="T"), Update("r1", queue_mode=True)):
        assert dotted(step(asked, old)) == "4.00"
    refused = step(Update("r1", binding="UQ"), standing())
    assert (dotted(refused), refused.cause) == ("4.00", "BINDING_INVALID")


def test_int_1250_a_list_replaces_the_old_one() -> None:
    fresh: ObjectLinks = parse_object_links(b"</1/0>,</11/0>")
    outcome = step(Update("r1", object_links=fresh), standing())
    assert outcome.changed == {"object_links"}
    assert outcome.registration is not None
    assert outcome.registration.object_links == fresh


def test_attributes_merge_and_stay_bounded() -> None:
    current = standing(attributes=(("a", "1"), ("b", "2")))
    merged = step(Update("r1", attributes=(("b", "3"), ("c", "4"))), current).registration
    assert merged is not None
    assert merged.attributes == (("a", "1"), ("b", "3"), ("c", "4"))
    for number in range(100):
        grown = step(Update("r1", attributes=((f"k{number}", "v"),)), merged).registration
        assert grown is not None
        merged = grown
    assert len(merged.attributes) == 32


def test_new_profile_ids_on_update_need_a_list() -> None:
    current = standing(version="1.2", profile_ids=("6:00",))
    assert step(Update("r1", profile_ids=("6:00",)), current).change is Change.REFRESHED
    assert dotted(step(Update("r1", profile_ids=("6:01",)), current)) == "4.09"
    changed = step(Update("r1", profile_ids=("6:01",), object_links=LINKS), current)
    assert changed.changed == {"profile_ids"}
