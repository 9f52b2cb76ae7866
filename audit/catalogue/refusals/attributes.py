"""Refusals of notification attributes (`OMA-TS-LightweightM2M_Core 5.1.2`)."""

from django.utils.translation import gettext_lazy as _

from audit.catalogue.sentence import Sentence

SENTENCES = {
    "ATTRIBUTES_CROSSED": Sentence(
        "VALIDATION_FAILED", _("%(low)s is greater than %(high)s; a device would ignore one of them.")
    ),
    "ATTRIBUTES_LT_GT": Sentence("VALIDATION_FAILED", _("lt must be less than gt.")),
    "ATTRIBUTES_LT_ST_GT": Sentence("VALIDATION_FAILED", _("lt + 2 × st must be less than gt.")),
    "ATTRIBUTES_NO_OBJECT": Sentence(
        "VALIDATION_FAILED", _('attributes is an object such as {"pmin": 10, "pmax": 60}.')
    ),
    "ATTRIBUTE_BELONGS_TO_RESOURCE": Sentence(
        "VALIDATION_FAILED", _("%(name)s belongs to a resource; %(path)s is none.")
    ),
    "ATTRIBUTE_COUNT": Sentence("VALIDATION_FAILED", _("%(name)s is a whole number from 1 on.")),
    "ATTRIBUTE_EDGE_FOR_BOOLEANS": Sentence(
        "VALIDATION_FAILED", _("edge is for true and false; %(resource)s is of type %(type)s.")
    ),
    "ATTRIBUTE_FLAG": Sentence("VALIDATION_FAILED", _("%(name)s is 0 or 1.")),
    "ATTRIBUTE_FOR_NUMBERS": Sentence(
        "VALIDATION_FAILED", _("%(name)s is for numbers; %(resource)s is of type %(type)s.")
    ),
    "ATTRIBUTE_NEEDS_VALUE": Sentence(
        "VALIDATION_FAILED", _("%(name)s needs a value here; only Write-Attributes can unset it.")
    ),
    "ATTRIBUTE_NOT_IN_VERSION": Sentence(
        "VALIDATION_FAILED", _("The device speaks LwM2M %(version)s, which does not know %(name)s.")
    ),
    "ATTRIBUTE_NUMBER": Sentence("VALIDATION_FAILED", _("%(name)s is a number.")),
    "ATTRIBUTE_SECONDS": Sentence("VALIDATION_FAILED", _("%(name)s is whole seconds from 0 on.")),
    "ATTRIBUTE_STEP": Sentence("VALIDATION_FAILED", _("st is greater than 0.")),
    "ATTRIBUTE_UNKNOWN": Sentence(
        "VALIDATION_FAILED", _("There is no attribute %(name)r; there are %(known)s.")
    ),
}
