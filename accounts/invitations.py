"""The mail that tells somebody about their new role, with a link to choose a password if they have none."""

from __future__ import annotations

from allauth.account.adapter import get_adapter
from allauth.account.forms import default_token_generator
from allauth.account.utils import user_pk_to_url_str
from allauth.core.context import request_context
from django.http import HttpRequest

from accounts.adapter import link
from accounts.services.staff import Invited


def send(request: HttpRequest, invited: Invited) -> None:
    """The links carry the name under which the browser of the inviting person knows us."""
    user, membership = invited.user, invited.membership
    with request_context(request):
        words = {
            "name": user.name,
            "operator": membership.operator.name,
            "role": membership.get_role_display(),
            "login_url": link("account_login"),
            "admin_url": link("admin:index"),
            "set_password_url": _set_password(user) if invited.is_new else "",
        }
        get_adapter().send_mail("accounts/email/staff_invited", user.email, words)


def _set_password(user: object) -> str:
    key = default_token_generator.make_token(user)
    return link("account_reset_password_from_key", uidb36=user_pk_to_url_str(user), key=key)
