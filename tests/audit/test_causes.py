"""The catalogue is complete and readable."""

import re
from pathlib import Path

import pytest

import audit
from audit import causes, refusals

REQUIRED_TEXT = """
ENDPOINT_TAKEN ENDPOINT_INVALID ENDPOINT_UNKNOWN ENDPOINT_IDENTITY_MISMATCH PSK_IDENTITY_UNKNOWN PSK_MISMATCH
PSK_KEY_INVALID PSK_IDENTITY_TAKEN DTLS_HANDSHAKE_FAILED DTLS_HANDSHAKE_TIMEOUT DTLS_FLOOD NOSEC_NOT_ALLOWED
WRONG_SECURITY NO_BOOTSTRAP_PROFILE PROFILE_INVALID BOOTSTRAP_CONTENT_FORMAT_UNSUPPORTED BOOTSTRAP_NOT_READY
BOOTSTRAP_INTERRUPTED BOOTSTRAP_TIMEOUT BOOTSTRAP_WRITE_REFUSED BOOTSTRAP_DELETE_REFUSED
BOOTSTRAP_DISCOVER_REFUSED BOOTSTRAP_FINISH_REFUSED BOOTSTRAP_INCONSISTENT BOOTSTRAP_SUPERSEDED
BOOTSTRAP_PACK_UNSUPPORTED NOT_PROVISIONED DEVICE_SUSPENDED DEVICE_BARRED DEVICE_RETIRED OPERATOR_INACTIVE
VERSION_UNSUPPORTED VERSION_MALFORMED LIFETIME_INVALID LIFETIME_EXPIRED BINDING_INVALID QUEUE_MODE_INVALID
PARAMETER_INVALID PROFILE_ID_UNKNOWN BAD_LINK_FORMAT OBJECT_LIST_EMPTY CONTENT_FORMAT_UNSUPPORTED
PAYLOAD_MALFORMED REGISTRATION_UNKNOWN REGISTRATION_REPLACED DEREGISTERED NOT_CONFIRMABLE PATH_UNKNOWN
METHOD_NOT_ALLOWED MESSAGE_MALFORMED STORE_UNAVAILABLE OVERLOADED RESPONSE_TIMEOUT COMMAND_EXPIRED
COMMAND_REFUSED COMMAND_CANCELLED DEVICE_ASLEEP DEVICE_UNREACHABLE DEVICE_SILENT SMS_UNDELIVERED
GATEWAY_OFFLINE NOT_IMPLEMENTED VALIDATION_FAILED NOT_AUTHENTICATED CREDENTIALS_WRONG EMAIL_UNCONFIRMED
EMAIL_TAKEN PERMISSION_DENIED NOT_FOUND THROTTLED OPERATOR_CLOSED SETTING_INVALID CONFLICT INTERNAL_ERROR
CLIENT_REQUEST_MALFORMED
"""
REQUIRED = set(REQUIRED_TEXT.split())
JARGON = (
    "DTLS",
    "PSK",
    "CoAP",
    "4.0",
    "5.0",
    "endpoint",
    "registration",
    "bootstrap",
    "parameter",
    "TLV",
    "/0",
)


NAMED = re.compile(
    r'(?:bad_request\(|Lwm2mError\(\s*[\w.]+,|Refused\(|cause=|"cause":)\s*"([A-Z][A-Z_0-9]+)"'
)
ROOMS = (
    *("lwm2m", "devices", "provisioning", "southbound", "selfservice", "support", "accounts", "api"),
    "backoffice",
)


@pytest.mark.parametrize("room", ROOMS)
def test_every_cause_that_is_named_has_its_sentences(room):
    """An unknown one could not be counted or recorded, so that a refusal would leave no trace."""
    files = Path(audit.__file__).parent.with_name(room).rglob("*.py")
    known = set(causes.CAUSES) | set(refusals.SENTENCES)
    named = {cause: file.name for file in files for cause in NAMED.findall(file.read_text(encoding="utf-8"))}
    assert not {cause: file for cause, file in named.items() if cause not in known}


def test_no_required_cause_is_missing():
    assert REQUIRED.issubset(causes.CAUSES)


@pytest.mark.parametrize("cause", causes.CAUSES.values(), ids=lambda cause: cause.code)
def test_every_reader_gets_a_sentence_of_their_own(cause):
    sentences = [cause.subscriber, cause.support, cause.engineer, cause.action]
    assert len(set(sentences)) == 4
    for sentence in sentences:
        assert sentence == sentence.strip()
        assert sentence.endswith(".")
        assert len(sentence.split()) >= 4
        assert sentence[0].isupper() or sentence.startswith("ep ")


@pytest.mark.parametrize("cause", causes.CAUSES.values(), ids=lambda cause: cause.code)
def test_the_subscriber_is_spared_the_jargon(cause):
    assert not [word for word in JARGON if word in cause.subscriber]


def test_codes_are_unique_and_fit_the_column():
    codes = [cause.code for cause in causes._LISTED]
    assert len(codes) == len(set(codes))
    assert all(len(code) <= 64 and code == code.upper() for code in codes)


def test_get_finds_and_refuses():
    assert causes.get("PSK_MISMATCH").mended_by == "subscriber"
    with pytest.raises(KeyError):
        causes.get("NO_SUCH_CAUSE")
