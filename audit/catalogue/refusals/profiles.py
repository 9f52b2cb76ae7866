"""Refusals of bootstrap profiles and of reachability policies."""

from django.utils.translation import gettext_lazy as _

from audit.catalogue.sentence import Sentence

SENTENCES = {
    "DEFAULT_PROFILE_MISSING": Sentence(
        "NO_BOOTSTRAP_PROFILE", _("The operator has no default bootstrap profile; make one.")
    ),
    "DEFAULT_PROFILE_STAYS": Sentence(
        "CONFLICT", _("This is the default profile; make another one the default first.")
    ),
    "PROFILE_DELETES_NO_LIST": Sentence(
        "PROFILE_INVALID", _('Deletes must be a list of paths, such as ["/0", "/1"].')
    ),
    "PROFILE_DELETES_PATH": Sentence("PROFILE_INVALID", _("Deletes: %(said)s")),
    "PROFILE_CANNOT_CHOOSE_SECURITY": Sentence(
        "PROFILE_INVALID",
        _("A profile cannot choose “%(security)s”; a device has that by the way it is reached."),
    ),
    "PROFILE_OPERATOR_WANTS_ENCRYPTION": Sentence(
        "PROFILE_INVALID",
        _("This operator does not allow devices without encryption; choose the pre-shared key."),
    ),
    "PROFILE_READS_NO_LIST": Sentence(
        "PROFILE_INVALID", _('Reads must be a list of paths, such as ["/1", "/2"].')
    ),
    "PROFILE_READS_PATH": Sentence("PROFILE_INVALID", _("Reads: %(said)s")),
    "PROFILE_RIGHTS_NO_LIST": Sentence(
        "PROFILE_INVALID", _('Access rights are a list such as [{"path": "/3/0", "rights": {"0": 31}}].')
    ),
    "PROFILE_RIGHTS_PATH": Sentence("PROFILE_INVALID", _("Access rights: %(said)s")),
    "PROFILE_RIGHT_EMPTY": Sentence(
        "PROFILE_INVALID", _("Say who may do what on %(path)s: rights by Short Server ID.")
    ),
    "PROFILE_RIGHT_INCOMPLETE": Sentence(
        "PROFILE_INVALID", _("An access right has the path of an object or instance, and rights.")
    ),
    "PROFILE_RIGHT_NO_NUMBERS": Sentence(
        "PROFILE_INVALID", _("The rights on %(path)s are numbers by Short Server ID, 0 for every server.")
    ),
    "PROFILE_UNSOUND": Sentence("PROFILE_INVALID", _("%(problems)s")),
    "PROFILE_WITHOUT_ENCRYPTION": Sentence(
        "PROFILE_INVALID",
        _(
            "The profile %(profile)r writes an account without encryption, but the device has a key; "
            "choose the pre-shared key in the profile."
        ),
    ),
    "REACH_LIMIT": Sentence("VALIDATION_FAILED", _("%(name)s is 0 to %(limit)s.")),
    "REACH_STEPS_MISSING": Sentence(
        "VALIDATION_FAILED", _("Name at least one step, or switch the policy off.")
    ),
    "REACH_STEP_UNKNOWN": Sentence("VALIDATION_FAILED", _("There is no step %(kind)r; known are %(known)s.")),
    "REACH_STEP_WAIT": Sentence("VALIDATION_FAILED", _("A step is given 0 seconds to 7 days.")),
    "TCP_NOT_SERVED": Sentence(
        "NO_ACCOUNT_FOR_TRANSPORT",
        _(
            "The device came over TCP, but the management server does not listen there; set "
            "COAP_TCP_PORT, or give the bootstrap profile a server address that the device can reach."
        ),
    ),
}
