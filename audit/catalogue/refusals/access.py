"""Refusals about who may have what: devices, operators, accounts, jobs, object definitions."""

from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext_lazy

from audit.catalogue.sentence import Sentence

SENTENCES = {
    "ACCESS_CANNOT_MOVE": Sentence(
        "CONFLICT", _("Access cannot go from %(old)r to %(new)r. Reload the page to see its present state.")
    ),
    "ACCOUNT_NOT_ACTIVE": Sentence(
        "PERMISSION_DENIED", _("Your account is not active; ask your operator's support.")
    ),
    "ACCOUNT_OF_ANOTHER_OPERATOR": Sentence(
        "VALIDATION_FAILED", _("This account is with another operator; choose its operator.")
    ),
    "CHOICE_UNKNOWN": Sentence("VALIDATION_FAILED", _("%(value)r is not one of: %(known)s.")),
    "DDF_FILES_MISSING": Sentence("VALIDATION_FAILED", _("Choose at least one DDF file (XML).")),
    "DDF_FILES_TOO_MANY": Sentence(
        "VALIDATION_FAILED",
        ngettext_lazy(
            "This is %(count)s file; send at most %(limit)s at once.",
            "These are %(count)s files; send at most %(limit)s at once.",
            "count",
        ),
    ),
    "DEVICES_REACHED": Sentence(
        "QUOTA_REACHED",
        ngettext_lazy(
            "Account %(number)s may have %(limit)s device. Remove it, or ask %(operator)s.",
            "Account %(number)s may have %(limit)s devices. Remove some, or ask %(operator)s.",
            "limit",
        ),
    ),
    "CREDENTIAL_CANNOT_BE_MADE": Sentence(
        "WRONG_SECURITY", _("The portal can make nothing new for the security “%(security)s”.")
    ),
    "DEVICE_HAS_NO_KEY": Sentence(
        "WRONG_SECURITY", _("This device connects without encryption and has no key.")
    ),
    "DEVICE_IS_BARRED": Sentence("DEVICE_BARRED", _("The device is barred; make it active first.")),
    "DEVICE_IS_RETIRED": Sentence("DEVICE_RETIRED", _("The device is retired; make it active first.")),
    "DEVICE_IS_SUSPENDED": Sentence("DEVICE_SUSPENDED", _("The device is suspended; make it active first.")),
    "DEVICE_REMOVED": Sentence("DEVICE_RETIRED", _("The device was removed; add it again.")),
    "ENDPOINT_SIGNED_IN": Sentence(
        "CONFLICT",
        _("The device has signed in under its name already; release it and add it again to change that."),
    ),
    "GATEWAY_IS_BARRED": Sentence("DEVICE_BARRED", _("The gateway is barred; make it active first.")),
    "GATEWAY_IS_RETIRED": Sentence("DEVICE_RETIRED", _("The gateway is retired; make it active first.")),
    "GATEWAY_IS_SUSPENDED": Sentence(
        "DEVICE_SUSPENDED", _("The gateway is suspended; make it active first.")
    ),
    "JOB_CANNOT_BE_RETRIED": Sentence(
        "CONFLICT", _("The job is %(state)s; only a failed one can be retried.")
    ),
    "JOB_RUNS_ALREADY": Sentence(
        "CONFLICT", _("A job of this kind runs for this device already; open it or cancel it first.")
    ),
    "NO_ACCOUNT_WITH_OPERATOR": Sentence(
        "VALIDATION_FAILED", _("You have no account with %(operator)r; open one first.")
    ),
    "OBJECT_NOT_LOADED": Sentence(
        "NOT_FOUND", _("Object %(object_id)s %(version)s is not loaded here; reload the list.")
    ),
    "OPERATOR_HAS_NO_SMS": Sentence(
        "SMSC_LINK_MISSING", _("This operator takes no devices by SMS yet; its support can say when it will.")
    ),
    "OPERATOR_OF_STAFF_AMBIGUOUS": Sentence(
        "VALIDATION_FAILED", _("You work for several operators; say which one by its short name.")
    ),
    "OPERATOR_OF_SUBSCRIBER_AMBIGUOUS": Sentence(
        "VALIDATION_FAILED", _("You belong to several operators; say which one by its short name.")
    ),
    "OPERATOR_TAKES_NO_DEVICES": Sentence(
        "OPERATOR_INACTIVE", _("This operator takes no devices at present; ask its support.")
    ),
    "OPERATOR_WANTS_ENCRYPTION": Sentence(
        "NOSEC_NOT_ALLOWED", _("This operator takes only encrypted devices; choose a pre-shared key.")
    ),
    "SECURITY_NOT_FOR_REACH": Sentence(
        "VALIDATION_FAILED",
        _("The security “%(security)s” does not go with “%(reach)s”; choose another one."),
    ),
    "STORED_SECRET_UNREADABLE": Sentence(
        "SECRET_UNREADABLE",
        _(
            "A stored secret cannot be opened: no key in FIELD_ENCRYPTION_KEYS fits. Put the key it "
            "was written with back."
        ),
    ),
}
