"""Staff of an operator: invite somebody into a role, which is theirs when they accept, change it, take it away.

Who holds a role may sign in to the admin: `is_staff` follows from the memberships and is set nowhere else.
"""

from __future__ import annotations

from typing import Any

from allauth.account.models import EmailAddress
from django.db import IntegrityError, transaction

from accounts.errors import Refused
from accounts.models import Operator, StaffMembership, User
from accounts.roles import Role
from audit import ledger, locks
from audit.actions import Action


def grant(*, user: User, operator: Operator, role: Role | str) -> StaffMembership:
    """Give the person this role with the operator, instead of the one they may hold."""
    role = Role(role)
    with ledger.unit_of_work():
        _lock(operator)
        held = StaffMembership.objects.filter(user=user, operator=operator).first()
        if held and held.role == role:
            return held
        before = held.role if held else None
        if held:
            _keep_an_administrator(held)
            held.role = role
            held.save(update_fields=["role"])
        else:
            held = StaffMembership.objects.create(user=user, operator=operator, role=role)
        _set_is_staff(user)
        ledger.record(
            action=Action.STAFF_ROLE_CHANGED if before else Action.STAFF_ROLE_GRANTED,
            operator_id=operator.pk,
            target=f"user:{user.pk}",
            before={"role": before} if before else None,
            after={"role": role.value},
            personal={"email": user.email},
            subject=f"user:{user.pk}",
        )
    return held


def invite(*, email: str, operator: Operator, role: Role | str, name: str = "") -> StaffMembership:
    """An invitation to whoever reads this address, or the one that stands, with this role. Refused for staff.

    Nobody is looked up but the operator's own staff. The caller sends the mail (`accounts.invitations`).
    """
    email, role = email.strip().lower(), Role(role)
    with ledger.unit_of_work():
        _lock(operator)
        if StaffMembership.objects.filter(operator=operator, user__email__iexact=email).exists():
            raise Refused("ROLE_HELD", field="email", email=email)
        row = StaffMembership.objects.filter(operator=operator, user=None, email=email).first()
        if row is not None and row.role == role:
            return row
        before = {"role": row.role} if row else None
        row = row or StaffMembership(operator=operator, email=email)
        row.role, row.name = role, name.strip() or row.name
        row.save()
        _record_invitation(Action.STAFF_INVITED, row, before=before, after={"role": role.value})
    return row


def accept(*, membership: StaffMembership, user: User) -> StaffMembership:
    """The person takes the role. Refused when the invitation is not theirs or not there any more."""
    with ledger.unit_of_work():
        row = _invitation(membership)
        if row.email != user.email.lower():
            raise Refused("INVITATION_FOR_ANOTHER")
        if StaffMembership.objects.filter(user=user, operator=row.operator).exists():
            row.delete()  # the address became that of somebody who has a role
            return grant(user=user, operator=row.operator, role=row.role)
        row.user, row.email, row.name = user, "", ""
        row.save(update_fields=["user", "email", "name"])
        _set_is_staff(user)
        ledger.record(
            action=Action.STAFF_ROLE_GRANTED,
            operator_id=row.operator_id,
            target=f"user:{user.pk}",
            after={"role": row.role},
            detail={"invitation": row.pk},
            personal={"email": user.email},
            subject=f"user:{user.pk}",
        )
    return row


def accept_as_new(*, membership: StaffMembership, name: str, password: str) -> StaffMembership:
    """Whoever followed the link of the mail has no account yet: make it, and take the role. Raises Refused."""
    with ledger.unit_of_work():
        row = _invitation(membership)
        user = _new_person(row.email, password, name, row.operator)
        with ledger.context(actor=ledger.user_actor(user)):
            return accept(membership=row, user=user)


def decline(*, membership: StaffMembership) -> None:
    """Whoever followed the link does not want the role; nothing is said of who that was. Raises Refused."""
    with ledger.unit_of_work():
        row = _invitation(membership)
        _record_invitation(Action.STAFF_INVITATION_DECLINED, row, before={"role": row.role})
        row.delete()


def appoint(
    *, email: str, operator: Operator, role: Role | str, name: str = "", password: str | None = None
) -> StaffMembership:
    """For whoever runs the portal: somebody new gets the role with `password` at once, staff another role.

    Somebody who has an account and no role here is invited like anybody else.
    """
    email = email.strip().lower()
    with ledger.unit_of_work():
        user = User.objects.filter(email__iexact=email).first()
        if user is None and password is not None:
            user = _new_person(email, password, name, operator)
            return grant(user=user, operator=operator, role=role)
        if user is not None and StaffMembership.objects.filter(user=user, operator=operator).exists():
            return grant(user=user, operator=operator, role=role)
        return invite(email=email, operator=operator, role=role, name=name)


def _new_person(email: str, password: str, name: str, operator: Operator) -> User:
    """Refused when the address got an account meanwhile."""
    try:
        with transaction.atomic():
            user = User.objects.create_user(email, password, name=name.strip())
    except IntegrityError:
        raise Refused("EMAIL_HAS_ACCOUNT") from None
    EmailAddress.objects.create(user=user, email=email, primary=True, verified=True)
    ledger.record(
        action=Action.USER_CREATED,
        operator_id=operator.pk,
        target=f"user:{user.pk}",
        personal={"email": email},
        subject=f"user:{user.pk}",
    )
    return user


def _invitation(membership: StaffMembership) -> StaffMembership:
    """The row under the operator's lock. Refused when it was taken, declined or withdrawn."""
    _lock(membership.operator)
    row = StaffMembership.objects.filter(pk=membership.pk, user=None).select_related("operator").first()
    if row is None:
        raise Refused("INVITATION_SPENT")
    return row


def _record_invitation(action: Action, row: StaffMembership, **fields: Any) -> None:
    name = f"membership:{row.pk}"
    ledger.record(
        action=action,
        operator_id=row.operator_id,
        target=name,
        personal={"email": row.email},
        subject=name,
        **fields,
    )


def remove(*, membership: StaffMembership, reason: str = "") -> None:
    """Take the role away, or an invitation back; Refused for the operator's last administrator."""
    with ledger.unit_of_work():
        _lock(membership.operator)
        row = StaffMembership.objects.select_related("user").filter(pk=membership.pk).first()
        if row is None:
            return
        if row.user is None:
            _record_invitation(
                Action.STAFF_INVITATION_WITHDRAWN, row, before={"role": row.role}, reason=reason
            )
            row.delete()
            return
        _keep_an_administrator(row)
        user, operator_id, role = row.user, row.operator_id, row.role
        row.delete()
        _set_is_staff(user)
        ledger.record(
            action=Action.STAFF_ROLE_REMOVED,
            operator_id=operator_id,
            target=f"user:{user.pk}",
            before={"role": role},
            reason=reason,
            personal={"email": user.email},
            subject=f"user:{user.pk}",
        )


def _lock(operator: Operator) -> None:
    """Roles of one operator change one after the other: two administrators cannot remove each other."""
    locks.rows(Operator.objects).get(pk=operator.pk)


def lock_operators_of(user: User) -> None:
    """Where the person is administrator, in the order of keys."""
    held = StaffMembership.objects.filter(user=user, role=Role.ADMINISTRATOR).values("operator_id")
    list(locks.rows(Operator.objects.filter(pk__in=held).order_by("pk")))


def keep_administrators(user: User) -> None:
    """Refused when an operator would be left without one; the caller holds `lock_operators_of`."""
    for membership in StaffMembership.objects.filter(user=user, role=Role.ADMINISTRATOR):
        _keep_an_administrator(membership)


def _keep_an_administrator(membership: StaffMembership) -> None:
    if membership.role != Role.ADMINISTRATOR or membership.user_id is None:
        return
    others = StaffMembership.objects.filter(
        operator_id=membership.operator_id, role=Role.ADMINISTRATOR, user__is_active=True
    ).exclude(pk=membership.pk)
    if not others.exists():
        raise Refused("LAST_ADMINISTRATOR", field="role")


def _set_is_staff(user: User) -> None:
    is_staff = user.is_superuser or StaffMembership.objects.filter(user=user).exists()
    user.__dict__.pop("_roles", None)
    if user.is_staff != is_staff:
        user.is_staff = is_staff
        user.save(update_fields=["is_staff"])
