"""Records who signed in and out, and what became of their password and address.

An event goes to every operator the person has to do with, as staff or subscriber, so that its auditors find
it; of a person with none, or of nobody, to the platform.
"""

from __future__ import annotations

from typing import Any

from allauth.account.models import EmailAddress
from django.core.cache import cache
from knox.models import AuthToken

from accounts import events
from accounts.models import StaffMembership, Subscriber, User
from audit import ledger
from audit.actions import Action

FAILED_WINDOW_SECONDS = 60


def signed_in(*, user: User) -> None:
    _record(Action.SIGNIN_OK, user)


def signed_out(*, user: User, session: str = "") -> None:
    """`session` is the digest of the one that ends; live pages that it opened end with it."""
    _record(Action.SIGNIN_ENDED, user)
    if session:
        events.signed_off(user.pk, session=session)


def failed(*, email: str) -> None:
    """Counts wrong passwords: one event a minute for each person and address they came from, with the number.

    Anybody can cause these without being known, so they must not grow the ledger one by one.
    """
    user = User.objects.filter(email__iexact=email.strip()).first() if email else None
    key = f"signin-failed:{user.pk if user else 'unknown'}:{ledger.current_address()}"
    if not cache.add(f"{key}:quiet", 1, FAILED_WINDOW_SECONDS):
        cache.add(key, 0, 24 * 3600)
        cache.incr(key)
        return
    uncounted = cache.get(key, 0)
    cache.delete(key)
    details: dict[str, Any] = {"unrecorded_before": uncounted} if uncounted else {}
    refused: dict[str, Any] = {
        "result": "refused",
        "cause": "CREDENTIALS_WRONG",
        "detail": details,
        "actor": ledger.ANONYMOUS,
        "by_stranger": True,
    }
    if user:
        _record(Action.SIGNIN_FAILED, user, **refused)
    else:
        ledger.record_many([ledger.Event(action=Action.SIGNIN_FAILED, operator_id=None, **refused)])


def password_changed(*, user: User) -> None:
    """Whoever knew the old one is out: API tokens end (Django ends the other sessions itself)."""
    with ledger.unit_of_work():
        ended, _ = AuthToken.objects.filter(user=user).delete()
        _record(Action.PASSWORD_CHANGED, user, detail={"tokens_ended": ended})
        events.signed_off(user.pk)


def password_reset(*, user: User) -> None:
    """Who followed the link in the mail has shown that the address is theirs."""
    with ledger.unit_of_work():
        password_changed(user=user)
        addresses = list(EmailAddress.objects.filter(user=user))
        if (
            len(addresses) == 1
            and not addresses[0].verified
            and addresses[0].email.lower() == user.email.lower()
        ):
            addresses[0].verified = True
            addresses[0].save(update_fields=["verified"])
            email_confirmed(user=user, email=user.email)


def email_confirmed(*, user: User, email: str) -> None:
    _record(Action.EMAIL_CONFIRMED, user, personal={"email": email})


def _record(action: Action, user: User, *, actor: ledger.Actor | None = None, **fields: Any) -> None:
    accounts = dict(Subscriber.objects.filter(user=user).values_list("operator_id", "pk"))
    operator_ids: set[int | None] = set(accounts)
    operator_ids.update(StaffMembership.objects.filter(user=user).values_list("operator_id", flat=True))
    ledger.record_many(
        [
            ledger.Event(
                action=action,
                operator_id=operator_id,
                subscriber_id=None if operator_id is None else accounts.get(operator_id),
                actor=actor or ledger.user_actor(user),
                target=f"user:{user.pk}",
                subject=f"user:{user.pk}",
                **fields,
            )
            for operator_id in sorted(operator_ids or {None}, key=lambda one: one or 0)
        ]
    )
