"""Staff of an operator: grant a role, invite somebody new into one, take it away.

Who holds a role may sign in to the admin: `is_staff` follows from the memberships and is set nowhere else.
"""

from __future__ import annotations

from dataclasses import dataclass

from allauth.account.models import EmailAddress

from accounts.errors import Refused
from accounts.models import Operator, StaffMembership, User
from accounts.roles import Role
from audit import ledger, locks


@dataclass(frozen=True)
class Invited:
    """`is_new` says that the person has no password yet and needs a link to choose one."""

    membership: StaffMembership
    user: User
    is_new: bool


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
            action="staff.role_changed" if before else "staff.role_granted",
            operator_id=operator.pk,
            target=f"user:{user.pk}",
            before={"role": before} if before else None,
            after={"role": role.value},
            personal={"email": user.email},
            subject=f"user:{user.pk}",
        )
    return held


def invite(
    *, email: str, operator: Operator, role: Role | str, name: str = "", password: str | None = None
) -> Invited:
    """Give the role to whoever has this address, making the person when nobody has.

    A new person's address counts as confirmed once they set a password through the link sent to it, or at
    once when `password` is given (then somebody hands it over).
    """
    email = email.strip().lower()
    with ledger.unit_of_work():
        user = User.objects.filter(email__iexact=email).first()
        is_new = user is None
        if user is None:
            user = User.objects.create_user(email, password, name=name)
            EmailAddress.objects.create(user=user, email=email, primary=True, verified=password is not None)
            ledger.record(
                action="user.created",
                operator_id=operator.pk,
                target=f"user:{user.pk}",
                personal={"email": email},
                subject=f"user:{user.pk}",
            )
        membership = grant(user=user, operator=operator, role=role)
    return Invited(membership, user, is_new and password is None)


def remove(*, membership: StaffMembership, reason: str = "") -> None:
    """Take the role away; Refused for the operator's last administrator."""
    with ledger.unit_of_work():
        _lock(membership.operator)
        row = StaffMembership.objects.select_related("user").filter(pk=membership.pk).first()
        if row is None:
            return
        _keep_an_administrator(row)
        user, operator_id, role = row.user, row.operator_id, row.role
        row.delete()
        _set_is_staff(user)
        ledger.record(
            action="staff.role_removed",
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


def _keep_an_administrator(membership: StaffMembership) -> None:
    if membership.role != Role.ADMINISTRATOR:
        return
    others = StaffMembership.objects.filter(
        operator_id=membership.operator_id, role=Role.ADMINISTRATOR, user__is_active=True
    ).exclude(pk=membership.pk)
    if not others.exists():
        raise Refused(
            "CONFLICT",
            "This is the operator's last administrator. Make somebody else administrator first.",
            "role",
        )


def _set_is_staff(user: User) -> None:
    is_staff = user.is_superuser or StaffMembership.objects.filter(user=user).exists()
    user.__dict__.pop("_roles", None)
    if user.is_staff != is_staff:
        user.is_staff = is_staff
        user.save(update_fields=["is_staff"])
