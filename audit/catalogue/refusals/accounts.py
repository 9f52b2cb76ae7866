"""Refusals about people: operators, roles, invitations, subscribers' accounts, tokens."""

from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext_lazy

from audit.catalogue.sentence import Sentence

SENTENCES = {
    "ACCOUNT_CANNOT_BECOME": Sentence("CONFLICT", _("An account that is %(was)s cannot become %(state)s.")),
    "ACCOUNT_CLOSED": Sentence(
        "CONFLICT", _("Your account with %(operator)s was closed. Ask %(operator)s to open it again.")
    ),
    "ACCOUNT_HELD": Sentence("CONFLICT", _("You already have account %(number)s with %(operator)s.")),
    "EMAIL_HAS_ACCOUNT": Sentence(
        "EMAIL_TAKEN", _("There is an account with this address now. Sign in with it.")
    ),
    "INVITATION_FOR_ANOTHER": Sentence("CONFLICT", _("This invitation is for another address.")),
    "INVITATION_SPENT": Sentence("CONFLICT", _("This invitation was used already, or it was withdrawn.")),
    "LAST_ADMINISTRATOR": Sentence(
        "CONFLICT", _("This is the operator's last administrator. Make somebody else administrator first.")
    ),
    "LAST_SUPERUSER": Sentence(
        "CONFLICT", _("This is the last superuser. Make somebody else superuser first.")
    ),
    "OPERATOR_NAME_TAKEN": Sentence(
        "CONFLICT", _("There is an operator named %(name)r already. Choose another name.")
    ),
    "OPERATOR_SLUG_TAKEN": Sentence(
        "CONFLICT", _("There is an operator %(slug)r already. Choose another short name.")
    ),
    "OPERATOR_TAKES_NO_ACCOUNTS": Sentence(
        "OPERATOR_CLOSED", _("%(operator)s takes no new accounts. Choose another operator.")
    ),
    "ROLE_HELD": Sentence("CONFLICT", _("%(email)s has a role already. Change it in the list.")),
    "TIME_ZONE_UNKNOWN": Sentence("VALIDATION_FAILED", _("There is no time zone %(name)r here.")),
    "TOKENS_REACHED": Sentence(
        "QUOTA_REACHED",
        ngettext_lazy(
            "You hold %(count)s token. End it with auth/logout/ if you do not need it; a new password "
            "ends it too.",
            "You hold %(count)s tokens. End those you do not need with auth/logout/, or all with "
            "auth/logoutall/; a new password ends them too.",
            "count",
        ),
    ),
}
