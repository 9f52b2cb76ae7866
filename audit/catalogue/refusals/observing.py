"""Refusals of observations."""

from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext_lazy

from audit.catalogue.sentence import Sentence

SENTENCES = {
    "CANCEL_MODE_UNKNOWN": Sentence("VALIDATION_FAILED", _("mode is active or passive.")),
    "OBSERVATIONS_REACHED": Sentence(
        "VALIDATION_FAILED",
        ngettext_lazy(
            "A device has at most %(limit)s observation; end it first.",
            "A device has at most %(limit)s observations; end some first.",
            "limit",
        ),
    ),
    "OBSERVATION_ENDED": Sentence("CONFLICT", _("This observation has ended already.")),
    "OBSERVATION_PATHS_TOO_MANY": Sentence(
        "VALIDATION_FAILED", _("These are too many paths for one observation.")
    ),
    "OBSERVATION_PATH_MISSING": Sentence(
        "VALIDATION_FAILED", _("Give a path, or paths for a composite observation.")
    ),
}
