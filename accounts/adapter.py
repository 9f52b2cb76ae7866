"""How allauth does things here: it registers through our service and says in our words what went wrong."""

from __future__ import annotations

import logging
from smtplib import SMTPException
from typing import Any

from allauth.account.adapter import DefaultAccountAdapter
from allauth.core import context as allauth_context
from allauth.core.exceptions import ImmediateHttpResponse
from django.conf import settings
from django.contrib import messages
from django.core.cache import cache
from django.forms import BaseForm, ValidationError
from django.http import HttpRequest
from django.shortcuts import redirect
from django.urls import reverse
from django.utils.translation import gettext

from accounts.errors import Refused
from accounts.models import EMAIL_LENGTH, User
from accounts.selectors import operators
from accounts.services import signup
from audit.middleware import client_source
from live import sessions

logger = logging.getLogger(__name__)

QUIET_SECONDS = 180  # between two mails to the owner of an address, as allauth has it for its own


class AccountAdapter(DefaultAccountAdapter):
    """Named by ACCOUNT_ADAPTER."""

    def is_open_for_signup(self, request: HttpRequest) -> bool:
        return operators.open_for_signup().exists()

    def get_client_ip(self, request: HttpRequest) -> str:
        """Whom allauth's limits count, as those of REST do."""
        return client_source(request)

    def clean_email(self, email: str) -> str:
        if len(email) > EMAIL_LENGTH:
            raise ValidationError(
                gettext("This address is too long. An e-mail address has at most 254 characters.")
            )
        cleaned: str = super().clean_email(email)
        return cleaned

    def save_user(self, request: HttpRequest, user: User, form: BaseForm, commit: bool = True) -> User:
        """The person and their account in one transaction, instead of the blank `user` of allauth."""
        data = form.cleaned_data
        try:
            registered = signup.register(
                email=data["email"], password=data["password1"], operator=data["operator"], name=data["name"]
            )
        except Refused as refusal:  # the operator closed its door between the form and now
            messages.error(request, refusal.detail)
            raise ImmediateHttpResponse(redirect("account_signup")) from None
        if registered is None:  # the same address signed up in this very moment
            self.send_account_already_exists_mail(data["email"])
            raise ImmediateHttpResponse(self.respond_email_verification_sent(request, None))
        return registered

    def format_email_subject(self, subject: str) -> str:
        """As our templates have it, without the host in brackets."""
        return subject

    def send_account_already_exists_mail(self, email: str) -> None:
        """Who signs up with a known address learns nothing on the page; the address's owner gets this, now and then."""
        if not cache.add(f"account-exists:{sessions.digest(email.lower())}", 1, QUIET_SECONDS):
            return  # strangers may type it as often as they like
        self.send_mail(
            "accounts/email/account_exists",
            email,
            {"login_url": link("account_login"), "reset_url": link("account_reset_password")},
        )

    def send_mail(self, template_prefix: str, email: str, context: dict[str, Any]) -> None:
        """A mail server that is away must not undo what was stored; signing in later sends a new link."""
        context = {**context, "portal_url": settings.PUBLIC_URL}
        try:
            super().send_mail(template_prefix, email, context)
        except (SMTPException, OSError) as error:
            logger.exception("mail_not_sent template=%s error=%s", template_prefix, type(error).__name__)
            request = allauth_context.request
            if request is not None and hasattr(request, "_messages"):
                messages.error(
                    request, gettext("The e-mail could not be sent. Sign in later to have it sent again.")
                )


def link(name: str, **kwargs: str) -> str:
    """An absolute address for e-mails, under the name the browser knows us by, else the public one."""
    path = reverse(name, kwargs=kwargs)
    request = allauth_context.request
    return settings.PUBLIC_URL + path if request is None else request.build_absolute_uri(path)
