"""Refusals about SMSC links, phone numbers and SMS triggers."""

from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext_lazy

from audit.catalogue.sentence import Sentence

SENTENCES = {
    "DEVICE_HAS_NO_NUMBER": Sentence("MSISDN_MISSING", _("The device has no phone number; enter it first.")),
    "END_DEVICE_HAS_NO_NUMBER": Sentence(
        "VALIDATION_FAILED", _("A device behind a gateway has no phone number of its own.")
    ),
    "NUMBER_JUST_CHANGED": Sentence("CONFLICT", _("The device's phone number has just changed; try again.")),
    "SMPP_URL_MALFORMED": Sentence(
        "VALIDATION_FAILED", _("Write it as smpp://user:password@host:port?address=+49123456.")
    ),
    "SMPP_URL_PARAMETER_UNKNOWN": Sentence(
        "VALIDATION_FAILED", _("The URL has the unknown parameter %(name)s; known are %(known)s.")
    ),
    "SMPP_URL_PORT": Sentence("VALIDATION_FAILED", _("The port of the URL is no number.")),
    "SMSC_ADDRESS_INVALID": Sentence(
        "VALIDATION_FAILED",
        _("Say which number of ours the SMS come from: +49123456, a short code, or a name."),
    ),
    "SMSC_ADDRESS_NO_NUMBER": Sentence(
        "PROFILE_INVALID", _("Devices cannot answer %(address)r; give the SMSC link a number as its address.")
    ),
    "SMSC_FIELD_INVALID": Sentence("VALIDATION_FAILED", _("%(name)s: %(problems)s")),
    "SMSC_HOST_NOT_ALLOWED": Sentence(
        "VALIDATION_FAILED",
        _("The portal may not connect to this address: it is in none of its SMSC_NETWORKS."),
    ),
    "SMSC_LINK_NOT_SET_UP": Sentence(
        "SMSC_LINK_MISSING", _("The operator has no SMSC link; set it up first.")
    ),
    "SMSC_NUMBER_EXPECTED": Sentence("VALIDATION_FAILED", _("%(name)s must be a whole number.")),
    "SMSC_PASSWORD_INVALID": Sentence(
        "VALIDATION_FAILED",
        ngettext_lazy(
            "A password of SMPP has up to %(limit)s plain character.",
            "A password of SMPP has up to %(limit)s plain characters.",
            "limit",
        ),
    ),
    "SMSC_PORT_NOT_ALLOWED": Sentence(
        "VALIDATION_FAILED", _("The port of an SMSC is one from %(low)s to %(high)s here (SMSC_PORTS).")
    ),
    "SMS_OF_TODAY_USED_UP": Sentence(
        "SMS_BUDGET_SPENT", _("The device has used up its SMS for today; try again tomorrow.")
    ),
    "TRIGGER_UNKNOWN": Sentence("VALIDATION_FAILED", _("There is no trigger %(kind)r.")),
}
