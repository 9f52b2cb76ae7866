"""Refusals of packages that devices are to fetch."""

from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext_lazy

from audit.catalogue.sentence import Sentence

SENTENCES = {
    "PACKAGES_FULL": Sentence(
        "QUOTA_REACHED",
        ngettext_lazy(
            "%(operator)s may keep %(limit)s MB of packages. Remove some that no device needs.",
            "%(operator)s may keep %(limit)s MB of packages. Remove some that no device needs.",
            "limit",
        ),
    ),
    "PACKAGE_DIGEST_DIFFERS": Sentence(
        "VALIDATION_FAILED", _("The file was damaged on its way: its SHA-256 is %(found)s. Send it again.")
    ),
    "PACKAGE_EMPTY": Sentence("VALIDATION_FAILED", _("The file is empty.")),
    "PACKAGE_GONE": Sentence("NOT_FOUND", _("The package is not here any more; reload the list.")),
    "PACKAGE_IS_HERE": Sentence("CONFLICT", _("Exactly this content is here already, as %(name)s.")),
    "PACKAGE_NAME_LENGTH": Sentence("VALIDATION_FAILED", _("Give it a name of 1 to %(limit)s characters.")),
    "PACKAGE_NOT_FOR_DEVICE": Sentence(
        "VALIDATION_FAILED", _("There is no such device with the operator of this package.")
    ),
    "PACKAGE_TOO_LARGE": Sentence(
        "VALIDATION_FAILED",
        ngettext_lazy("A package holds up to %(limit)s MB.", "A package holds up to %(limit)s MB.", "limit"),
    ),
}
