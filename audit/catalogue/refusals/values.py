"""Refusals of values that do not fit their resource; each names its path first."""

from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext_lazy

from audit.catalogue.sentence import Sentence

SENTENCES = {
    "VALUE_LENGTH": Sentence(
        "VALIDATION_FAILED",
        ngettext_lazy(
            "%(path)s: %(resource)s has %(length)s byte; its definition says %(range)s.",
            "%(path)s: %(resource)s has %(length)s bytes; its definition says %(range)s.",
            "length",
        ),
    ),
    "VALUE_NOT_AMONG": Sentence("VALIDATION_FAILED", _("%(path)s: %(resource)s is one of %(range)s.")),
    "VALUE_NOT_FINITE": Sentence("VALIDATION_FAILED", _("%(path)s: this is not a finite number.")),
    "VALUE_NOT_READABLE": Sentence("VALIDATION_FAILED", _("%(problems)s")),
    "VALUE_NO_BASE64": Sentence("VALIDATION_FAILED", _("%(path)s: this is not base64.")),
    "VALUE_NO_BOOLEAN": Sentence("VALIDATION_FAILED", _("%(path)s: %(resource)s is true or false.")),
    "VALUE_NO_BYTES": Sentence("VALIDATION_FAILED", _('%(path)s: bytes are written {"base64": "..."}.')),
    "VALUE_NO_NUMBER": Sentence("VALIDATION_FAILED", _("%(path)s: %(resource)s is a number.")),
    "VALUE_NO_OBJECT_LINK": Sentence("VALIDATION_FAILED", _("%(path)s: %(said)s")),
    "VALUE_NO_TEXT": Sentence(
        "VALIDATION_FAILED", _("%(path)s: this resource is text; put the value in quotes.")
    ),
    "VALUE_NO_TIME": Sentence(
        "VALIDATION_FAILED", _("%(path)s: %(resource)s is a time; write 2026-03-01T12:00:00+00:00.")
    ),
    "VALUE_NO_WHOLE_NUMBER": Sentence("VALIDATION_FAILED", _("%(path)s: %(resource)s is a whole number.")),
    "VALUE_OF_NO_KIND": Sentence(
        "VALIDATION_FAILED", _("%(path)s: give text, a number, true, false, or an object with base64.")
    ),
    "VALUE_ONLY_EXECUTED": Sentence(
        "VALIDATION_FAILED", _("%(path)s: %(resource)s has no value; it can only be executed.")
    ),
    "VALUE_OUTSIDE": Sentence("VALIDATION_FAILED", _("%(path)s: %(resource)s is outside %(low)s..%(high)s.")),
    "VALUE_OUT_OF_RANGE": Sentence("VALIDATION_FAILED", _("%(path)s: %(resource)s is outside %(range)s.")),
    "VALUE_OVER_64_BITS": Sentence("VALIDATION_FAILED", _("%(path)s: a whole number has at most 64 bits.")),
    "VALUE_TEXT_UNFIT": Sentence(
        "VALIDATION_FAILED", _("%(path)s: the text is too long, or not plain text.")
    ),
    "VALUE_TIME_WITHOUT_OFFSET": Sentence(
        "VALIDATION_FAILED", _("%(path)s: %(resource)s is a time; add the offset from UTC, such as +00:00.")
    ),
}
