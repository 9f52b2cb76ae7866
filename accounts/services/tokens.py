"""API tokens: so many a person, and no more."""

from __future__ import annotations

from datetime import timedelta

from django.conf import settings
from django.db.models import Q
from django.utils import timezone
from knox.models import AuthToken

from accounts.errors import Refused
from accounts.models import User
from audit import ledger
from audit.actions import Action
from audit.locks import rows


def issue(*, user: User, lifetime: timedelta | None) -> tuple[AuthToken, str]:
    """A token and the text of it, which is never seen again. Refused QUOTA_REACHED; two at once are counted."""
    with ledger.unit_of_work():
        rows(User.objects.all()).get(pk=user.pk)
        good = AuthToken.objects.filter(Q(expiry=None) | Q(expiry__gt=timezone.now()), user=user)
        if good.count() >= settings.TOKENS_PER_PERSON:
            raise Refused("TOKENS_REACHED", count=settings.TOKENS_PER_PERSON)
        issued: tuple[AuthToken, str] = AuthToken.objects.create(user=user, expiry=lifetime)
        return issued


def end(*, token: AuthToken) -> None:
    """It opens nothing any more. That somebody signed out is told by whoever heard it."""
    AuthToken.objects.filter(pk=token.pk).delete()


def end_all(*, user: User) -> int:
    """None of the person's opens anything any more; how many there were."""
    ended, _ = AuthToken.objects.filter(user=user).delete()
    return int(ended)


def take_away(*, token: AuthToken) -> None:
    """Somebody else ends it: the ledger keeps whose it was and who did that."""
    with ledger.unit_of_work():
        end(token=token)
        target = f"user:{token.user_id}"
        ledger.record(action=Action.TOKEN_ENDED, operator_id=None, target=target, subject=target)
