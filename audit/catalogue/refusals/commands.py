"""Refusals of commands before they are looked at as operations, and of what keeps them."""

from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext_lazy

from audit.catalogue.sentence import Sentence

SENTENCES = {
    "AWAKE_SECONDS_NO_NUMBER": Sentence("VALIDATION_FAILED", _("%(text)r is not a number of seconds.")),
    "AWAKE_SECONDS_OUT_OF_RANGE": Sentence("VALIDATION_FAILED", _("Say 1 to %(limit)s seconds, or nothing.")),
    "COMMANDS_REACHED": Sentence(
        "QUOTA_REACHED",
        ngettext_lazy(
            "%(count)s command waits for this device. Cancel it, or wait for it.",
            "%(count)s commands wait for this device. Cancel some, or wait for it.",
            "count",
        ),
    ),
    "COMMAND_ENDED": Sentence("CONFLICT", _("The command has ended already.")),
    "COMMAND_EXPIRY_OUT_OF_RANGE": Sentence(
        "VALIDATION_FAILED", _("A command may wait from 1 second to 90 days.")
    ),
    "DEVICE_SHUT_OUT": Sentence("CONFLICT", _("%(words)s %(action)s")),
    "HISTORY_DAYS_OUT_OF_RANGE": Sentence("VALIDATION_FAILED", _("History is kept for 0 to %(limit)s days.")),
    "NOT_OBSERVED": Sentence("VALIDATION_FAILED", _("%(paths)s is not observed.")),
    "OPERATION_UNKNOWN": Sentence("VALIDATION_FAILED", _("There is no operation %(operation)r.")),
    "PAIR_MALFORMED": Sentence("VALIDATION_FAILED", _("Write %(word)r as ID=VALUE or PATH=VALUE.")),
    "PRIORITY_OUT_OF_RANGE": Sentence("VALIDATION_FAILED", _("priority is a number from -100 to 100.")),
    "ROLE_MAY_NOT_ENDANGER": Sentence(
        "PERMISSION_DENIED",
        _("Your role does not allow commands that may cut a device off. Ask somebody who runs the devices."),
    ),
    "SERVER_ACCOUNTS_SEVERAL": Sentence(
        "VALIDATION_FAILED",
        ngettext_lazy(
            "The device has %(count)s server account; say which instance of object 1 is ours.",
            "The device has %(count)s server accounts; say which instance of object 1 is ours.",
            "count",
        ),
    ),
    "TAKES_PATH_ONLY": Sentence(
        "VALIDATION_FAILED", _("%(operation)s takes a path only; %(given)r is too much.")
    ),
    "WHY_MISSING": Sentence("REASON_MISSING", _("%(question)s Say why; the ledger keeps it.")),
}
