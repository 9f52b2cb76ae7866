"""The e-mail that confirms an address, started from outside allauth's own pages."""

from __future__ import annotations

from allauth.account.adapter import get_adapter
from allauth.account.internal.flows.email_verification import send_verification_email_to_address
from allauth.account.models import EmailAddress
from allauth.account.utils import setup_user_email
from django.http import HttpRequest

from accounts.models import User


def start(request: HttpRequest, *, user: User | None, email: str) -> None:
    """Mails the link to whoever just signed up; `user` None tells the address that it has an account."""
    if user is None:
        get_adapter(request).send_account_already_exists_mail(email)
        return
    setup_user_email(request, user, [])
    remind(request, user=user, signup=True)


def remind(request: HttpRequest, *, user: User, signup: bool = False) -> None:
    """Mails the link again, at most once in three minutes."""
    address = EmailAddress.objects.filter(user=user).order_by("-primary").first()
    if address is None:
        address = EmailAddress.objects.create(user=user, email=user.email, primary=True)
    send_verification_email_to_address(request, address, signup=signup)


def is_done(user: User) -> bool:
    return bool(EmailAddress.objects.filter(user=user, verified=True).exists())
