"""A new operator together with what it needs to serve devices at once."""

from __future__ import annotations

from typing import Any

from accounts.models import Operator
from accounts.services import operators
from audit import ledger
from provisioning.profiles import profiles
from provisioning.services import reach_policies


def create(*, slug: str, name: str, **more: Any) -> Operator:
    """`accounts.services.operators.create` and a default bootstrap profile and reach policy, in one unit of work."""
    with ledger.unit_of_work():
        operator = operators.create(slug=slug, name=name, **more)
        profiles.ensure_default(operator)
        reach_policies.ensure(operator)
    return operator
