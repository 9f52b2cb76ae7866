"""The consistency rules 4.3 of the reference, each by one plan that breaks it."""

from dataclasses import replace

import pytest

from lwm2m.accounts import SMS_NOSEC, security_nodes
from lwm2m.bootstrap import AccessRight, BootstrapPlan, SecurityMode, ServerAccount, validate
from lwm2m.paths import ROOT, Path

PSK = ServerAccount(1, "coaps://a.example:5684", SecurityMode.PSK, b"id", b"k" * 16)
NOSEC = ServerAccount(2, "coap://b.example")
CERTIFICATE = ServerAccount(
    3, "coaps+tcp://c.example", SecurityMode.CERTIFICATE, b"c", b"x" * 32, b"s", binding="T"
)
BY_SMS = ServerAccount(
    5, "tel:+491700000001", binding="SQ", sms_security_mode=SMS_NOSEC, server_sms_number="491700000001"
)
RIGHTS = (AccessRight(3, 0, ((0, 1), (1, 31))), AccessRight(1, 65535, ((1, 16),)))


@pytest.mark.parametrize(
    "plan",
    [
        BootstrapPlan((PSK,)),
        BootstrapPlan((NOSEC,), (ROOT,), reads=(Path(1), Path(2, 0))),
        BootstrapPlan((PSK, NOSEC, CERTIFICATE), access_rights=RIGHTS),
        BootstrapPlan((BY_SMS,)),
        BootstrapPlan((replace(BY_SMS, uri="tel:2772", server_sms_number="2772", binding="US"),)),
        BootstrapPlan((ServerAccount(4, "coaps://[::1]:5684", SecurityMode.EST),)),
    ],
)
def test_plans_that_may_be_used(plan: BootstrapPlan) -> None:
    assert validate(plan) == []


@pytest.mark.parametrize(
    ("plan", "word"),
    [
        (BootstrapPlan(()), "at least one server"),
        (
            BootstrapPlan((PSK, replace(NOSEC, short_server_id=1)), access_rights=RIGHTS),
            "own Short Server ID",
        ),
        (BootstrapPlan((PSK, replace(PSK, short_server_id=2)), access_rights=RIGHTS), "own key"),
        (BootstrapPlan((PSK, NOSEC)), "access rights"),
        (BootstrapPlan((PSK,), access_rights=(AccessRight(3, 0, ((9, 1),)),)), "servers of this plan"),
        (BootstrapPlan((PSK,), access_rights=(AccessRight(3, 0, ((1, 32),)),)), "0 to 31"),
        (BootstrapPlan((PSK,), (Path(3, 0, 1),)), "cannot delete a resource"),
        (BootstrapPlan((PSK,), reads=(Path(0),)), "Read only /1, /2"),
        (
            BootstrapPlan(
                (replace(PSK, security_instance=1), replace(NOSEC, security_instance=1)), access_rights=RIGHTS
            ),
            "own security instance",
        ),
    ],
)
def test_plans_that_contradict_themselves(plan: BootstrapPlan, word: str) -> None:
    (problem,) = validate(plan)
    assert word in problem
    assert problem.endswith(".")


@pytest.mark.parametrize(
    ("account", "word"),
    [
        (replace(PSK, short_server_id=0), "1 to 65534"),
        (replace(PSK, short_server_id=65535), "1 to 65534"),
        (replace(PSK, uri="coaps://" + "a" * 250), "255 characters"),
        (replace(PSK, uri="https://a"), "coaps://host"),
        (replace(PSK, uri="coaps://"), "coaps://host"),
        (replace(PSK, uri="coaps://[::1"), "coaps://host"),
        (replace(PSK, uri="coaps://a:99999"), "coaps://host"),
        (replace(PSK, uri="coap://a"), "not secured"),
        (replace(NOSEC, uri="coaps://a"), "other than NoSec"),
        (replace(PSK, uri="coaps+tcp://a"), "Add T"),
        (replace(PSK, binding="X"), "letters"),
        (replace(PSK, identity=b""), "1 to 128 bytes"),
        (replace(PSK, identity=b"i" * 129), "1 to 128 bytes"),
        (replace(PSK, key=b"short"), "16 to 64 bytes"),
        (replace(PSK, key=b"k" * 65), "16 to 64 bytes"),
        (replace(PSK, server_public_key=b"x"), "public key of the server empty"),
        (replace(NOSEC, key=b"k" * 16), "empty with NoSec"),
        (replace(CERTIFICATE, server_public_key=b""), "that of the server"),
        (replace(PSK, security_mode=SecurityMode.EST), "enrols"),
        (replace(PSK, security_mode=9), "0 (PSK) to 4"),
        (replace(PSK, lifetime_seconds=-1), "lifetime"),
        (replace(PSK, pmin=-1), "negative"),
        (replace(PSK, pmin=10, pmax=5), "maximum period"),
        (replace(PSK, server_instance=65535), "0 to 65534"),
        (replace(BY_SMS, uri="tel:+49 1700000001 491700000001"), "tel:+49123456"),
        (replace(BY_SMS, sms_security_mode=None), "SMS NoSec"),
        (replace(BY_SMS, server_sms_number="2772"), "same as in its URI"),
        (replace(BY_SMS, binding="U"), "binding with S"),
    ],
)
def test_accounts_that_a_client_would_refuse(account: ServerAccount, word: str) -> None:
    (problem,) = validate(BootstrapPlan((account,)))
    assert word in problem
    assert problem.startswith(f"Server {account.short_server_id}: ")


def test_an_account_by_sms_says_number_and_security_of_sms() -> None:
    told = {node.path.resource_id: node.value for node in security_nodes(BY_SMS, 1)}
    assert (told[0], told[2], told[6], told[9]) == ("tel:+491700000001", 3, 3, "491700000001")
    assert not {6, 9} & {node.path.resource_id for node in security_nodes(NOSEC, 1)}
