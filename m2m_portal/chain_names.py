"""Names for the ledger's chains, which knows operators by number alone; used by `manage.py verify_audit --operator`."""

from accounts.models import Operator


def by_operator_id() -> dict[int, str]:
    return dict(Operator.objects.values_list("pk", "slug"))
