"""Subscribers' accounts with an operator: open, suspend, resume, close."""

from __future__ import annotations

from django.db import IntegrityError, transaction

from accounts.errors import Refused
from accounts.models import Operator, Subscriber, SubscriberState, User
from accounts.services import numbers
from audit import ledger, locks
from audit.actions import Action

MOVES: dict[str, frozenset[str]] = {
    SubscriberState.ACTIVE: frozenset({SubscriberState.SUSPENDED, SubscriberState.CLOSED}),
    SubscriberState.SUSPENDED: frozenset({SubscriberState.ACTIVE, SubscriberState.CLOSED}),
    SubscriberState.CLOSED: frozenset({SubscriberState.ACTIVE}),
}
_ACTIONS = {
    SubscriberState.ACTIVE: Action.SUBSCRIBER_RESUMED,
    SubscriberState.SUSPENDED: Action.SUBSCRIBER_SUSPENDED,
    SubscriberState.CLOSED: Action.SUBSCRIBER_CLOSED,
}


def open_account(*, user: User, operator: Operator) -> Subscriber:
    """The person's account with the operator; Refused when it takes nobody or they hold one already."""
    with ledger.unit_of_work():
        operator = Operator.objects.get(pk=operator.pk)
        if not (operator.is_active and operator.is_open_for_signup):
            raise Refused("OPERATOR_TAKES_NO_ACCOUNTS", field="operator", operator=operator)
        held = Subscriber.objects.filter(user=user, operator=operator).first()
        if held:
            raise _held(held)
        try:
            with transaction.atomic():
                subscriber = Subscriber.objects.create(
                    user=user, operator=operator, number=numbers.new(operator)
                )
        except IntegrityError:  # opened in another window a moment ago
            raise _held(Subscriber.objects.get(user=user, operator=operator)) from None
        ledger.record(
            action=Action.SUBSCRIBER_OPENED,
            operator_id=operator.pk,
            subscriber_id=subscriber.pk,
            target=f"subscriber:{subscriber.number}",
            after={"number": subscriber.number, "state": subscriber.state},
            personal={"email": user.email},
        )
    return subscriber


def _held(subscriber: Subscriber) -> Refused:
    name = subscriber.operator
    if subscriber.state == SubscriberState.CLOSED:
        return Refused("ACCOUNT_CLOSED", field="operator", operator=name)
    return Refused("ACCOUNT_HELD", field="operator", number=subscriber.number, operator=name)


def suspend(*, subscriber: Subscriber, reason: str) -> Subscriber:
    """The person keeps seeing their devices and can add none until the account is resumed."""
    return _move(subscriber, SubscriberState.SUSPENDED, reason)


def resume(*, subscriber: Subscriber, reason: str) -> Subscriber:
    return _move(subscriber, SubscriberState.ACTIVE, reason)


def close(*, subscriber: Subscriber, reason: str) -> Subscriber:
    return _move(subscriber, SubscriberState.CLOSED, reason)


def _move(subscriber: Subscriber, state: SubscriberState, reason: str) -> Subscriber:
    with ledger.unit_of_work():
        row = locks.rows(Subscriber.objects).get(pk=subscriber.pk)
        before = row.state
        if before == state:
            return row
        if state not in MOVES[before]:
            raise Refused("ACCOUNT_CANNOT_BECOME", was=SubscriberState(row.state), state=state)
        row.state = state
        row.save(update_fields=["state"])
        ledger.record(
            action=_ACTIONS[state],
            operator_id=row.operator_id,
            subscriber_id=row.pk,
            target=f"subscriber:{row.number}",
            before={"state": before},
            after={"state": state},
            reason=reason,
        )
    return row
