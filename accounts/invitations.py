"""The mail that invites somebody into a role, and its link: whoever follows it shows that the address is theirs."""

from __future__ import annotations

from allauth.account.adapter import get_adapter
from allauth.core.context import request_context
from django.core import signing
from django.http import HttpRequest

from accounts.adapter import link
from accounts.models import StaffMembership

VALID_DAYS = 14
_SALT = "accounts.invitations"


def send(request: HttpRequest | None, membership: StaffMembership) -> None:
    """The same mail whether or not the address has an account. Links carry the name by which `request` knows us."""
    with request_context(request):
        words = {
            "name": membership.name,
            "operator": membership.operator.name,
            "role": membership.get_role_display(),
            "days": VALID_DAYS,
            "accept_url": link("staff-invitation", token=token_of(membership)),
        }
        get_adapter().send_mail("accounts/email/staff_invited", membership.email, words)


def token_of(membership: StaffMembership) -> str:
    return signing.dumps([membership.pk, membership.email], salt=_SALT)


def read(token: str) -> StaffMembership | None:
    """The invitation that the link is for; None when it is too old, was answered or withdrawn, or is none of ours."""
    try:
        pk, email = signing.loads(token, salt=_SALT, max_age=VALID_DAYS * 24 * 3600)
    except (signing.BadSignature, ValueError):
        return None
    found = StaffMembership.objects.filter(pk=pk, user=None, email=email, operator__is_active=True)
    return found.select_related("operator").first()
