"""Refusals of operations by the rules of LwM2M and of the object model."""

from django.utils.translation import gettext_lazy as _

from audit.catalogue.sentence import Sentence

SENTENCES = {
    "ATTRIBUTES_MISSING": Sentence(
        "VALIDATION_FAILED", _("Write-Attributes needs attributes such as pmin or pmax.")
    ),
    "CANCEL_MODE": Sentence(
        "VALIDATION_FAILED", _("mode is active (tell the device) or passive (reset its next notification).")
    ),
    "CANNOT_BE_DONE": Sentence("VALIDATION_FAILED", _("%(resource)s (%(path)s) cannot be %(verb)s.")),
    "CANNOT_BE_DONE_ONLY": Sentence(
        "VALIDATION_FAILED", _("%(resource)s (%(path)s) cannot be %(verb)s, only %(can)s.")
    ),
    "COMPOSITE_PATHS_MISSING": Sentence(
        "VALIDATION_FAILED", _('A composite operation needs paths, a list such as ["/3/0/9", "/1/0"].')
    ),
    "COMPOSITE_PATHS_ONCE": Sentence("VALIDATION_FAILED", _("Name each path once, at most %(limit)s.")),
    "COMPOSITE_SINCE_1_1": Sentence(
        "VALIDATION_FAILED", _("The device speaks LwM2M 1.0; composite operations came with 1.1.")
    ),
    "DEPTH_WRONG": Sentence("VALIDATION_FAILED", _("%(operation)s works on %(allowed)s; %(path)s is none.")),
    "DISCOVER_DEPTH": Sentence("VALIDATION_FAILED", _("depth is 0, 1, 2 or 3.")),
    "DISCOVER_DEPTH_SINCE_1_2": Sentence(
        "VALIDATION_FAILED", _("The device speaks LwM2M %(version)s; Discover knows depth since 1.2.")
    ),
    "EXECUTE_ARGUMENTS": Sentence(
        "VALIDATION_FAILED",
        _(
            "Arguments are written 0='text',1: digits 0 to 9, each at most with a text in single "
            "quotes, without blanks, double quotes or backslashes."
        ),
    ),
    "FORCE_NO_BOOLEAN": Sentence("VALIDATION_FAILED", _("force is true or false.")),
    "FORMAT_CANNOT_CARRY": Sentence(
        "VALIDATION_FAILED", _("Content format %(format)s cannot carry this; use one of %(allowed)s.")
    ),
    "FORMAT_CARRIES_ONE_VALUE": Sentence(
        "VALIDATION_FAILED",
        _("Content format %(format)s carries one value; %(path)s needs 112, 110 or 11542."),
    ),
    "FORMAT_NOT_FOR_READING": Sentence(
        "VALIDATION_FAILED", _("Content format %(format)s carries no values to read; use 112, 110 or 11542.")
    ),
    "FORMAT_NOT_FOR_WRITING": Sentence(
        "VALIDATION_FAILED", _("Content format %(format)s carries no values to write; use 112, 110 or 11542.")
    ),
    "FORMAT_UNKNOWN": Sentence(
        "VALIDATION_FAILED", _("The content format %(format)r is not known here; there are %(known)s.")
    ),
    "INSTANCE_ID_OUT_OF_RANGE": Sentence("VALIDATION_FAILED", _("instance_id is a number from 0 to 65534.")),
    "KEYS_BY_BOOTSTRAP_ONLY": Sentence(
        "VALIDATION_FAILED", _("%(path)s is a key; keys are written by the bootstrap server only.")
    ),
    "NOTHING_TO_WRITE": Sentence(
        "VALIDATION_FAILED", _("There is nothing to write: give value, or values by path.")
    ),
    "NO_RESOURCE_BELOW": Sentence("VALIDATION_FAILED", _("%(path)s is no resource in %(parent)s.")),
    "NO_VALUE_OF_ITS_OWN": Sentence(
        "VALIDATION_FAILED", _("%(path)s has no value of its own; give values by path.")
    ),
    "NULL_DELETES_RESOURCE_INSTANCE": Sentence(
        "VALIDATION_FAILED", _("%(path)s: null deletes a resource instance; this is none.")
    ),
    "OBJECT_WRITTEN_WHOLE": Sentence(
        "VALIDATION_FAILED",
        _("An object as a whole is written by a bootstrap server only; name an instance."),
    ),
    "OBSERVE_ATTRIBUTES_SINCE_1_2": Sentence(
        "VALIDATION_FAILED",
        _("Before LwM2M 1.2 an observe request carries no attributes; write them to each path."),
    ),
    "ONE_VALUE_ONLY": Sentence("VALIDATION_FAILED", _("%(path)s has one value, not several instances.")),
    "OPERATION_NOT_LISTED": Sentence(
        "VALIDATION_FAILED", _("There is no operation %(operation)r; there are %(known)s.")
    ),
    "PATHS_NO_LIST": Sentence("VALIDATION_FAILED", _("paths is a list of paths.")),
    "PATHS_OVERLAP": Sentence("VALIDATION_FAILED", _("%(parent)s and %(path)s overlap; write one of them.")),
    "PATH_MALFORMED": Sentence("VALIDATION_FAILED", _("%(said)s")),
    "RESOURCE_HAS_INSTANCES": Sentence(
        "VALIDATION_FAILED", _('%(resource)s has instances; write {"0": ...}, or the path of one.')
    ),
    "RESOURCE_HAS_NO_INSTANCES": Sentence(
        "VALIDATION_FAILED", _("%(resource)s has no instances; write %(path)s.")
    ),
    "RESOURCE_INSTANCES_SINCE_1_1": Sentence(
        "VALIDATION_FAILED", _("The device speaks LwM2M 1.0, which has no operations on resource instances.")
    ),
    "RESOURCE_INSTANCE_HAS_ONE_VALUE": Sentence(
        "VALIDATION_FAILED", _("A resource instance has one value; give it as value.")
    ),
    "RESOURCE_INSTANCE_UPDATED": Sentence(
        "VALIDATION_FAILED", _("A resource instance has no parts to update; it is replaced.")
    ),
    "RESOURCE_UPDATED_BEFORE_1_1": Sentence(
        "VALIDATION_FAILED", _("LwM2M 1.0 updates instances only; a resource is replaced.")
    ),
    "ROOT_STANDS_ALONE": Sentence("VALIDATION_FAILED", _("The root / stands alone, and is only read.")),
    "TAKES_ONE_PATH": Sentence("VALIDATION_FAILED", _("This operation takes a path, not paths.")),
    "TAKES_PATHS": Sentence("VALIDATION_FAILED", _("This operation takes paths.")),
    "VALUES_COUNT": Sentence("VALIDATION_FAILED", _("values is an object of 1 to %(limit)s values by path.")),
    "VALUES_NO_OBJECT": Sentence("VALIDATION_FAILED", _("values is an object of values by path.")),
    "VALUE_AND_VALUES": Sentence("VALIDATION_FAILED", _("Give value or values, not both.")),
    "WRITE_MODE_UNKNOWN": Sentence("VALIDATION_FAILED", _("mode is replace or update.")),
}
