"""Signing up: a person and their account with the operator of their choice, in one transaction."""

from __future__ import annotations

from django.contrib.auth.hashers import make_password
from django.db import IntegrityError, transaction

from accounts.models import Operator, User
from accounts.services import subscribers
from audit import ledger
from audit.actions import Action


def register(*, email: str, password: str, operator: Operator, name: str = "") -> User | None:
    """The new person, or None when the address is somebody's already: the caller answers the same either way.

    The address still has to be confirmed. Refused when the operator takes nobody. The password was validated.
    """
    email = email.strip().lower()
    if User.objects.filter(email__iexact=email).exists():
        make_password(password)  # as slow as a new address, so that time tells nothing either
        return None
    try:
        with ledger.unit_of_work():
            with transaction.atomic():
                user = User.objects.create_user(email, password, name=name.strip())
            with ledger.context(actor=ledger.user_actor(user)):
                ledger.record(
                    action=Action.USER_SIGNED_UP,
                    operator_id=operator.pk,
                    target=f"user:{user.pk}",
                    personal={"email": email},
                    subject=f"user:{user.pk}",
                )
                subscribers.open_account(user=user, operator=operator)
    except IntegrityError:  # the same address signed up in this very moment
        return None
    return user
