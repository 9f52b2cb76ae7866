"""Refusals of what stands on a device's label: endpoint name, PSK identity, key, phone number."""

from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext_lazy

from audit.catalogue.sentence import Sentence

SENTENCES = {
    "ENDPOINT_BLANK_AT_END": Sentence(
        "ENDPOINT_INVALID", _("The endpoint name begins or ends with a blank; remove it.")
    ),
    "ENDPOINT_HALF_CHARACTER": Sentence(
        "ENDPOINT_INVALID", _("The endpoint name contains half a character; copy it again as plain text.")
    ),
    "ENDPOINT_HELD": Sentence(
        "ENDPOINT_TAKEN",
        _(
            "This endpoint name is in use already. Check it against the label; if the device is "
            "yours, its former owner has to remove it first, or your operator's support can help."
        ),
    ),
    "ENDPOINT_INVISIBLE_CHARACTER": Sentence(
        "ENDPOINT_INVALID",
        _("The endpoint name contains an invisible character (%(character)s); type it instead of copying."),
    ),
    "ENDPOINT_IS_OPERATORS": Sentence(
        "ENDPOINT_TAKEN", _("This operator already has a device with this endpoint name.")
    ),
    "ENDPOINT_IS_YOURS": Sentence(
        "ENDPOINT_TAKEN", _("You already added this device; open it in your list of devices.")
    ),
    "ENDPOINT_MISSING": Sentence(
        "ENDPOINT_INVALID", _("The endpoint name is missing; copy it from the device's label.")
    ),
    "ENDPOINT_TOO_LONG": Sentence(
        "ENDPOINT_INVALID",
        ngettext_lazy(
            "The endpoint name has %(size)s byte; it may have at most %(limit)s.",
            "The endpoint name has %(size)s bytes; it may have at most %(limit)s.",
            "size",
        ),
    ),
    "ENDPOINT_UNCHANGED": Sentence("ENDPOINT_INVALID", _("This is the name that it has already.")),
    "IDENTITY_BLANK_AT_END": Sentence(
        "VALIDATION_FAILED", _("The PSK identity begins or ends with a blank; remove it.")
    ),
    "IDENTITY_HALF_CHARACTER": Sentence(
        "VALIDATION_FAILED", _("The PSK identity contains half a character; copy it again as plain text.")
    ),
    "IDENTITY_HELD": Sentence(
        "PSK_IDENTITY_TAKEN",
        _("This PSK identity is in use already; check it against the label or use another one."),
    ),
    "IDENTITY_INVISIBLE_CHARACTER": Sentence(
        "VALIDATION_FAILED",
        _("The PSK identity contains an invisible character (%(character)s); type it instead of copying."),
    ),
    "IDENTITY_MISSING": Sentence(
        "VALIDATION_FAILED", _("The PSK identity is missing; copy it from the device's label.")
    ),
    "IDENTITY_TOO_LONG": Sentence(
        "VALIDATION_FAILED",
        ngettext_lazy(
            "The PSK identity has %(size)s byte; it may have at most %(limit)s.",
            "The PSK identity has %(size)s bytes; it may have at most %(limit)s.",
            "size",
        ),
    ),
    "KEY_LENGTH": Sentence(
        "PSK_KEY_INVALID",
        ngettext_lazy(
            "The key has %(length)s byte; it must have %(low)s to %(high)s bytes, two hex digits each.",
            "The key has %(length)s bytes; it must have %(low)s to %(high)s bytes, two hex digits each.",
            "length",
        ),
    ),
    "KEY_MISSING": Sentence("PSK_KEY_INVALID", _("The key is missing; type the hex digits from the label.")),
    "KEY_NOT_HEX": Sentence(
        "PSK_KEY_INVALID", _("%(digit)r is not a hex digit; a key is written with 0-9 and A-F only.")
    ),
    "KEY_ODD": Sentence(
        "PSK_KEY_INVALID",
        ngettext_lazy(
            "The key has %(length)s hex digit, which is odd: one is missing or too many.",
            "The key has %(length)s hex digits, which is odd: one is missing or too many.",
            "length",
        ),
    ),
    "KEY_ONE_BYTE_REPEATED": Sentence(
        "PSK_KEY_INVALID",
        _(
            "The key is one byte repeated, which anybody can guess; type the key of this device from "
            "its label."
        ),
    ),
    "KEY_UNCHANGED": Sentence(
        "PSK_KEY_INVALID",
        _("This is the key that we have already, so the device has another one; compare the two."),
    ),
    "MSISDN_HELD": Sentence(
        "MSISDN_TAKEN",
        _("This phone number is in use by another device already; check it against the SIM card."),
    ),
    "MSISDN_MALFORMED": Sentence(
        "MSISDN_INVALID",
        _("%(text)r is no international phone number; write + and the country code, such as +491511234567."),
    ),
    "MSISDN_NOT_GIVEN": Sentence(
        "MSISDN_INVALID", _("The phone number is missing; enter that of the SIM card.")
    ),
    "NAME_INVISIBLE_CHARACTER": Sentence(
        "VALIDATION_FAILED",
        _("The name contains an invisible character (%(character)s); type it instead of copying."),
    ),
    "NAME_TOO_LONG": Sentence(
        "VALIDATION_FAILED",
        ngettext_lazy(
            "The name has %(length)s character; %(limit)s are enough.",
            "The name has %(length)s characters; %(limit)s are enough.",
            "length",
        ),
    ),
}
